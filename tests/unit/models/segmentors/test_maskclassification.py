import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ssseg.engine.labelling import label_images
from ssseg.modules import BuildSegmentor, SSSegInputStructure
from ssseg.modules.models.samplers import UGSampler
from ssseg.modules.models.segmentors.maskclassification import (
    DenseComparison,
    MaskPrediction,
    MatcherWeights,
    PointComparison,
    SetCriterion,
    read_targets,
)
from ssseg.modules.utils import ConfigError, DivergedError, LabelError
from tests.contracts.small_cfgs import small

NAMES = ["MaskFormer", "Mask2Former"]


def comparison(kind):
    return DenseComparison() if kind == "MaskFormer" else PointComparison(50, UGSampler(40, reformat_target=False))


def criterion(kind="MaskFormer", num_classes=4):
    return SetCriterion(num_classes, MatcherWeights(1.0, 2.0, 3.0), comparison(kind), ignore_index=-100)


def prediction(n=2, num_queries=6, num_classes=4):
    return MaskPrediction(
        torch.randn(n, num_queries, num_classes + 1, requires_grad=True),
        torch.randn(n, num_queries, 8, 10, requires_grad=True),
    )


def labels(n=2):
    result = torch.randint(0, 4, (n, 4, 5)).repeat_interleave(4, 1).repeat_interleave(4, 2)
    result[:, :3] = -100
    return result  # (n, 16, 20)


def gradients(made, target, kind="MaskFormer"):
    loss, log = criterion(kind)([made], target)
    return loss, log, torch.autograd.grad(loss, list(made))


def test_an_ignored_pixel_is_in_no_mask():
    target = torch.tensor([[[0, 2, 255], [2, 2, 255]], [[255, 255, 255], [255, 255, 255]]], dtype=torch.int16)
    first, second = read_targets(target, 3, 255)
    assert first.classes.tolist() == [0, 2]
    assert first.masks.tolist() == [
        [[True, False, False], [False, False, False]],
        [[False, True, False], [True, True, False]],
    ]
    assert second.masks.shape == (0, 2, 3)


def test_labels_outside_the_classes_are_named():
    with pytest.raises(LabelError, match=r"the labels 3, 255 are outside the 3 classes and not ignore_index=-100"):
        read_targets(torch.tensor([[[0, 3, 255, -100]]]), 3, -100)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", ["dataset", "train"])
def test_the_data_sets_ignore_index_is_ignored(name, place):
    cfg = small(name)
    cfg["dataset"] = (
        {"ignore_index": 255} if place == "dataset" else {"ignore_index": 9, "train": {"ignore_index": 255}}
    )
    images, target = torch.randn(2, 3, 48, 64), torch.randint(0, 4, (2, 48, 64))
    target[:, :20] = 255
    losses = []
    for each, ignored in ((cfg, 255), (small(name), -100)):
        torch.manual_seed(0)
        sample = SSSegInputStructure(images=images, seg_targets=target.where(target != 255, ignored))
        losses.append(BuildSegmentor(each, "TRAIN")(sample).loss.item())
    assert losses[0] == losses[1]


@pytest.mark.parametrize("kind", NAMES)
def test_what_matching_expects_is_what_the_pairs_cost(kind, monkeypatch):
    logits, masks, compare = torch.randn(3, 8, 10), torch.rand(3, 8, 10) < 0.4, comparison(kind)
    if kind == "Mask2Former":  # look at the same places for both
        points = torch.rand(1, 50, 2)
        monkeypatch.setattr(torch, "rand", lambda *shape, **_: points)
        monkeypatch.setattr(UGSampler, "uncertain_points", lambda self, x: points.expand(len(x), -1, -1))
    for each, expected in zip(compare.losses(logits, masks), compare.costs(logits, masks), strict=True):
        torch.testing.assert_close(each, expected.diagonal())


def test_dense_costs_against_loops():
    logits, masks = torch.randn(2, 4, 5), torch.rand(3, 8, 10) < 0.4
    per_place, overlap = DenseComparison().costs(logits, masks)
    reduced = masks[:, ::2, ::2].float()
    for i, x in enumerate(logits):
        for j, t in enumerate(reduced):
            p = x.sigmoid()
            right = torch.where(t > 0, p, 1 - p)
            alpha = torch.where(t > 0, 0.25, 0.75)
            assert per_place[i, j].item() == pytest.approx(
                (-alpha * (1 - right) ** 2 * right.log()).mean().item(), rel=1e-4
            )
            share = (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)
            assert overlap[i, j].item() == pytest.approx(1 - share.item(), rel=1e-4)


def test_predictions_in_any_order_cost_the_same():
    target, (classes, masks) = labels(), prediction()
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    loss, shuffled = (
        criterion()([MaskPrediction(*made)], target)[0]
        for made in ((classes, masks), (classes[:, order], masks[:, order]))
    )
    torch.testing.assert_close(shuffled, loss)


@pytest.mark.parametrize("kind", NAMES)
def test_the_target_itself_costs_nearly_nothing(kind):
    target = torch.tensor([[0, 0, 1, 1, 2, 2, 3, 3]]).repeat(1, 8, 1)
    masks = torch.full((1, 6, 8, 8), -50.0)
    classes = torch.zeros(1, 6, 5)
    classes[..., 4] = 50
    for label, query in enumerate([4, 0, 5, 2]):
        masks[0, query] = torch.where(target[0] == label, 50.0, -50.0)
        classes[0, query] = F.one_hot(torch.tensor(label), 5) * 50.0
    compare = DenseComparison() if kind == "MaskFormer" else PointComparison(2000, UGSampler(2000, 3, 0, False))
    perfect = SetCriterion(4, MatcherWeights(1.0, 1.0, 1.0), compare, ignore_index=-100)
    log = perfect([MaskPrediction(classes, masks)], target)[1]
    assert log["loss_ce"] < 1e-5
    if kind == "MaskFormer":  # between pixels interpolation blurs the edges
        assert log["loss_mask"] < 1e-5
        assert log["loss_dice"] < 1e-5


@pytest.mark.parametrize("kind", NAMES)
def test_an_image_without_labelled_pixels_teaches_nothing(kind):
    target, made = labels(3), prediction(3)
    target[1] = -100
    torch.manual_seed(0)
    loss, _, (classes, masks) = gradients(made, target, kind)
    assert classes[1].abs().max() == masks[1].abs().max() == 0
    assert classes[0].abs().max() > 0
    rest = MaskPrediction(*(x[[0, 2]] for x in made))
    torch.manual_seed(0)
    assert criterion(kind)([rest], target[[0, 2]])[0].item() == pytest.approx(loss.item(), rel=1e-6)


@pytest.mark.parametrize("kind", NAMES)
def test_nothing_but_ignored_pixels_costs_nothing(kind):
    loss, log, grads = gradients(prediction(), torch.full((2, 16, 20), -100), kind)
    assert loss == 0
    assert set(log) == {"loss_ce", "loss_mask", "loss_dice", "loss_total"}
    assert all(not grad.any() for grad in grads)


@pytest.mark.parametrize("kind", NAMES)
def test_more_masks_than_predictions(kind):
    loss, _, grads = gradients(prediction(num_queries=2), labels(), kind)
    assert loss.isfinite()
    assert all(grad.isfinite().all() for grad in grads)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_predictions_that_are_not_finite_end_the_run(wrong):
    made = prediction()
    with torch.no_grad():
        made.mask_logits[0, 2, 3, 4] = wrong
    with pytest.raises(DivergedError, match="costs of pairs are not finite"):
        criterion()([made], labels())


def test_points_are_drawn_in_the_documented_order(monkeypatch):
    drawn, rand = [], torch.rand
    monkeypatch.setattr(torch, "rand", lambda *shape, **options: drawn.append(shape) or rand(*shape, **options))
    target = labels(3)
    target[1] = -100
    count = sum(len(image.unique()) - 1 for image in target)
    criterion("Mask2Former")([prediction(3), prediction(3)], target)
    assert drawn == [(1, 50, 2), (1, 50, 2), (count, 120, 2), (count, 10, 2)] * 2


def test_a_seed_repeats_the_loss_and_another_does_not():
    made, target = prediction(), labels()

    def loss(seed):
        torch.manual_seed(seed)
        return criterion("Mask2Former")([made], target)[0].item()

    assert loss(1) == loss(1) != loss(2)


def test_layers_get_losses_of_their_own():
    made = [prediction(), prediction(), prediction()]
    loss, log = criterion()(made, labels())
    names = [f"loss_{term}{layer}" for layer in ("", "_0", "_1") for term in ("ce", "mask", "dice")]
    assert list(log) == [*names, "loss_total"]
    assert sum(log[name] for name in names).item() == pytest.approx(loss.item(), rel=1e-6)
    alone = criterion()([made[2]], labels())[1]
    assert alone.keys() < log.keys()


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_what_the_masks_show(name):
    segmentor = BuildSegmentor(small(name), "TEST")
    made = MaskPrediction(torch.randn(2, 45, 5), torch.randn(2, 45, 8, 10))
    masks = F.interpolate(made.mask_logits, (30, 41), mode="bilinear").sigmoid()
    expected = torch.einsum("nqk,nqhw->nkhw", made.class_logits.softmax(dim=2)[..., :4], masks)
    scores = segmentor.score(made, (30, 41))
    torch.testing.assert_close(scores, expected)
    torch.testing.assert_close(segmentor.probabilities(scores), expected / expected.sum(dim=1, keepdim=True))


@pytest.mark.parametrize("name", NAMES)
def test_label_maps_from_one_and_from_several_scales(name):
    cfg, images = small(name), torch.randn(1, 3, 48, 64)
    cfg["inference"]["tta"] = {"multiscale": [1, 1.5], "flip": True, "use_probs_before_resize": False}
    segmentor = BuildSegmentor(cfg, "TEST")
    scores = segmentor.inference(images)
    assert torch.equal(label_images(segmentor, images, (48, 64)), scores.argmax(dim=1).to(torch.int16))
    several = [
        segmentor.probabilities(F.interpolate(scores, (48, 64), mode="bilinear"))
        for scores in segmentor.auginference(images)
    ]
    expected = sum(several).argmax(dim=1)
    assert torch.equal(label_images(segmentor, images, (48, 64), augmented=True), expected.to(torch.int16))


def test_an_auxiliary_head_is_kept_but_not_trained():
    cfg = small("MaskFormer")
    cfg["auxiliary"] = {"in_channels": 32, "out_channels": 8, "dropout": 0.0}
    segmentor = BuildSegmentor(cfg, "TRAIN")
    names = [name for name in segmentor.state_dict() if name.startswith("auxiliary_decoder")]
    assert names == list(segmentor.state_dict())[-len(names) :]
    assert not any(p.requires_grad for p in segmentor.auxiliary_decoder.parameters())
    sample = SSSegInputStructure(images=torch.randn(2, 3, 48, 64), seg_targets=torch.randint(0, 4, (2, 48, 64)))
    segmentor(sample).loss.backward()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("MaskFormer", {"matcher": {"cost_clas": 1.0}}, r"\['matcher'\]\['cost_clas'\].*Did you mean 'cost_class'"),
        (
            "MaskFormer",
            {"predictor": {"in_channels": 7}},
            r"\['predictor'\]\['in_channels'\]: is 7, must be 64 or None",
        ),
        (
            "MaskFormer",
            {"predictor": {"nheads": 3}},
            r"\['predictor'\]\['hidden_dim'\]: is 16, must be a multiple of 3",
        ),
        ("MaskFormer", {"predictor": {"mask_classification": False}}, r"\['mask_classification'\]: is False"),
        ("Mask2Former", {"predictor": {"mask_dim": 7}}, r"\['predictor'\]\['mask_dim'\]: is 7, must be 8"),
        ("Mask2Former", {"pixel_decoder": {"conv_dim": 40}}, r"\['conv_dim'\]: is 40, must be a multiple of 32"),
        ("Mask2Former", {"criterion": {"losses": ["labels"]}}, r"\['criterion'\]\['losses'\]: is \['labels'\]"),
        (
            "Mask2Former",
            {"criterion": {"pixelsampler_cfg": {"type": "UGSampler", "points": 8}}},
            r"\['criterion'\]\['pixelsampler_cfg'\]\['points'\].*Did you mean 'num_points'",
        ),
        (
            "Mask2Former",
            {"pixel_decoder": {"transformer_in_features": ["res4", "res6"]}},
            r"\['transformer_in_features'\]: there is no map 'res6'",
        ),
        (
            "Mask2Former",
            {"pixel_decoder": {"common_stride": 16}},
            r"\['common_stride'\]: is 16, which makes -1 maps finer",
        ),
        (
            "Mask2Former",
            {"pixel_decoder": {"input_shape": {"in_channels": [8, 16, 32, 65], "strides": [4, 8, 16, 32]}}},
            r"\['in_channels'\]: is \[8, 16, 32, 65\], but must be 8, 16, 32, 64",
        ),
    ],
)
def test_fields_that_do_not_fit_are_named(name, change, message):
    cfg = small(name)
    for section, fields in change.items():
        cfg["head"][section] = {**cfg["head"][section], **fields}
    with pytest.raises(ConfigError, match=message):
        BuildSegmentor(cfg, "TRAIN")
