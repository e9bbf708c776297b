import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones import weights
from ssseg.modules.models.backbones.mit import AUTO_ASSERT_STRUCTURE_TYPES, DEFAULT_MODEL_URLS, convert_mit

SMALL = {
    "type": "MixVisionTransformer",
    "structure_type": "small",
    "embed_dims": 4,
    "num_layers": (1, 2, 1, 1),
    "pretrained_model_path": "x.pth",
}


def file_of(backbone):
    """The weights of a backbone as the authors keep them: projections apart, perceptrons of linear layers."""
    file = {"head.weight": torch.zeros(1), "head.bias": torch.zeros(1)}
    for name, value in backbone.state_dict().items():
        stage, part, *rest = name.removeprefix("layers.").split(".")
        end, number = ".".join(rest), int(stage) + 1
        if part == "0":
            file[f"patch_embed{number}.{end.replace('projection', 'proj')}"] = value
        elif part == "2":
            file[f"norm{number}.{end}"] = value
        elif ".in_proj_" in end:
            block, kind = end.split(".attn.attn.in_proj_")
            file[f"block{number}.{block}.attn.q.{kind}"] = value[: len(value) // 3]
            file[f"block{number}.{block}.attn.kv.{kind}"] = value[len(value) // 3 :]
        else:
            for ours, theirs in (
                ("attn.attn.out_proj", "attn.proj"),
                ("ffn.layers.0", "mlp.fc1"),
                ("ffn.layers.1", "mlp.dwconv.dwconv"),
                ("ffn.layers.4", "mlp.fc2"),
            ):
                end = end.replace(ours, theirs)
            linear = ".mlp.fc" in end and value.ndim == 4
            file[f"block{number}.{end}"] = value[:, :, 0, 0] if linear else value
    return file


def test_the_authors_file(monkeypatch):
    given = BuildBackbone({**SMALL, "pretrained": False})
    file = file_of(given)
    assert "block2.1.attn.kv.weight" in file
    monkeypatch.setattr(weights, "loadpretrainedweights", lambda *args, **kwargs: file)
    loaded = BuildBackbone(SMALL).state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in given.state_dict().items())
    assert convert_mit(loaded) is loaded


def test_fewer_stages_and_maps():
    backbone = BuildBackbone({**SMALL, "num_stages": 3, "out_indices": (2,), "pretrained": False})
    assert backbone.out_channels == (20,)
    assert backbone(torch.randn(1, 3, 32, 32))[0].shape == (1, 20, 2, 2)


def test_the_smallest_image():
    assert [x.shape[2:] for x in BuildBackbone({**SMALL, "pretrained": False})(torch.randn(1, 3, 4, 4))] == [(1, 1)] * 4


def test_the_table_of_weights():
    assert DEFAULT_MODEL_URLS["mit-b5"].endswith("/ssseg_segformer/mit_b5.pth")
    assert AUTO_ASSERT_STRUCTURE_TYPES["mit-b5"]["num_layers"] == (3, 6, 40, 3)
    assert [fields["embed_dims"] for fields in AUTO_ASSERT_STRUCTURE_TYPES.values()] == [32, 64, 64, 64, 64, 64]
