"""Mask classification on two processes with uneven numbers of masks learns what one process does of the whole batch."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.distributed import destroy_process_group, init_process_group
from torch.multiprocessing import spawn
from torch.nn.parallel import DistributedDataParallel

from ssseg.modules import BuildSegmentor, SSSegInputStructure
from tests.contracts.small_cfgs import small

LAST_LABELLED = {"many and few": 3, "many and none": 2}  # images of four; the second process has the last two


def gradients(rank, folder, last_labelled, processes):
    """Save what process `rank` of several learns from its part of the batch."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    cfg = small("MaskFormer")
    cfg["is_freeze_norm"] = "averages"  # each image is then on its own
    segmentor = BuildSegmentor(cfg, "TRAIN")
    images, labels = torch.randn(4, 3, 48, 64), torch.randint(0, 4, (4, 48, 64))
    labels[2] = labels[2].where(labels[2] == 1, -100)
    labels[last_labelled:] = -100
    part = slice(4 // processes * rank, 4 // processes * (rank + 1))
    sample = SSSegInputStructure(images=images[part], seg_targets=labels[part])
    model = segmentor
    if processes > 1:
        init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=processes)
        model = DistributedDataParallel(segmentor)
    for _ in range(2):  # the second pass fails where the first left a parameter out
        segmentor.zero_grad()
        result = model(sample)
        result.loss.backward()
    found = {name: p.grad for name, p in segmentor.named_parameters() if p.requires_grad}
    save_file({**found, "loss": result.loss.detach()}, folder / f"{processes}.{rank}.safetensors")
    if processes > 1:
        destroy_process_group()


@pytest.mark.slow
@pytest.mark.parametrize("masks", LAST_LABELLED)
def test_two_processes_learn_what_one_learns(tmp_path, masks):
    gradients(0, tmp_path, LAST_LABELLED[masks], 1)
    spawn(gradients, (tmp_path, LAST_LABELLED[masks], 2), nprocs=2)
    one, first, second = (load_file(tmp_path / f"{name}.safetensors") for name in ("1.0", "2.0", "2.1"))
    torch.testing.assert_close((first.pop("loss") + second.pop("loss")) / 2, one.pop("loss"))
    if masks == "many and none":
        assert any(gradient.any() for gradient in second.values())  # what the other process learned
    for name, expected in one.items():
        torch.testing.assert_close(first[name], expected, rtol=1e-4, atol=1e-5, msg=lambda text, n=name: f"{n}: {text}")
        assert torch.equal(first[name], second[name])
