"""What every model of the SAM family keeps. It answers prompts; it has no classes and is not trained."""

import copy
import importlib

import numpy as np
import pytest
import torch

from ssseg.modules import BuildSegmentor
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import PROMPTABLE

NAMES = ["EdgeSAM", "MobileSAM", "SAM", "SAMHQ"]
POINT, LABEL = np.array([[20, 10]]), np.array([1])


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def tool(name, what, **options):
    package = importlib.import_module(f"ssseg.modules.models.segmentors.{name.lower()}")
    return getattr(package, name + what)(sam_cfg=copy.deepcopy(PROMPTABLE[name]), device="cpu", **options)


def picture(height=48, width=64):
    return np.random.RandomState(0).randint(0, 256, (height, width, 3)).astype(np.uint8)


def low_res(predictor, image=None, **prompts):
    predictor.setimage(picture() if image is None else image)
    return predictor.predict(**prompts or {"point_coords": POINT, "point_labels": LABEL})[2]


def test_every_name_has_a_small_cfg():
    assert set(NAMES) <= PROMPTABLE.keys()


@pytest.mark.parametrize("mode", ["TRAIN", "TRAIN_DEVELOP"])
def test_there_is_no_training(name, mode):
    with pytest.raises(ConfigError, match=f"{name} predicts from prompts and has no training; its mode is 'TEST'"):
        BuildSegmentor({"type": name, **PROMPTABLE[name]}, mode)


def test_scores_of_classes_are_refused(name):
    with pytest.raises(ConfigError, match=f"Use {name}Predictor"):
        BuildSegmentor({"type": name, **PROMPTABLE[name]}, "TEST")(torch.zeros(1, 3, 64, 64))


@pytest.mark.parametrize("size", [(48, 64), (61, 33), (7, 90), (200, 150)])
def test_masks_have_the_size_of_the_picture(name, size):
    predictor = tool(name, "Predictor")
    predictor.setimage(picture(*size))
    masks, qualities, logits = predictor.predict(point_coords=np.array([[3, 3]]), point_labels=LABEL)
    count = 1 if name == "SAMHQ" else 3
    assert (masks.shape, masks.dtype) == ((count, *size), bool)
    assert (qualities.shape, qualities.dtype) == ((count,), np.float32)
    assert (logits.shape, logits.dtype) == ((count, 16, 16), np.float32)
    assert np.isfinite(logits).all()


def test_logits_are_positive_on_masks(name):
    predictor = tool(name, "Predictor")
    predictor.setimage(picture())
    given = {"point_coords": POINT, "point_labels": LABEL}
    np.testing.assert_array_equal(predictor.predict(**given)[0], predictor.predict(return_logits=True, **given)[0] > 0)


def test_a_reloaded_model_answers_alike(name):
    one, other = tool(name, "Predictor"), tool(name, "Predictor")
    other.model.load_state_dict(one.model.state_dict())
    np.testing.assert_array_equal(low_res(one), low_res(other))


def test_no_weights_are_cached_elsewhere(name):
    """Weights that are filled in after eval() count."""
    one, other = tool(name, "Predictor"), tool(name, "Predictor")
    low_res(other)
    with torch.no_grad():
        for mine, theirs in zip(other.model.parameters(), one.model.parameters(), strict=True):
            mine.copy_(theirs)
        for mine, theirs in zip(other.model.buffers(), one.model.buffers(), strict=True):
            mine.copy_(theirs)
    np.testing.assert_array_equal(low_res(one), low_res(other))


def test_several_prompts_at_once_equal_one_by_one(name):
    predictor = tool(name, "Predictor")
    predictor.setimage(picture())
    points, labels = torch.tensor([[[20.0, 10.0]], [[40.0, 30.0]]]), torch.ones(2, 1)
    together = predictor.predicttorch(points, labels)[2]
    apart = [predictor.predicttorch(points[i : i + 1], labels[i : i + 1])[2] for i in range(2)]
    torch.testing.assert_close(torch.cat(apart), together, rtol=0, atol=1e-5 * together.abs().max().item())


def test_pictures_of_a_batch_equal_single_ones(name):
    predictor = tool(name, "Predictor")
    image = torch.from_numpy(picture()).permute(2, 0, 1).float()
    prompts = {"point_coords": torch.tensor([[[20.0, 10.0]]]), "point_labels": torch.ones(1, 1)}
    records = [{"image": x, "original_size": (96, 128), **prompts} for x in (image, image.flip(2), image.flip(1))]
    together = predictor.model.inference(records)
    assert together[1]["masks"].shape == (1, 1, 96, 128)
    for record, made in zip(records, together, strict=True):
        (alone,) = predictor.model.inference([record])
        scale = alone["low_res_logits"].abs().max().item()
        torch.testing.assert_close(made["low_res_logits"], alone["low_res_logits"], rtol=0, atol=1e-5 * scale)


def test_bfloat16(name):
    predictor = tool(name, "Predictor")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        predictor.setimage(picture())
        masks, *others = predictor.predict(POINT, LABEL)
        logits = predictor.predict(POINT, LABEL, return_logits=True)[0]
    assert masks.dtype == bool
    assert all(x.dtype == np.float32 and np.isfinite(x).all() for x in (logits, *others))


def test_everything_in_a_picture(name):
    generator = tool(name, "AutomaticMaskGenerator", points_per_side=3, pred_iou_thresh=0.0, stability_score_thresh=0.0)
    calls = []
    found = generator.generate(picture(40, 30), progress=lambda done, total: calls.append((done, total)))
    assert found
    assert calls == [(9, 9)]
    assert all(one["segmentation"].shape == (40, 30) for one in found)
    assert [one["area"] for one in found] == [one["segmentation"].sum() for one in found]
    assert not generator.predictor.is_image_set


def test_a_misspelt_head_field_names_the_place_and_the_fix(name):
    cfg = copy.deepcopy(PROMPTABLE[name])
    cfg["head"]["transformer_dims"] = cfg["head"].pop("transformer_dim")
    with pytest.raises(ConfigError, match=r"\['head'\]\['transformer_dims'\].*Did you mean 'transformer_dim'"):
        BuildSegmentor({"type": name, **cfg}, "TEST")


def test_cfgs_stay_as_they_are(name):
    before = copy.deepcopy(PROMPTABLE[name])
    tool(name, "Predictor")
    BuildSegmentor({"type": name, **PROMPTABLE[name]}, "TEST")
    assert before == PROMPTABLE[name]
