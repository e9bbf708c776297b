import pytest
import torch

from ssseg.engine.databatch import to_device
from ssseg.modules import BuildDataset
from ssseg.modules.datasets.fusing import fuse_pipelines
from ssseg.modules.datasets.trainsamples import TrainSamples
from ssseg.modules.parallel.dataloader import train_loader
from ssseg.modules.parallel.order import TrainOrder
from tests.trees import folder_tree
from tests.unit.datasets.test_fusing import cfg_of

CPU = torch.device("cpu")


def batches(root, fuse, workers=0, **options):
    dataset = BuildDataset("TRAIN", None, cfg_of(root, **options))
    if fuse:
        fuse_pipelines(dataset)
    order = TrainOrder(length=len(dataset), total_batch=2, max_epochs=2, seed=5)
    return list(train_loader(TrainSamples(dataset), {"num_workers_per_gpu": workers, "pin_memory": True}, order))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_batches_arrive_as_the_documented_pipeline_makes_them(tmp_path, workers, channels_last):
    root = folder_tree(tmp_path / "data", size=(24, 32))
    fast, plain = batches(root, fuse=True, workers=workers), batches(root, fuse=False)
    assert len(fast) == len(plain) == 4
    for one, other in zip(fast, plain, strict=True):
        assert one["images"].dtype == torch.uint8
        assert one["images"].nbytes * 4 == other["images"].nbytes
        got, expected = (to_device(batch, CPU, channels_last=channels_last) for batch in (one, other))
        assert got.keys() == expected.keys() == {"images", "seg_targets"}
        for name in got:
            assert torch.equal(got[name], expected[name])
        layout = torch.channels_last if channels_last else torch.contiguous_format
        assert got["images"].is_contiguous(memory_format=layout)
        assert one["ids"] == other["ids"]
