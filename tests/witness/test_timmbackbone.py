"""Any network of timm's as a backbone: recorded numbers, and what our own backbones keep too."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ssseg.modules import BuildBackbone, BuildSegmentor
from tests.contracts.small_cfgs import small
from tests.golden.test_models import DATA, filled, outputs
from tests.witness.agreement import assert_agree

RECORDED = {entry["case"]: entry for entry in json.loads((DATA / "timm.json").read_text())}


def build(name, **fields):
    cfg = {"type": "TIMMBackbone", "structure_type": name, "model_name": name, "pretrained": False, **fields}
    return BuildBackbone(cfg).eval()


@pytest.mark.parametrize("case", RECORDED)
def test_recorded_numbers(timm, case):
    entry, recorded = RECORDED[case], np.load(DATA / f"{case}.npz")
    backbone = filled(entry)
    keys = json.loads(gzip.decompress(Path(DATA / f"{case}.keys.json.gz").read_bytes()))
    made = [[key, list(value.shape), str(value.dtype)[6:]] for key, value in backbone.state_dict().items()]
    assert made == keys
    with torch.no_grad():
        maps = outputs(entry, backbone)
    for name, record in entry["outputs"].items():
        assert list(maps[name].shape) == record["shape"]
        assert_agree(maps[name].flatten()[:: record["step"]], torch.from_numpy(recorded[name]).flatten(), 1e-4)


@pytest.mark.parametrize(
    ("name", "extra_args"),
    [
        ("resnet10t", {}),
        ("swin_tiny_patch4_window7_224", {"embed_dim": 12, "depths": (1, 1, 1, 1), "num_heads": (1, 2, 3, 6)}),
        ("vit_tiny_patch16_224", {"depth": 3, "out_indices": (0, 2), "dynamic_img_size": True}),
        ("test_convnext", {}),
    ],
)
def test_maps_are_as_wide_as_announced(timm, name, extra_args):
    backbone = build(name, in_channels=4, extra_args=extra_args)
    with torch.no_grad():
        maps = backbone(torch.randn(2, 4, 224, 224))
    assert tuple(x.shape[1] for x in maps) == backbone.out_channels
    sizes = [x.shape[2:] for x in maps]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("name", ["resnet10t", "test_convnext"])
def test_a_file_of_timms_fills_a_backbone(timm, tmp_path, name):
    network = timm.create_model(name, pretrained=False).eval()
    torch.save(network.state_dict(), tmp_path / "x.pth")
    backbone = build(name, pretrained=True, pretrained_model_path=str(tmp_path / "x.pth"))
    image = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        assert_agree(backbone(image)[-1], network.forward_intermediates(image, intermediates_only=True)[-1])


def test_a_segmentor_trains_on_it(timm):
    from tests.contracts.test_segmentors import sample

    cfg = small("FCN")
    cfg["backbone"] = {**RECORDED["backbone_timm_resnet18"]["cfg"], "selected_indices": (3, 4)}
    cfg["head"]["in_channels"], cfg["auxiliary"]["in_channels"] = 512, 256
    segmentor = BuildSegmentor(cfg, "TRAIN")
    segmentor(sample()).loss.backward()
    assert all(p.grad.isfinite().all() for p in segmentor.parameters())
