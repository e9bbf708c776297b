"""SAM: prompts and pictures that are refused, models and their weights, masks of everything."""

import copy
import hashlib
import logging

import numpy as np
import pytest
import torch
from PIL import Image

from ssseg.modules import BuildSegmentor
from ssseg.modules.models.segmentors.edgesam import EdgeSAM, EdgeSAMPredictor
from ssseg.modules.models.segmentors.edgesam.predictor import EDGESAM_CFGS
from ssseg.modules.models.segmentors.mobilesam import MobileSAMPredictor
from ssseg.modules.models.segmentors.mobilesam.predictor import MOBILESAM_CFGS
from ssseg.modules.models.segmentors.sam import (
    SAM,
    ResizeLongestSide,
    SAMAutomaticMaskGenerator,
    SAMPredictor,
    building,
    predictor,
)
from ssseg.modules.models.segmentors.sam.automatic import generator as generator_module
from ssseg.modules.models.segmentors.sam.automatic import mask_of_rle
from ssseg.modules.models.segmentors.sam.published import SAM_CFGS
from ssseg.modules.models.segmentors.samhq import SAMHQ, SAMHQPredictor
from ssseg.modules.models.segmentors.samhq.predictor import SAMHQ_CFGS
from ssseg.modules.utils import CheckpointError, ConfigError, DataError, ResourceError, ShapeError
from ssseg.modules.utils.download import download
from tests.contracts.small_cfgs import PROMPTABLE
from tests.fileserver import running_server

CFG = PROMPTABLE["SAM"]
POINT, LABEL = np.array([[20, 10]]), np.array([1])


def picture(height=48, width=64):
    return np.random.RandomState(0).randint(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.fixture
def ready():
    made = SAMPredictor(CFG, device="cpu")
    made.setimage(picture())
    return made


def generator(**options):
    given = {"points_per_side": 3, "pred_iou_thresh": 0.0, "stability_score_thresh": 0.0, **options}
    return SAMAutomaticMaskGenerator(sam_cfg=CFG, device="cpu", **given)


# ---------------------------------------------------------------- prompts
@pytest.mark.parametrize(
    ("prompts", "error", "message"),
    [
        ({"point_coords": POINT}, ShapeError, "point_labels: not given, but point_coords is"),
        ({"point_labels": LABEL}, ShapeError, "point_coords: not given"),
        ({"point_coords": [20, 10], "point_labels": LABEL}, ShapeError, r"point_coords: is \(2,\), must be \(P, 2\)"),
        ({"point_coords": np.zeros((0, 2)), "point_labels": []}, ShapeError, r"point_coords: is \(0, 2\)"),
        ({"point_coords": POINT, "point_labels": [1, 0]}, ShapeError, r"point_labels: is \(2,\), must be \(1,\)"),
        (
            {"point_coords": POINT, "point_labels": [2]},
            DataError,
            "point_labels: holds 2, must be 1 on the object or 0",
        ),
        ({"point_coords": [["a", "b"]], "point_labels": LABEL}, DataError, "point_coords: .* holds no numbers"),
        ({"point_coords": [[np.nan, 0]], "point_labels": LABEL}, DataError, "point_coords: .* not finite"),
        ({"box": [1, 2, 3]}, ShapeError, r"box: is \(3,\), must be \(4,\).*predicttorch takes several"),
        ({"box": np.zeros((2, 4))}, ShapeError, r"box: is \(2, 4\)"),
        ({"box": [30, 20, 10, 40]}, DataError, r"box: \[30.0, 20.0, 10.0, 40.0\] is empty"),
        ({"box": [10, 20, 10, 40]}, DataError, "is empty"),
        ({"mask_input": np.zeros((16, 16))}, ShapeError, r"mask_input: is \(16, 16\), must be \(1, 16, 16\)"),
        ({"mask_input": np.full((1, 16, 16), np.inf)}, DataError, "mask_input: holds numbers that are not finite"),
    ],
)
def test_bad_prompts_are_named(ready, prompts, error, message):
    with pytest.raises(error, match=message):
        ready.predict(**prompts)


@pytest.mark.parametrize(
    ("prompts", "error", "message"),
    [
        ({"boxes": torch.ones(4)}, ShapeError, r"boxes: is \(4,\)"),
        ({"boxes": torch.tensor([[0, 0, 5, 5], [3, 3, 3, 9]])}, DataError, r"boxes: \[3, 3, 3, 9\] is empty"),
        ({"point_coords": torch.ones(2, 1, 2)}, ShapeError, "both are needed"),
        (
            {"point_coords": torch.ones(2, 3, 2), "point_labels": torch.ones(2, 1)},
            ShapeError,
            r"point_labels: is \(2, 1\), must be \(2, 3\)",
        ),
        (
            {"boxes": torch.tensor([[0, 0, 5, 5]]), "mask_input": torch.ones(2, 1, 16, 16)},
            ShapeError,
            r"\(1, 1, 16, 16\)",
        ),
    ],
)
def test_bad_tensors_are_named(ready, prompts, error, message):
    with pytest.raises(error, match=message):
        ready.predicttorch(**{"point_coords": None, "point_labels": None, **prompts})


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        ("dog.jpg", DataError, "is a str, must be a NumPy array"),
        (np.zeros((4, 5), np.uint8), ShapeError, r"is \(4, 5\), must be \(H, W, 3\)"),
        (np.zeros((4, 5, 4), np.uint8), ShapeError, "no transparency"),
        (np.zeros((0, 5, 3), np.uint8), ShapeError, r"\(0, 5, 3\)"),
        (np.zeros((4, 5, 3)), DataError, "holds float64, must be uint8"),
    ],
)
def test_bad_pictures_are_named(image, error, message):
    with pytest.raises(error, match=message):
        SAMPredictor(CFG, device="cpu").setimage(image)
    with pytest.raises(error, match=message):
        generator().generate(image)


@pytest.mark.parametrize("shape", [(3, 48, 64), (1, 3, 48, 48), (1, 1, 48, 64), (1, 3, 48, 65)])
def test_bad_image_tensors_are_named(shape):
    with pytest.raises(ShapeError, match=r"transformed_image: .*longer side is 64"):
        SAMPredictor(CFG, device="cpu").settorchimage(torch.zeros(shape), (48, 64))


def test_answers_need_a_picture(ready):
    ready.resetimage()
    for call in (
        lambda: ready.predict(POINT, LABEL),
        lambda: ready.predicttorch(torch.ones(1, 1, 2), torch.ones(1, 1)),
        ready.getimageembedding,
    ):
        with pytest.raises(ConfigError, match=r"no picture is set; call setimage\(image\) first"):
            call()
    with pytest.raises(ConfigError, match="image_format: is 'BGRA', must be 'RGB' or 'BGR'"):
        ready.setimage(picture(), image_format="BGRA")


def test_a_failed_picture_leaves_the_one_before(ready):
    before = ready.getimageembedding()
    with pytest.raises(DataError):
        ready.setimage(picture().astype(float))
    assert ready.getimageembedding() is before


# ---------------------------------------------------------------- answers
def test_a_box_may_have_a_leading_one_and_integers(ready):
    one, other = (ready.predict(box=box)[2] for box in (np.array([5, 6, 30, 40]), np.array([[5.0, 6, 30, 40]])))
    np.testing.assert_array_equal(one, other)


def test_coordinates_follow_the_resizing():
    """A point in a large picture is the same as its place in the resized one."""
    large, made = SAMPredictor(CFG, device="cpu"), []
    image = np.array(Image.fromarray(picture(24, 32)).resize((128, 96)))
    large.setimage(image)
    made.append(large.predict(np.array([[40, 20]]), LABEL)[2])
    coords = large.transform.applycoordstorch(torch.tensor([[[40.0, 20.0]]]), image.shape[:2])
    assert coords.tolist() == [[[20, 10]]]
    made.append(large.predicttorch(coords, torch.ones(1, 1))[2][0].numpy())
    np.testing.assert_array_equal(*made)


def test_a_mask_goes_on_from_an_earlier_answer(ready):
    _, qualities, low_res = ready.predict(POINT, LABEL)
    best = low_res[qualities.argmax()][None]
    with_mask = ready.predict(POINT, LABEL, mask_input=best, multimask_output=False)[2]
    assert not np.array_equal(with_mask, ready.predict(POINT, LABEL, multimask_output=False)[2])


def test_no_prompt_is_an_answer_too(ready):
    assert ready.predict()[0].shape == (3, 48, 64)


def test_pictures_of_inference_must_fit():
    record = {"image": torch.zeros(3, 65, 10), "original_size": (65, 10)}
    with pytest.raises(ShapeError, match=r"neither side above 64. ResizeLongestSide\(64\) resizes it"):
        BuildSegmentor({"type": "SAM", **CFG}, "TEST").inference([record])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda r: r.pop("original_size"), ConfigError, r"batched_input\[1\]: 'original_size' is missing"),
        (lambda r: r.update(box=1), ConfigError, r"batched_input\[1\]\['box'\]: is not known. Did you mean 'boxes'"),
        (lambda r: r.update(boxes=torch.ones(4)), ShapeError, r"batched_input\[1\]: boxes: is \(4,\)"),
        (lambda r: r.pop("point_labels"), ShapeError, r"batched_input\[1\]: .* both are needed"),
        (lambda r: r.update(point_labels=torch.full((1, 1), 4)), DataError, r"holds \[4\], must be 1, 0, or -1"),
    ],
)
def test_bad_records_of_inference_are_named(change, error, message):
    model = BuildSegmentor({"type": "SAM", **CFG}, "TEST")
    prompts = {"point_coords": torch.ones(1, 1, 2), "point_labels": torch.ones(1, 1)}
    records = [{"image": torch.zeros(3, 8, 8), "original_size": (8, 8), **prompts} for _ in range(2)]
    change(records[1])
    with pytest.raises(error, match=message):
        model.inference(records)
    assert model.inference([]) == []


def test_edgesam_counts_its_masks():
    made = EdgeSAMPredictor(PROMPTABLE["EdgeSAM"], device="cpu")
    made.setimage(picture())
    assert [len(made.predict(POINT, LABEL, num_multimask_outputs=n)[0]) for n in (1, 3, 4)] == [1, 3, 4]
    with pytest.raises(ConfigError, match="num_multimask_outputs: is 2, must be 1, 3 or 4"):
        made.predict(POINT, LABEL, num_multimask_outputs=2)


def test_samhq_adds_its_mask_to_that_of_the_best():
    made = SAMHQPredictor(PROMPTABLE["SAMHQ"], device="cpu")
    made.setimage(picture())
    _, quality, both = made.predict(POINT, LABEL)
    _, _, alone = made.predict(POINT, LABEL, hq_token_only=True)
    decoder, prompts = made.model.mask_decoder, made.model.prompt_encoder
    sparse, dense = prompts((torch.tensor([[[20.0, 10.0]]]), torch.ones(1, 1)), None, None)
    learnt = torch.cat([decoder.learnt_tokens(), decoder.hf_token.weight])
    with torch.no_grad():
        tokens, image = decoder.attend(learnt, made.encoded[0], prompts.getdensepe(), sparse, dense)
        coarse = decoder.masks_of(tokens[:, 1:5], decoder.output_upscaling(image))[0]
        qualities = decoder.iou_prediction_head(tokens[:, 0])[0]
    best = 1 + qualities[1:].argmax()
    np.testing.assert_allclose((both - alone)[0], coarse[best], atol=1e-5)
    assert quality == pytest.approx([qualities[best].item()])


# ---------------------------------------------------------------- cfgs and weights
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda cfg: cfg.pop("prompt"), r"SEGMENTOR_CFG\['prompt'\]: not set; SAM needs it"),
        (lambda cfg: cfg["prompt"].update(embed_dim=8), r"\['prompt'\]\['embed_dim'\]: is 8, must be 16"),
        (lambda cfg: cfg["head"].update(transformer_dim=8), r"\['head'\]\['transformer_dim'\]: is 8, must be 16"),
        (lambda cfg: cfg["head"]["transformer_cfg"].update(dept=2), r"\['transformer_cfg'\]\['dept'\].*'depth'"),
        (
            lambda cfg: cfg.update(backbone={"type": "CGNet", "structure_type": "x"}),
            "CGNet is no image encoder of SAM; take SAMViT",
        ),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    cfg = copy.deepcopy(CFG)
    change(cfg)
    with pytest.raises(ConfigError, match=message):
        SAM(cfg, "TEST")


def test_grids_that_do_not_fit_are_named(ready):
    cfg = copy.deepcopy(CFG)
    cfg["prompt"]["image_embedding_size"] = (8, 8)
    made = SAMPredictor(cfg, device="cpu")
    made.setimage(picture())
    with pytest.raises(
        ShapeError, match=r"\(4, 4\) \(h, w\), but that of the prompts is \(8, 8\).*image_embedding_size"
    ):
        made.predict(POINT, LABEL)


@pytest.mark.parametrize(("backbone", "message"), [("EdgeSAMRepViT", "has no early map"), ("SAMViT", "must be 16")])
def test_samhq_needs_an_early_map(backbone, message):
    cfg = copy.deepcopy(PROMPTABLE["SAMHQ" if backbone == "SAMViT" else "EdgeSAM"])
    cfg["head"]["vit_dim"] = 8
    with pytest.raises(ConfigError, match=message):
        SAMHQ(cfg, "TEST")


def test_exactly_one_model_is_asked_for():
    for given in (
        {},
        {"sam_cfg": CFG, "use_default_sam_b": True},
        {"use_default_sam_b": True, "use_default_sam_h": True},
    ):
        with pytest.raises(ConfigError, match="give one of sam_cfg, use_default_sam_h=True"):
            SAMPredictor(**given, device="cpu")
    with pytest.raises(ConfigError, match=r"'use_default_sam_x'.*Did you mean 'use_default_sam_"):
        SAMAutomaticMaskGenerator(use_default_sam_x=True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_named():
    with pytest.raises(ResourceError, match=r"device='cuda': .* finds no GPU to use. Try device='cpu'"):
        SAMPredictor(CFG, device="cuda")
    assert SAMPredictor(CFG).device == torch.device("cpu")


def test_weights_are_read_from_a_file(tmp_path):
    source = SAM(CFG, "TEST")
    torch.save(source.state_dict(), tmp_path / "sam.pth")
    made = SAMPredictor({**CFG, "ckptpath": str(tmp_path / "sam.pth")}, device="cpu").model
    assert all(torch.equal(value, made.state_dict()[key]) for key, value in source.state_dict().items())
    with pytest.raises(CheckpointError, match=r"none\.pth"):
        SAMPredictor({**CFG, "ckptpath": str(tmp_path / "none.pth")}, device="cpu")


def test_weights_must_fit_unless_told_otherwise(tmp_path, caplog):
    state = SAM(CFG, "TEST").state_dict()
    kept = state.pop("mask_decoder.iou_token.weight")
    torch.save({"model": {**state, "head.weight": kept}}, tmp_path / "sam.pth")
    cfg = {**CFG, "ckptpath": str(tmp_path / "sam.pth")}
    with pytest.raises(CheckpointError, match="iou_token"):
        SAMPredictor(cfg, device="cpu")
    with caplog.at_level(logging.WARNING):
        SAMPredictor(cfg, device="cpu", load_ckpt_strict=False)
    assert "no weights for mask_decoder.iou_token.weight, which keep their initial values" in caplog.text
    torch.save({"head.weight": kept}, tmp_path / "sam.pth")
    with pytest.raises(CheckpointError, match="nothing in it fits this SAM"):
        SAMPredictor(cfg, device="cpu", load_ckpt_strict=False)


@pytest.fixture
def published(monkeypatch, tmp_path):
    """A server on this machine in place of Meta's, with a small model in place of the published one."""
    source = SAM(CFG, "TEST")
    torch.save(source.state_dict(), tmp_path / "sam.pth")
    data = (tmp_path / "sam.pth").read_bytes()
    name = "sam_vit_b_01ec64.pth"
    with running_server() as server:
        server.files[name] = data

        def fetch(address):
            assert address == SAM_CFGS["use_default_sam_b"]()["ckptpath"]
            return download(f"{server.url}/{name}", tmp_path / "cache", allow_local=True)

        address = SAM_CFGS["use_default_sam_b"]()["ckptpath"]
        monkeypatch.setattr(building, "download", fetch)
        monkeypatch.setattr(
            predictor, "SAM_CFGS", {"use_default_sam_b": lambda: {**copy.deepcopy(CFG), "ckptpath": address}}
        )
        monkeypatch.setitem(building.DIGESTS, name, hashlib.sha256(data).hexdigest())
        yield source, server


def test_published_weights_are_fetched_once(published):
    source, server = published
    for _ in range(2):
        made = SAMPredictor(use_default_sam_b=True, device="cpu").model
        assert all(torch.equal(value, made.state_dict()[key]) for key, value in source.state_dict().items())
    assert len(server.asked) == 1
    assert SAMAutomaticMaskGenerator(use_default_sam_b=True, device="cpu").predictor.device.type == "cpu"


def test_other_files_than_the_published_ones_are_refused(published, monkeypatch):
    monkeypatch.setitem(building.DIGESTS, "sam_vit_b_01ec64.pth", "0" * 64)
    with pytest.raises(CheckpointError, match="is another file than expected"):
        SAMPredictor(use_default_sam_b=True, device="cpu")


@pytest.mark.parametrize(
    ("kind", "cfgs"),
    [("SAM", SAM_CFGS), ("MobileSAM", MOBILESAM_CFGS), ("SAMHQ", SAMHQ_CFGS), ("EdgeSAM", EDGESAM_CFGS)],
)
def test_published_models_can_be_built(kind, cfgs):
    for make in cfgs.values():
        cfg = make()
        assert cfg.pop("ckptpath").startswith("https://")
        with torch.device("meta"):
            model = BuildSegmentor({"type": kind, **cfg}, "TEST")
        assert model.img_size == 1024
        assert model.prompt_encoder.mask_input_size == (256, 256)
        assert cfg == {key: value for key, value in make().items() if key != "ckptpath"}


def test_the_twins_need_a_model_too():
    for kind in (MobileSAMPredictor, EdgeSAMPredictor):
        with pytest.raises(ConfigError, match="nothing is given"):
            kind(device="cpu")
    assert EdgeSAM(PROMPTABLE["EdgeSAM"], "TEST").stability_score_offset == 1.0


# ---------------------------------------------------------------- masks of everything
def test_batches_and_parts_of_masks_change_nothing(monkeypatch):
    model = SAMPredictor(CFG, device="cpu")
    found = []
    for batch, most in ((64, 1 << 25), (2, 1)):
        monkeypatch.setattr(generator_module, "MAX_LOGITS", most)
        made = SAMAutomaticMaskGenerator(
            points_per_side=3,
            points_per_batch=batch,
            pred_iou_thresh=0.0,
            stability_score_thresh=0.0,
            box_nms_thresh=1.0,
            user_defined_sam_predictor=model,
        )
        found.append(made.generate(picture()))
    assert len(found[0]) == len(found[1]) == 27
    for one, other in zip(*found, strict=True):
        assert one["point_coords"] == other["point_coords"]
        assert one["predicted_iou"] == pytest.approx(other["predicted_iou"], abs=1e-5)
        assert (one["segmentation"] != other["segmentation"]).mean() < 0.01


def test_few_masks_are_enlarged_at_once(monkeypatch):
    monkeypatch.setattr(generator_module, "MAX_LOGITS", 5 * 64 * 64)
    made, sizes = generator(points_per_side=4), []
    enlarge = made.enlarge
    monkeypatch.setattr(made, "enlarge", lambda low_res: [sizes.append(len(low_res)), enlarge(low_res)][1])
    made.generate(picture())
    assert sum(sizes) == 3 * 16
    assert max(sizes) == 5


def test_crops_report_their_progress_and_stay_inside():
    made = generator(crop_n_layers=1, crop_n_points_downscale_factor=2, points_per_side=4, points_per_batch=9)
    calls = []
    found = made.generate(picture(40, 60), progress=lambda done, total: calls.append((done, total)))
    assert [done for done, _ in calls] == [9, 16, 20, 24, 28, 32]
    assert {total for _, total in calls} == {32}
    for one in found:
        x, y, w, h = one["crop_box"]
        outside = one["segmentation"].copy()
        outside[y : y + h, x : x + w] = False
        assert not outside.any()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 50)])
def test_pictures_of_a_few_pixels(size):
    for one in generator(crop_n_layers=2).generate(picture(*size)):
        assert one["segmentation"].shape == size


def test_output_modes_hold_the_same_masks():
    torch.manual_seed(0)
    model = SAMPredictor(CFG, device="cpu")
    options = {"points_per_side": 2, "pred_iou_thresh": 0.0, "stability_score_thresh": 0.0}
    binary, runs, coco = (
        SAMAutomaticMaskGenerator(**options, output_mode=mode, user_defined_sam_predictor=model).generate(picture())
        for mode in ("binary_mask", "uncompressed_rle", "coco_rle")
    )
    for one, other, third in zip(binary, runs, coco, strict=True):
        np.testing.assert_array_equal(mask_of_rle(other["segmentation"]), one["segmentation"])
        assert third["segmentation"]["size"] == [48, 64]
        assert isinstance(third["segmentation"]["counts"], str)


def test_thresholds_leave_out_masks():
    assert generator(pred_iou_thresh=1e9).generate(picture()) == []
    assert generator(stability_score_thresh=1.1).generate(picture()) == []
    assert generator(stability_score_thresh=1.1, min_mask_region_area=10).generate(picture()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output_mode": "binary"}, "output_mode: is 'binary', .*Did you mean 'binary_mask'"),
        ({"points_per_batch": 0}, "points_per_batch: is 0"),
        ({"points_per_side": None}, "points_per_side and point_grids: give one of them"),
        ({"point_grids": [np.zeros((1, 2))]}, "give one of them, and None for the other"),
        ({"points_per_side": None, "point_grids": [np.zeros((3, 2))], "crop_n_layers": 1}, "holds 1 .* must hold 2"),
        ({"points_per_side": None, "point_grids": [np.zeros(2)]}, r"shapes \(2,\)"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ConfigError, match=message):
        generator(**options)


def test_own_grids_are_taken():
    made = generator(points_per_side=None, point_grids=[np.array([[0.25, 0.5]])], box_nms_thresh=1.0)
    assert {tuple(one["point_coords"][0]) for one in made.generate(picture())} == {(16.0, 24.0)}


def test_an_own_predictor_has_its_model():
    with pytest.raises(ConfigError, match="user_defined_sam_predictor has its model already"):
        SAMAutomaticMaskGenerator(user_defined_sam_predictor=SAMPredictor(CFG, device="cpu"), sam_cfg=CFG)


# ---------------------------------------------------------------- sizes
@pytest.mark.parametrize(
    ("size", "expected"), [((50, 100), (32, 64)), ((3, 2), (64, 43)), ((1, 1000), (1, 64)), ((64, 64), (64, 64))]
)
def test_the_longer_side_has_the_length(size, expected):
    transform = ResizeLongestSide(64)
    assert transform.getpreprocessshape(*size, 64) == expected
    assert transform.applyimage(picture(*size)).shape == (*expected, 3)
    assert transform.applyimagetorch(torch.zeros(1, 3, *size)).shape == (1, 3, *expected)


def test_points_and_boxes_follow():
    transform, size = ResizeLongestSide(64), (50, 100)
    np.testing.assert_allclose(transform.applycoords(np.array([[100, 50]]), size), [[64, 32]])
    np.testing.assert_allclose(transform.applyboxes(np.array([0, 0, 50, 25]), size), [[0, 0, 32, 16]])
    boxes = torch.tensor([[0, 0, 50, 25], [10, 10, 20, 20]])
    torch.testing.assert_close(
        transform.applyboxestorch(boxes, size), torch.tensor([[0, 0, 32.0, 16], [6.4, 6.4, 12.8, 12.8]])
    )


def test_tensors_are_resized_like_pictures():
    image = np.array(Image.fromarray(picture(9, 12)).resize((120, 90)))
    transform = ResizeLongestSide(64)
    made = transform.applyimagetorch(torch.from_numpy(image).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    assert np.abs(made.numpy() - transform.applyimage(image)).max() < 1
