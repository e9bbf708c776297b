"""The SAM family against recorded values: encoders, prompts, masks, predictors and automatic masks.

Weights and inputs are functions of their names, as in test_models.py; pictures and prompts are stored.
"""

import ast
import copy
import gzip
import importlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from ssseg.modules import BuildBackbone, BuildSegmentor
from ssseg.modules.models.segmentors.sam.automatic import mask_of_rle
from tests.golden.fill import fill, golden_input

DATA = Path(__file__).with_name("data") / "models"
CASES = {entry["case"]: entry for entry in json.loads((DATA / "promptable.json").read_text())}
ENCODERS = [name for name, entry in CASES.items() if entry["kind"] == "backbone" and "outputs" in entry]
MODELS = [name for name, entry in CASES.items() if entry["kind"] == "segmentor" and "outputs" in entry]
POINTS, LABELS, BOX = np.array([[60.0, 40.0], [120.0, 90.0]]), np.array([1, 0]), np.array([20.0, 15.0, 110.0, 95.0])
ANNOTATION = ("predicted_iou", "bbox", "area", "stability_score", "point_coords", "crop_box")


def build(entry):
    return BuildBackbone(entry["cfg"]) if entry["kind"] == "backbone" else BuildSegmentor(entry["cfg"], "TEST")


def filled(module, entry):
    fill(module)
    scaling, state = entry.get("post_fill"), module.state_dict()
    for key in state if scaling else ():
        if re.search(scaling["pattern"], key):
            state[key].mul_(scaling["factor"])  # else RepViT's numbers grow to 1e7
    return module.eval()


def tool(case, what, **options):
    entry = CASES[case]
    kind = entry["cfg"]["type"]
    make = getattr(importlib.import_module(f"ssseg.modules.models.segmentors.{kind.lower()}"), kind + what)
    made = make(sam_cfg=copy.deepcopy(entry["cfg"]), device="cpu", **options)
    filled(getattr(made, "predictor", made).model, entry)
    return made


def given_prompts(case):
    """Points, their labels and boxes, two prompts of each."""
    recorded = np.load(DATA / f"{case}.npz")
    return (torch.from_numpy(recorded[f"in.{name}"]) for name in ("points", "labels", "boxes"))


def require_recorded(case, made):
    """Each value that was recorded under a name of `made`; tolerances as of the reference's own round-off."""
    outputs, recorded = CASES[case]["outputs"], np.load(DATA / f"{case}.npz")
    for name in made.keys() & outputs.keys():
        value = torch.as_tensor(made[name])
        assert list(value.shape) == outputs[name]["shape"], name
        error = np.abs(value.flatten()[:: outputs[name]["step"]].numpy() - recorded[name])
        share = 1e-3 if "post_fill" in CASES[case] else 1e-4
        if name.endswith("stability_score"):  # a ratio of small areas: one pixel moves it
            assert error.max() <= 5e-3, name
        elif value.is_floating_point():
            assert error.max(initial=0) <= share * outputs[name]["absmax"], name
        else:
            assert (error <= np.maximum(2, 2e-3 * np.abs(recorded[name]))).all(), name
    assert made.keys() & outputs.keys()


@pytest.mark.parametrize("case", CASES)
def test_entries_have_the_recorded_names_order_and_shapes(case):
    with torch.device("meta"):
        module = build(CASES[case])
    recorded = json.loads(gzip.decompress((DATA / f"{case}.keys.json.gz").read_bytes()))
    assert [[key, list(value.shape), str(value.dtype)[6:]] for key, value in module.state_dict().items()] == recorded
    assert sum(p.numel() for p in module.parameters()) == CASES[case]["num_params"]


@pytest.mark.parametrize("case", ENCODERS)
def test_encoders(case):
    encoder = filled(build(CASES[case]), CASES[case])
    with torch.no_grad():
        require_recorded(case, {"out": encoder(golden_input(case, tuple(CASES[case]["input_shape"])))})


@pytest.mark.parametrize("case", MODELS)
@torch.no_grad()
def test_prompts_and_masks(case):
    entry = CASES[case]
    model = filled(build(entry), entry)
    images = golden_input(case, tuple(entry["input_shape"]))
    features, *early = model.encode(images)
    given = {"interm_embeddings": early} if early else {}
    points, labels, boxes = given_prompts(case)
    side = model.prompt_encoder.mask_input_size[0]
    kinds = {
        "points": (points, labels),
        "boxes": boxes,
        "masks": golden_input(f"mask_prompt:{case}", (2, 1, side, side)),
    }
    dense_pe = model.prompt_encoder.getdensepe()
    made = {"image_encoder": features, "dense_pe": dense_pe}
    for name in {name.split(".")[1] for name in entry["outputs"] if name.startswith("prompt.")}:
        sparse, dense = model.prompt_encoder(
            **{kind: kinds[kind] if kind in name.split("_") else None for kind in kinds}
        )
        made |= {f"prompt.{name}.sparse": sparse, f"prompt.{name}.dense": dense}
    sparse, dense = model.prompt_encoder(points=kinds["points"], boxes=None, masks=None)
    for tag in {
        name.removeprefix("decoder.points.").rpartition(".")[0] for name in entry["outputs"] if "decoder" in name
    }:
        options = {key: ast.literal_eval(value) for key, value in (pair.split("=") for pair in tag.split(","))}
        masks, iou = model.mask_decoder(features, dense_pe, sparse, dense, **options, **given)
        made |= {f"decoder.points.{tag}.masks": masks, f"decoder.points.{tag}.iou": iou}
    require_recorded(case, made)


@pytest.mark.parametrize("case", MODELS)
def test_several_pictures(case):
    points, labels, boxes = given_prompts(case)
    image = torch.from_numpy(np.load(DATA / f"{case}.npz")["in.inference_image"]).permute(2, 0, 1).float()
    whole = {"image": image, "original_size": (90, 120), "point_coords": points, "point_labels": labels}
    left = {"image": image[:, :, :64], "original_size": (60, 45), "boxes": boxes}
    results = filled(build(CASES[case]), CASES[case]).inference([whole, left])
    require_recorded(
        case, {f"inference.{i}.{key}": value for i, one in enumerate(results) for key, value in one.items()}
    )


@pytest.mark.parametrize("case", MODELS)
def test_predictor(case):
    predictor, image = tool(case, "Predictor"), np.load(DATA / f"{case}.npz")["in.image"]
    predictor.setimage(image)
    made = {"predict.features": predictor.getimageembedding()}
    one, both = ({"point_coords": POINTS[:n], "point_labels": LABELS[:n]} for n in (1, 2))
    single = {"num_multimask_outputs": 1} if case == "edgesam_m1" else {"multimask_output": False}
    _, iou, low_res = predictor.predict(**one)
    calls = {
        "point": one,
        "points_single": both | single,
        "box": {"box": BOX} | single,
        "box_points": both | {"box": BOX},
        "mask_input": one | single | {"mask_input": low_res[iou.argmax()][None]},
        "points_four_stability": both | {"num_multimask_outputs": 4, "use_stability_score": True},
        "point_hqonly": one | {"hq_token_only": True},
        "points_single_hqonly": both | single | {"hq_token_only": True},
    }
    names = {name.split(".")[1] for name in CASES[case]["outputs"] if name.startswith("predict.") and "iou" in name}
    for name in names:
        results = predictor.predict(return_logits=True, **calls[name])
        made |= {f"predict.{name}.{key}": x for key, x in zip(("logits", "iou", "low_res"), results, strict=True)}
    predictor.setimage(image, image_format="BGR")
    made["predict.bgr_features"] = predictor.getimageembedding()
    require_recorded(case, made)


@pytest.mark.parametrize(("case", "tag"), [(case, tag) for case in MODELS for tag in CASES[case]["amg"]])
def test_automatic_masks(case, tag):
    settings, recorded = dict(CASES[case]["amg"][tag]), np.load(DATA / f"{case}.npz")
    threshold = settings.pop("model_mask_threshold")
    generator = tool(case, "AutomaticMaskGenerator", **settings)
    generator.predictor.model.mask_threshold = threshold
    found = generator.generate(recorded["in.image"])
    assert len(found) == CASES[case]["amg_counts"][tag]
    made = {key: np.array([one[key] for one in found]) for key in ANNOTATION}
    require_recorded(case, {f"{tag}.predicted_iou": made["predicted_iou"]})  # in the recorded order, or equal to it
    order = nearest(made, {key: recorded[f"{tag}.{key}"].reshape(made[key].shape) for key in ANNOTATION})
    require_recorded(case, {f"{tag}.{key}": made[key][order] for key in ANNOTATION[1:]})
    for i, rle in zip(order, CASES[case].get("rle", {}).get(tag, []), strict=False):
        assert (mask_of_rle(found[i]["segmentation"]) != mask_of_rle(rle)).sum() <= 40  # of 19200 pixels


def nearest(made, recorded):
    """For each recorded annotation the index of the most similar one: those of nearly one score may change places."""
    rows = [np.hstack([side[key].reshape(len(side[key]), -1) for key in ANNOTATION]) for side in (made, recorded)]
    scale = np.abs(rows[1]).max(axis=0) + 1e-9
    distances = (np.abs(rows[0] - rows[1][:, None]) / scale).sum(axis=2)
    order = []
    for row in distances:
        row[order] = np.inf
        order.append(int(row.argmin()))
    return order
