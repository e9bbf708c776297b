"""What several processes remember of classes is the same in each, and what one process remembers of the whole batch."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.distributed import destroy_process_group, init_process_group
from torch.multiprocessing import spawn

from ssseg.modules import BuildSegmentor, SSSegInputStructure
from tests.contracts.small_cfgs import small

NAMES = ("MCIBI", "MCIBIPlusPlus", "IDRNet")


def memories(rank, folder, processes):
    """Save what process `rank` of several remembers after its part of two batches."""
    torch.set_num_threads(1)
    if processes > 1:
        init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=processes)
    found = {}
    for name in NAMES:
        torch.manual_seed(0)
        cfg = small(name)
        cfg["is_freeze_norm"] = "averages"  # each image is then on its own
        segmentor = BuildSegmentor(cfg, "TRAIN")
        for module in segmentor.modules():
            if "Dropout" in type(module).__name__:
                module.p = 0.0
        images, labels = torch.randn(2, 4, 3, 48, 64), torch.randint(0, 4, (2, 4, 48, 64))
        labels[:, 2:] = labels[:, 2:].where(labels[:, 2:] == 1, -100)  # the second process sees one class
        part = slice(4 // processes * rank, 4 // processes * (rank + 1))
        for step in range(2):
            sample = SSSegInputStructure(images=images[step, part], seg_targets=labels[step, part])
            segmentor(sample, **({"learning_rate": 0.01, "epoch": 1} if name != "IDRNet" else {}))
        frozen = {key: p.detach() for key, p in segmentor.named_parameters() if not p.requires_grad}
        found |= {f"{name}.{key}": p for key, p in frozen.items() if "memory" in key or "class" in key}
    save_file(found, folder / f"{processes}.{rank}.safetensors")
    if processes > 1:
        destroy_process_group()


@pytest.mark.slow
def test_two_processes_remember_what_one_does(tmp_path):
    memories(0, tmp_path, 1)
    spawn(memories, (tmp_path, 2), nprocs=2)
    one, first, second = (load_file(tmp_path / f"{name}.safetensors") for name in ("1.0", "2.0", "2.1"))
    assert {name.partition(".")[0] for name in one} == set(NAMES)
    for name, expected in one.items():
        assert torch.equal(first[name], second[name]), name
        if "class_relations" in name:  # which class an image leaves out is drawn by each process for itself
            continue
        torch.testing.assert_close(first[name], expected, rtol=1e-4, atol=1e-5, msg=lambda text, n=name: f"{n}: {text}")
