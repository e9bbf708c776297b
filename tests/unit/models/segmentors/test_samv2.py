"""SAM 2 in pictures."""

import copy
import gzip
import hashlib
import json

import numpy as np
import pytest
import torch
from PIL import Image

from ssseg.modules import BuildSegmentor, SegmentorBuilder
from ssseg.modules.models.segmentors import samv2 as package
from ssseg.modules.models.segmentors.sam import building
from ssseg.modules.models.segmentors.samv2 import (
    SAMV2,
    SAMV2AutomaticMaskGenerator,
    SAMV2ImagePredictor,
    SAMV2VideoPredictor,
)
from ssseg.modules.models.segmentors.samv2.published import SAMV2_CFGS
from ssseg.modules.models.segmentors.samv2.transforms import SAMV2Transforms
from ssseg.modules.utils import CheckpointError, ConfigError, DataError, ResourceError, ShapeError
from ssseg.modules.utils.download import download
from tests.contracts.small_cfgs import RESNET
from tests.contracts.small_cfgs import SAMV2 as SMALL
from tests.fileserver import running_server
from tests.golden.fill import fill
from tests.golden.test_samv2 import DATA

IMAGE = np.random.default_rng(2).integers(0, 256, (40, 60, 3), dtype=np.uint8)
POINT, LABEL = np.array([[20, 10]]), np.array([1])
TOOLS = [SAMV2ImagePredictor, SAMV2AutomaticMaskGenerator, SAMV2VideoPredictor]


def predictor_of(image_size=64, **options):
    cfg = copy.deepcopy(SMALL)
    cfg["head"]["image_size"] = image_size
    predictor = SAMV2ImagePredictor(samv2_cfg=cfg, device="cpu", **options)
    fill(predictor.model)
    return predictor


@pytest.fixture(scope="module")
def shared():
    return predictor_of()


@pytest.fixture
def predictor(shared):
    shared.setimage(IMAGE)
    return shared


def near(made, expected, share=1e-5):
    made, expected = torch.as_tensor(made).float(), torch.as_tensor(expected).float()
    torch.testing.assert_close(made, expected, rtol=0, atol=share * expected.abs().max().item())


@pytest.mark.parametrize("side", [32, 64, 80, 144])
@pytest.mark.parametrize("size", [(40, 60), (7, 90)])
def test_any_size_of_the_input_and_of_the_picture(side, size):
    predictor = predictor_of(side)
    predictor.setimage(np.resize(IMAGE, (*size, 3)))
    masks, qualities, low_res = predictor.predict(POINT, LABEL)
    assert (masks.shape, masks.dtype) == ((3, *size), bool)
    assert (qualities.shape, qualities.dtype) == ((3,), np.float32)
    assert low_res.shape == (3, side // 4, side // 4)
    assert np.isfinite(low_res).all()


def test_logits_are_above_the_threshold_on_masks():
    predictor = predictor_of(mask_threshold=0.3)
    predictor.setimage(IMAGE)
    masks, logits = predictor.predict(POINT, LABEL)[0], predictor.predict(POINT, LABEL, return_logits=True)[0]
    np.testing.assert_array_equal(masks, logits > 0.3)
    assert 0 < masks.mean() < 1


def test_pillow_and_arrays_are_the_same_picture(predictor):
    expected = predictor.getimageembedding()
    predictor.setimage(Image.fromarray(IMAGE))
    assert torch.equal(predictor.getimageembedding(), expected)


def test_several_objects_at_once_equal_one_by_one(predictor):
    points, labels = np.array([[[20, 10]], [[40, 30]]]), np.ones((2, 1))
    boxes = np.array([[5, 5, 30, 20], [30, 10, 50, 35]])
    together = predictor.predict(points, labels, box=boxes, return_logits=True)
    assert together[0].shape == (2, 3, 40, 60)
    for i in range(2):
        alone = predictor.predict(points[i], labels[i], box=boxes[i], return_logits=True)
        for one, other in zip(alone, together, strict=True):
            near(other[i], one)


def test_pictures_of_a_batch_equal_single_ones(predictor):
    other = IMAGE[:, ::-1][:30].copy()
    predictor.setimagebatch([IMAGE, Image.fromarray(other)])
    logits, qualities, low_res = predictor.predictbatch([POINT] * 2, [LABEL] * 2, return_logits=True)
    assert [x.shape for x in logits] == [(3, 40, 60), (3, 30, 60)]
    predictor.setimage(other)
    alone = predictor.predict(POINT, LABEL, return_logits=True)
    for made, expected in zip((logits[1], qualities[1], low_res[1]), alone, strict=True):
        near(made, expected)


def test_a_box_equals_its_corners_as_points(predictor):
    x0, y0, x1, y1 = 5, 6, 30, 20
    box = predictor.predict(box=np.array([x0, y0, x1, y1]), return_logits=True)
    corners = predictor.predict(np.array([[x0, y0], [x1, y1]]), np.array([2, 3]), return_logits=True)
    np.testing.assert_array_equal(box[0], corners[0])


def test_only_a_mask(predictor):
    low_res = predictor.predict(POINT, LABEL)[2]
    masks, _, _ = predictor.predict(mask_input=low_res[:1], multimask_output=False)
    assert masks.shape == (1, 40, 60)


def test_a_single_mask_that_is_not_stable_is_replaced(predictor, monkeypatch):
    plain = predictor_of(apply_postprocessing=False)
    plain.setimage(IMAGE)
    assert (plain.transforms.max_hole_area, plain.model.sam_mask_decoder.dynamic_multimask) == (0, False)
    several, qualities, _ = plain.predict(POINT, LABEL, return_logits=True)
    single = plain.predict(POINT, LABEL, multimask_output=False, return_logits=True)[0]
    decoder = predictor.model.sam_mask_decoder
    monkeypatch.setattr(decoder, "stable_above", 1.1)  # no mask is
    made = predictor.predict(POINT, LABEL, multimask_output=False, return_logits=True)
    near(made[0][0], several[qualities.argmax()])
    assert made[1] == pytest.approx(qualities.max())
    monkeypatch.setattr(decoder, "stable_above", -1.0)  # every mask is
    near(predictor.predict(POINT, LABEL, multimask_output=False, return_logits=True)[0], single)


@pytest.mark.parametrize("areas", [(30, 0), (0, 30), (30, 30)])
def test_holes_and_sprinkles(predictor, monkeypatch, areas):
    hole, sprinkle = areas
    before = predictor.predict(POINT, LABEL, return_logits=True)[0]
    monkeypatch.setattr(predictor.transforms, "max_hole_area", hole)
    monkeypatch.setattr(predictor.transforms, "max_sprinkle_area", sprinkle)
    made = predictor.predict(POINT, LABEL, return_logits=True)[0]
    assert (made > before + 1).any() == (hole > 0)
    assert (made < before - 1).any() == (sprinkle > 0)


def test_pictures_are_normalized():
    transforms = SAMV2Transforms(8)
    image = np.full((4, 6, 3), 255, np.uint8)
    expected = torch.tensor([(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225])
    torch.testing.assert_close(transforms(image), expected[:, None, None].expand(3, 8, 8))
    points = torch.tensor([[3.0, 2.0]])
    assert transforms.coords(points, (4, 6)).tolist() == [[4, 4]]
    assert transforms.coords(points / 8, (4, 6), normalize=False).tolist() == [[3, 2]]


def test_bfloat16(predictor):
    expected = predictor.predict(POINT, LABEL)[1]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        predictor.setimage(IMAGE)
        masks, qualities, low_res = predictor.predict(POINT, LABEL)
    assert masks.shape == (3, 40, 60)
    assert qualities == pytest.approx(expected, abs=0.05)
    assert low_res.dtype == np.float32


class TestBadInput:
    @pytest.mark.parametrize(
        ("prompts", "error", "message"),
        [
            ({"point_coords": POINT}, ShapeError, "point_labels: not given, but point_coords is"),
            ({"point_labels": LABEL}, ShapeError, "point_coords: not given, but point_labels is"),
            (
                {"point_coords": POINT, "point_labels": [1, 0]},
                ShapeError,
                r"point_labels: is \(1, 2\), must be \(1, 1\)",
            ),
            ({"point_coords": POINT, "point_labels": [9]}, DataError, r"point_labels: holds 9, must be of 1 \(on the"),
            ({"point_coords": np.zeros((0, 2)), "point_labels": []}, ShapeError, "point_coords: is"),
            ({"point_coords": POINT * np.inf, "point_labels": LABEL}, DataError, "not finite"),
            ({"box": [1, 2, 3]}, ShapeError, r"box: is \(1, 3\), must be \(4,\) or \(B, 4\)"),
            ({"box": [9, 2, 3, 8]}, DataError, "box: .* is empty"),
            ({"mask_input": np.zeros((1, 4, 4))}, ShapeError, r"mask_input: is \(1, 1, 4, 4\), must be \(1, 16, 16\)"),
            (
                {"point_coords": POINT, "point_labels": LABEL, "box": [[1, 1, 5, 5]] * 2},
                ShapeError,
                "point_coords of 1, box of 2",
            ),
        ],
    )
    def test_prompts(self, predictor, prompts, error, message):
        with pytest.raises(error, match=message):
            predictor.predict(**prompts)

    @pytest.mark.parametrize(
        ("image", "error"),
        [(IMAGE[..., 0], ShapeError), (IMAGE / 255, DataError), ("x.jpg", DataError), (IMAGE[..., :2], ShapeError)],
    )
    def test_pictures(self, predictor, image, error):
        with pytest.raises(error, match="image: "):
            predictor.setimage(image)

    def test_no_picture(self, predictor):
        predictor.resetpredictor()
        for call in (predictor.predict, predictor.predictbatch, predictor.getimageembedding):
            with pytest.raises(ConfigError, match=r"no picture is set; call setimage\(image\) first"):
                call()
        with pytest.raises(DataError, match="image_list: holds no pictures"):
            predictor.setimagebatch([])

    def test_batches_of_another_size(self, predictor):
        with pytest.raises(ShapeError, match="box_batch: holds prompts for 2 pictures, but 1 are set"):
            predictor.predictbatch(box_batch=[np.array([1, 1, 5, 5])] * 2)

    @pytest.mark.parametrize("mode", ["TRAIN", "TRAIN_DEVELOP"])
    def test_training(self, mode):
        with pytest.raises(ConfigError, match="SAMV2 predicts from prompts and has no training; its mode is 'TEST'"):
            BuildSegmentor({"type": "SAMV2", **SMALL}, mode)

    def test_scores_of_classes(self):
        with pytest.raises(ConfigError, match="Use SAMV2ImagePredictor"):
            BuildSegmentor({"type": "SAMV2", **SMALL}, "TEST")(torch.zeros(1, 3, 64, 64))

    @pytest.mark.parametrize(
        ("place", "value", "message"),
        [
            (("head", "num_maskmen"), 3, r"\['head'\]\['num_maskmen'\].*Did you mean 'num_maskmem'"),
            (("head", "memory_encoder_cfg", "out_dims"), 3, r"\['memory_encoder_cfg'\]\['out_dims'\]"),
            (("head", "sam_mask_decoder_extra_args"), {"dynamic": 1}, r"\['sam_mask_decoder_extra_args'\]"),
            (("head", "directly_add_no_mem_embed"), False, r"\['out_dim'\]: is 8, .* be equal to it"),
            (
                ("backbone",),
                RESNET,
                r"\['backbone'\]\['type'\]: ResNet is no image encoder of SAMV2; take HieraWithFPN",
            ),
            (("head", "memory_attention_cfg", "d_model"), 8, r"\['d_model'\]: is 8, must be the width .* maps, 16"),
            (("backbone",), None, r"SEGMENTOR_CFG\['backbone'\]: not set; SAMV2 needs it"),
            (("head",), None, r"SEGMENTOR_CFG\['head'\]: not set; SAMV2 needs it"),
        ],
    )
    def test_cfgs(self, place, value, message):
        cfg = copy.deepcopy(SMALL)
        *above, name = place
        section = cfg
        for step in above:
            section = section[step]
        section[name] = value
        with pytest.raises(ConfigError, match=message):
            SAMV2ImagePredictor(samv2_cfg=cfg, device="cpu")


def generator_of(**options):
    made = SAMV2AutomaticMaskGenerator(
        points_per_side=3,
        pred_iou_thresh=0.0,
        stability_score_thresh=0.0,
        samv2_cfg=copy.deepcopy(SMALL),
        device="cpu",
        **options,
    )
    fill(made.predictor.model)
    return made


def test_everything_in_a_picture():
    generator, calls = generator_of(points_per_batch=4), []
    found = generator.generate(IMAGE, progress=lambda *counts: calls.append(counts))
    assert calls == [(4, 9), (8, 9), (9, 9)]
    assert found
    assert all(one["segmentation"].shape == (40, 60) for one in found)
    assert [one["area"] for one in found] == [one["segmentation"].sum() for one in found]
    again = generator.generate(Image.fromarray(IMAGE))
    assert [one["area"] for one in again] == [one["area"] for one in found]


def test_masks_are_refined_one_by_one_or_many_at_once():
    areas = [
        [one["area"] for one in generator_of(use_m2m=True, points_per_batch=count).generate(IMAGE)] for count in (2, 64)
    ]
    assert areas[0] == areas[1]
    assert areas[0] != [one["area"] for one in generator_of().generate(IMAGE)]


def test_small_regions_are_taken_out_of_masks():
    generator = generator_of(min_mask_region_area=4, mask_threshold=0.1)
    transforms = generator.predictor.transforms
    assert (transforms.max_hole_area, transforms.max_sprinkle_area, transforms.mask_threshold) == (4, 4, 0.1)
    assert generator.generate(IMAGE)


@pytest.fixture
def published(monkeypatch, tmp_path):
    """A server on this machine that has a small model's weights under the published name."""
    model = BuildSegmentor({"type": "SAMV2", **SMALL}, "TEST")
    torch.save({"model": model.state_dict()}, tmp_path / "weights.pt")
    address = SAMV2_CFGS["use_default_samv2_t"]()["ckptpath"]
    monkeypatch.setitem(SAMV2_CFGS, "use_default_samv2_t", lambda: {**copy.deepcopy(SMALL), "ckptpath": address})
    with running_server() as server:
        server.files["sam2_hiera_tiny.pt"] = (tmp_path / "weights.pt").read_bytes()

        def local(url):
            assert url == address
            return download(f"{server.url}/{url.rsplit('/', 1)[1]}", tmp_path / "fetched", allow_local=True)

        monkeypatch.setattr(building, "download", local)
        monkeypatch.setitem(
            building.DIGESTS, "sam2_hiera_tiny.pt", hashlib.sha256(server.files["sam2_hiera_tiny.pt"]).hexdigest()
        )
        yield model, server


@pytest.mark.parametrize("make", TOOLS)
def test_a_published_model_is_fetched_once(published, make):
    model, server = published
    made = [make(use_default_samv2_t=True, device="cpu") for _ in range(2)]
    assert server.asked == [("sam2_hiera_tiny.pt", 0)]
    state = getattr(made[1], "predictor", made[1]).model.state_dict()
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())


@pytest.mark.usefixtures("published")
def test_another_file_than_the_published_one_is_refused(monkeypatch):
    monkeypatch.setitem(building.DIGESTS, "sam2_hiera_tiny.pt", "65b50056e05bcb13")
    with pytest.raises(CheckpointError, match="65b50056e05bcb13"):
        SAMV2ImagePredictor(use_default_samv2_t=True, device="cpu")


@pytest.mark.usefixtures("published")
def test_weights_that_do_not_fit():
    cfg = SAMV2_CFGS["use_default_samv2_t"]()
    cfg["head"]["num_maskmem"] = 5
    with pytest.raises(CheckpointError, match="maskmem_tpos_enc"):
        SAMV2ImagePredictor(samv2_cfg=cfg, device="cpu")


def test_weights_from_a_file(published, tmp_path):
    model, server = published
    made = SAMV2ImagePredictor(samv2_cfg={**SMALL, "ckptpath": str(tmp_path / "weights.pt")}, device="cpu")
    assert torch.equal(made.model.no_obj_ptr, model.no_obj_ptr)
    assert server.asked == []


@pytest.mark.parametrize("make", [SAMV2ImagePredictor, SAMV2VideoPredictor])
@pytest.mark.parametrize("options", [{}, {"samv2_cfg": SMALL, "use_default_samv2_l": True}])
def test_exactly_one_model(make, options):
    with pytest.raises(ConfigError, match="give one of samv2_cfg, use_default_samv2_t=True"):
        make(device="cpu", **options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there():
    with pytest.raises(ResourceError, match="Try device='cpu'"):
        SAMV2ImagePredictor(samv2_cfg=SMALL, device="cuda")
    assert SAMV2ImagePredictor(samv2_cfg=SMALL).device.type == "cpu"


@pytest.mark.parametrize(("flag", "case"), [("t", "t"), ("bplus", "bplus"), ("l", "l")])
def test_published_models_have_the_published_entries(flag, case):
    cfg = SAMV2_CFGS[f"use_default_samv2_{flag}"]()
    folder, _, file = cfg.pop("ckptpath").rpartition("/")
    assert folder == "https://dl.fbaipublicfiles.com/segment_anything_2/072824"
    assert len(building.DIGESTS[file]) == 64
    with torch.device("meta"):
        model = BuildSegmentor({"type": "SAMV2", **cfg}, "TEST")
    recorded = json.loads(gzip.decompress((DATA / f"samv2_manifest_{case}.keys.json.gz").read_bytes()))
    assert [[key, list(value.shape)] for key, value in model.state_dict().items()] == [row[:2] for row in recorded]


def test_the_small_published_model_is_deeper_than_the_tiny_one():
    small, tiny = (SAMV2_CFGS[f"use_default_samv2_{size}"]() for size in "st")
    assert small["backbone"]["hiera_cfg"].pop("stages") == (1, 2, 11, 2)
    assert small["backbone"]["hiera_cfg"].pop("global_att_blocks") == (7, 10, 13)
    assert small["ckptpath"].endswith("sam2_hiera_small.pt")
    for key in ("stages", "global_att_blocks"):
        tiny["backbone"]["hiera_cfg"].pop(key)
    assert {**small, "ckptpath": ""} == {**tiny, "ckptpath": ""}


@pytest.mark.parametrize("make", TOOLS)
def test_cfgs_stay_as_they_are(make):
    before = copy.deepcopy(SMALL)
    make(samv2_cfg=SMALL, device="cpu")
    assert before == SMALL


def test_initial_values():
    model = BuildSegmentor({"type": "SAMV2", **SMALL}, "TEST")
    for name in ("maskmem_tpos_enc", "no_mem_embed", "no_mem_pos_enc", "no_obj_ptr"):
        assert 0.005 < getattr(model, name).std() < 0.04
    assert model.memory_encoder.fuser.layers[0].gamma.unique().tolist() == pytest.approx([1e-6])
    assert not model.image_encoder.trunk.pos_embed.any()


def test_names():
    assert SegmentorBuilder.REGISTERED_MODULES["SAMV2"] is SAMV2
    assert {"SAMV2", "SAMV2ImagePredictor", "SAMV2VideoPredictor", "SAMV2AutomaticMaskGenerator"} <= vars(
        package
    ).keys()
