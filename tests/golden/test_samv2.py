"""SAM 2 against recorded values: its encoder, prompts, masks, memory, predictors, automatic masks and videos.

Weights and inputs are functions of their names, as in test_models.py; pictures and prompts are stored. Videos were
followed with memories in bfloat16, hence their wider tolerance.
"""

import ast
import copy
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ssseg.modules import BuildBackbone, BuildSegmentor
from ssseg.modules.models.segmentors.samv2 import SAMV2AutomaticMaskGenerator, SAMV2ImagePredictor, SAMV2VideoPredictor
from tests.golden.fill import fill, golden_input
from tests.golden.test_promptable import ANNOTATION, BOX, LABELS, POINTS, nearest

DATA = Path(__file__).with_name("data") / "models"
CASES = {entry["case"]: entry for entry in json.loads((DATA / "samv2.json").read_text())}
ENCODERS = [name for name, entry in CASES.items() if entry["kind"] == "backbone" and "outputs" in entry]
IMAGE = "samv2_image_reduced"


def build(case):
    entry = CASES[case]
    return BuildBackbone(entry["cfg"]) if entry["kind"] == "backbone" else BuildSegmentor(entry["cfg"], "TEST")


def filled(module):
    fill(module)
    return module.eval()


def tool(make, case, **options):
    made = make(samv2_cfg=copy.deepcopy(CASES[case]["cfg"]), device="cpu", **options)
    filled(getattr(made, "predictor", made).model)
    return made


def recorded_of(case):
    return np.load(DATA / f"{case}.npz")


def require_recorded(case, made, share=1e-4):
    outputs, recorded = CASES[case]["outputs"], recorded_of(case)
    assert made
    for name, value in made.items():
        values = torch.as_tensor(value).float()
        assert list(values.shape) == outputs[name]["shape"], name
        error = np.abs(values.flatten()[:: outputs[name]["step"]].numpy() - recorded[name])
        if name.endswith("stability_score"):  # a ratio of small areas: one pixel moves it
            assert error.max() <= 5e-3, name
        elif "absmax" in outputs[name]:
            assert error.max(initial=0) <= share * outputs[name]["absmax"], name
        else:
            assert (error <= np.maximum(2, 2e-3 * np.abs(recorded[name]))).all(), name


@pytest.mark.parametrize("case", CASES)
def test_entries_have_the_recorded_names_order_and_shapes(case):
    with torch.device("meta"):
        module = build(case)
    recorded = json.loads(gzip.decompress((DATA / f"{case}.keys.json.gz").read_bytes()))
    assert [[key, list(value.shape), str(value.dtype)[6:]] for key, value in module.state_dict().items()] == recorded
    assert sum(p.numel() for p in module.parameters()) == CASES[case]["num_params"]


@pytest.mark.parametrize("case", ENCODERS)
def test_encoders(case):
    with torch.no_grad():
        result = filled(build(case))(golden_input(case, tuple(CASES[case]["input_shape"])))
    named = result if isinstance(result, dict) else {"out": result}
    made = {}
    for name, value in named.items():
        made |= {name: value} if isinstance(value, torch.Tensor) else {f"{name}.{i}": x for i, x in enumerate(value)}
    assert made.keys() == CASES[case]["outputs"].keys()
    require_recorded(case, made)


@torch.no_grad()
def test_prompts_masks_and_memory():
    model, outputs, recorded = filled(build(IMAGE)), CASES[IMAGE]["outputs"], recorded_of(IMAGE)
    points, labels, boxes = (torch.from_numpy(recorded[f"in.{name}"]) for name in ("points", "labels", "boxes"))
    image = model.forwardimage(golden_input(IMAGE, tuple(CASES[IMAGE]["input_shape"])))
    made = {"image.vision_features": image["vision_features"], "image.vision_pos_enc.2": image["vision_pos_enc"][2]}
    made |= {f"image.backbone_fpn.{i}": x for i, x in enumerate(image["backbone_fpn"])}
    _, tokens, places, sizes = model.preparebackbonefeatures(image)
    *high, coarsest = (x.permute(1, 2, 0).unflatten(2, size) for x, size in zip(tokens, sizes, strict=True))
    encoder = model.sam_prompt_encoder
    kinds = {
        "points": (points, labels),
        "boxes": boxes,
        "masks": golden_input(f"mask_prompt:{IMAGE}", (2, 1, *encoder.mask_input_size)),
    }
    made["dense_pe"] = encoder.getdensepe()
    for name in {name.split(".")[1] for name in outputs if name.startswith("prompt.")} - {"box_as_points"}:
        sparse, dense = encoder(**{kind: kinds[kind] if kind in name.split("_") else None for kind in kinds})
        made |= {f"prompt.{name}.sparse": sparse, **({f"prompt.{name}.dense": dense} if "points" not in name else {})}
        for tag in {key.split(".")[2] for key in outputs if key.startswith(f"decoder.{name}.")}:
            several = ast.literal_eval(tag.partition("=")[2])
            values = model.sam_mask_decoder(
                coarsest, encoder.getdensepe(), sparse, dense, several, high_res_features=high
            )
            parts = zip(("masks", "iou", "tokens", "object_score_logits"), values, strict=True)
            made |= {f"decoder.{name}.{tag}.{part}": value for part, value in parts}
    corners = boxes.view(2, 2, 2), torch.tensor([[2, 3], [2, 3]])
    made["prompt.box_as_points.sparse"] = encoder(points=corners, boxes=None, masks=None)[0]
    prompt = {"point_coords": points, "point_labels": labels}
    names = (
        "low_res_multimasks high_res_multimasks ious low_res_masks high_res_masks obj_ptr object_score_logits".split()
    )
    for several in (False, True):
        values = model.forwardsamheads(coarsest, prompt, high_res_features=high, multimask_output=several)
        made |= {f"forwardsamheads.multimask_output={several}.{n}": v for n, v in zip(names, values, strict=True)}
    mask = (golden_input(f"mask_in:{IMAGE}", (2, 1, 128, 128)) > 0.5).float()
    mask[1] = 0
    values = dict(zip(names, model.usemaskasoutput(coarsest, high, mask), strict=True))
    made |= {f"usemaskasoutput.{n}": values[n] for n in ("low_res_masks", "obj_ptr", "object_score_logits")}
    logits = golden_input(f"mem_mask:{IMAGE}", (2, 1, 128, 128))
    memory, where = model.encodenewmemory(tokens, sizes, logits, is_mask_from_pts=False)
    made |= {"encodenewmemory.features": memory, "encodenewmemory.pos": where[0]}
    shape = (2 * 64 + 16, 2, 8)  # two maps, and four pointers of four tokens
    made["memory_attention"] = model.memory_attention(
        curr=tokens[-1:],
        curr_pos=places[-1:],
        memory=golden_input(f"memory:{IMAGE}", shape),
        memory_pos=golden_input(f"memory_pos:{IMAGE}", shape),
        num_obj_ptr_tokens=16,
    )
    kept = {name: value for name, value in made.items() if name in outputs}
    assert {name for name in outputs if not name.startswith(("predict", "amg"))} == kept.keys()
    require_recorded(IMAGE, kept)


def test_image_predictor():
    predictor, recorded = tool(SAMV2ImagePredictor, IMAGE), recorded_of(IMAGE)
    image = recorded["in.image"]
    predictor.setimage(image)
    made = {"predict.features": predictor.getimageembedding()}
    one, both = ({"point_coords": POINTS[:n], "point_labels": LABELS[:n]} for n in (1, 2))
    single = {"multimask_output": False}
    _, iou, low_res = predictor.predict(**one)
    calls = {
        "point": one,
        "points_single": both | single,
        "box": {"box": BOX} | single,
        "box_points": both | {"box": BOX},
        "mask_input": one | single | {"mask_input": low_res[iou.argmax()][None]},
        "point_normalised": one | {"point_coords": POINTS[:1] / [160.0, 120.0], "normalize_coords": False},
    }
    for name, call in calls.items():
        results = predictor.predict(return_logits=True, **call)
        made |= {f"predict.{name}.{key}": x for key, x in zip(("logits", "iou", "low_res"), results, strict=True)}
    predictor.setimagebatch([image, recorded["in.image2"]])
    logits, qualities, _ = predictor.predictbatch([POINTS[:1], POINTS[1:] / 2], [LABELS[:1]] * 2, return_logits=True)
    for i in range(2):
        made |= {f"predictbatch.{i}.logits": logits[i], f"predictbatch.{i}.iou": qualities[i]}
    assert made.keys() == {name for name in CASES[IMAGE]["outputs"] if name.startswith("predict")}
    require_recorded(IMAGE, made)


@pytest.mark.parametrize("tag", CASES[IMAGE]["amg"])
def test_automatic_masks(tag):
    recorded = recorded_of(IMAGE)
    found = tool(SAMV2AutomaticMaskGenerator, IMAGE, **CASES[IMAGE]["amg"][tag]).generate(recorded["in.image"])
    assert len(found) == CASES[IMAGE]["amg_counts"][tag]
    made = {key: np.array([one[key] for one in found]) for key in ANNOTATION}
    require_recorded(IMAGE, {f"{tag}.predicted_iou": made["predicted_iou"]})  # in the recorded order, or equal to it
    order = nearest(made, {key: recorded[f"{tag}.{key}"].reshape(made[key].shape) for key in ANNOTATION})
    require_recorded(IMAGE, {f"{tag}.{key}": made[key][order] for key in ANNOTATION[1:]})


@pytest.fixture
def video(tmp_path):
    def open_video(case, **options):
        predictor, recorded = tool(SAMV2VideoPredictor, case, **CASES[case]["predictor_args"]), recorded_of(case)
        for i in range(5):
            (tmp_path / f"{i}.jpg").write_bytes(recorded[f"in.jpeg{i}"].tobytes())
        return predictor, predictor.initstate(tmp_path, **options)

    return open_video


@pytest.mark.parametrize("options", [{}, {"offload_state_to_cpu": True}, {"keep_all_memories": False}])
def test_video_with_points(video, options):
    case = "samv2_video_points"
    predictor, state = video(case, **options)
    made = {"state.images": torch.stack([state.frames[i] for i in range(5)])}
    made["add0.masks"] = predictor.addnewpoints(state, 0, 7, [[60, 40]], [1])[2]
    made["add1.masks"] = predictor.addnewpoints(state, 0, 7, [[120, 90]], [0], clear_old_points=False)[2]
    made |= {f"prop.{frame}": masks for frame, _, masks in predictor.propagateinvideo(state)}
    made["obj_ptr.last"] = state.memories[4].pointers
    assert made.keys() == CASES[case]["outputs"].keys()
    require_recorded(case, made, share=1e-2)


def test_video_with_two_objects(video):
    case = "samv2_video_two_objects"
    predictor, state = video(case)
    made = {"state.images": torch.stack([state.frames[i] for i in range(5)])}
    mask = np.zeros((120, 160), bool)
    mask[30:80, 40:100] = True
    made["add0.masks"] = predictor.addnewmask(state, 1, "a", mask)[2]
    made["add1.masks"] = predictor.addnewpoints(state, 1, "b", [[120, 90], [30, 20]], [1, 0])[2]
    made |= {f"fwd.{frame}": masks for frame, _, masks in predictor.propagateinvideo(state)}
    made["fix.masks"] = predictor.addnewpoints(state, 3, "b", [[110, 80]], [1])[2]
    back = predictor.propagateinvideo(state, start_frame_idx=3, max_frame_num_to_track=2, reverse=True)
    made |= {f"rev.{frame}": masks for frame, _, masks in back}
    assert made.keys() == CASES[case]["outputs"].keys()
    require_recorded(case, made, share=1e-2)
