"""What every registered segmentor keeps. A segmentor is tested by being registered."""

import copy

import pytest
import torch

from ssseg.modules import BuildSegmentor, SegmentorBuilder, SSSegInputStructure
from ssseg.modules.models.segmentors.base import base
from ssseg.modules.models.uninitialized import Uninitialized
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import PROMPTABLE, SEGMENTORS, small

NAMES = [name for name in SegmentorBuilder.REGISTERED_MODULES if name not in PROMPTABLE]  # test_promptable.py has those


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def sample(n=2, height=48, width=64, mode="TRAIN"):
    return SSSegInputStructure(
        mode=mode,
        images=torch.randn(n, 3, height, width),
        seg_targets=torch.randint(0, 4, (n, height, width), dtype=torch.int16),
        edge_targets=torch.randint(0, 2, (n, height, width), dtype=torch.int16),
    )


def score(segmentor, images):
    with torch.no_grad():
        return segmentor(SSSegInputStructure(mode="TEST", images=images)).seg_logits


def assert_near(made, expected, share=1e-5):
    torch.testing.assert_close(made, expected, rtol=0, atol=share * expected.abs().max().item())


def trained(name):
    """A segmentor in eval mode whose running averages are not the initial ones."""
    segmentor = BuildSegmentor(small(name), "TRAIN")
    with torch.no_grad():
        segmentor(sample())
    return segmentor.eval()


def test_every_name_has_a_small_cfg():
    assert set(NAMES) <= SEGMENTORS.keys()


def test_losses_that_resize_piece_by_piece_change_nothing(name, monkeypatch):
    segmentor, batch = BuildSegmentor(small(name), "TRAIN"), sample()
    results = []
    for module in (segmentor, copy.deepcopy(segmentor)):
        torch.manual_seed(0)
        result = module(batch)
        result.loss.backward()
        results.append((result.losses_log_dict, {key: p.grad for key, p in module.named_parameters()}))
        monkeypatch.setattr(base, "kept_small", lambda *arguments: set())
    torch.testing.assert_close(results[0][0], results[1][0], rtol=1e-6, atol=1e-6)
    for key, expected in results[1][1].items():
        if expected is not None:
            share = 1e-3  # normalizations of few values make much of the last bits
            assert (results[0][1][key] - expected).norm() <= share * expected.norm() + 1e-6, key


def test_weights_of_another_make_up_for_those_that_were_not_drawn(name):
    segmentor, images = trained(name), sample(1).images
    with Uninitialized():
        other = BuildSegmentor(small(name), "TEST").eval()
    other.load_state_dict(segmentor.state_dict())
    for (key, ours), (_, expected) in zip(other.named_buffers(), segmentor.named_buffers(), strict=True):
        assert torch.equal(ours, expected), key
    assert torch.equal(score(other, images), score(segmentor, images))


def test_two_steps_lower_the_loss_and_reach_every_parameter(name):
    segmentor, batch = BuildSegmentor(small(name), "TRAIN"), sample(4)  # of two pooled values only the order is left
    optimizer = torch.optim.SGD(segmentor.parameters(), lr=0.01)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        torch.manual_seed(0)  # heads that learn from points draw the same ones
        result = segmentor(batch)
        result.loss.backward()
        losses.append(result.loss.item())
        trained = {key: p.grad for key, p in segmentor.named_parameters() if p.requires_grad}
        assert [key for key, grad in trained.items() if grad is None or not grad.isfinite().all()] == []
        optimizer.step()
    assert losses[0] > losses[1] > losses[2]


def test_logged_losses_are_detached_and_add_up(name):
    result = BuildSegmentor(small(name), "TRAIN")(sample())
    log = dict(result.losses_log_dict)
    assert not any(value.requires_grad or value.ndim for value in log.values())
    total = log.pop("loss_total")
    assert total.item() == pytest.approx(result.loss.item()) == pytest.approx(sum(log.values()).item())


def test_a_reloaded_segmentor_gives_the_same_scores(name):
    segmentor, images = trained(name), torch.randn(2, 3, 48, 64)
    other = BuildSegmentor(small(name), "TEST")
    other.load_state_dict(segmentor.state_dict())
    assert torch.equal(score(other, images), score(segmentor, images))


def test_N11_a_batch_equals_its_images_one_by_one(name):
    segmentor, images = trained(name), torch.randn(3, 3, 48, 64)
    assert_near(torch.cat([score(segmentor, one[None]) for one in images]), score(segmentor, images))


def test_channels_last(name):
    segmentor, images = trained(name), torch.randn(2, 3, 48, 64)
    expected = score(segmentor, images)
    segmentor.to(memory_format=torch.channels_last)
    assert_near(score(segmentor, images.to(memory_format=torch.channels_last)), expected)


def test_bfloat16_trains_near_float32(name):
    segmentor, batch = BuildSegmentor(small(name), "TRAIN"), sample()
    expected = segmentor(batch).loss.item()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = segmentor(batch).loss
    loss.backward()
    assert loss.item() == pytest.approx(expected, rel=0.02)
    assert all(p.grad.isfinite().all() for p in segmentor.parameters() if p.requires_grad)


@pytest.mark.parametrize("size", [(33, 47), (40, 65)])
def test_odd_image_sizes(name, size):
    segmentor = BuildSegmentor(small(name), "TRAIN")
    assert segmentor(sample(2, *size)).loss.isfinite()
    scores = segmentor.eval().inference(torch.randn(1, 3, *size))
    assert scores.shape[:2] == (1, 4)
    assert scores.isfinite().all()


def test_sliding_windows_cover_the_image(name):
    cfg = small(name)
    cfg["inference"]["forward"] = {"mode": "slide", "cropsize": (32, 40), "stride": (20, 24)}
    scores = BuildSegmentor(cfg, "TEST").inference(torch.randn(1, 3, 45, 70))
    assert scores.shape == (1, 4, 45, 70)
    assert scores.isfinite().all()


def test_a_loss_on_the_grid_of_the_scores(name):
    cfg = small(name)
    cfg["runtime"] = {"loss_grid": "logits"}
    segmentor = BuildSegmentor(cfg, "TRAIN")
    assert segmentor(sample()).loss.isfinite()


def test_train_develop_returns_the_scores_too(name):
    result = BuildSegmentor(small(name), "TRAIN_DEVELOP").train()(sample(mode="TRAIN_DEVELOP"))
    assert result.loss.isfinite()
    assert result.seg_logits.shape[:2] == (2, 4)


def test_frozen_normalization_stays_as_it_is(name):
    cfg = small(name)
    cfg["is_freeze_norm"] = "averages"
    segmentor = BuildSegmentor(cfg, "TRAIN").train()
    statistics = {key: value for key, value in segmentor.named_buffers() if "running" in key}
    before = {key: value.clone() for key, value in statistics.items()}
    segmentor(sample()).loss.backward()
    assert all(torch.equal(before[key], value) for key, value in statistics.items())
    assert before


def test_a_misspelt_head_field_names_the_place_and_the_fix(name):
    cfg = small(name)
    field = list(cfg["head"])[-1]
    wrong = field[:-2] + field[-1]
    cfg["head"][wrong] = cfg["head"].pop(field)
    with pytest.raises(ConfigError, match=rf"SEGMENTOR_CFG\['head'\]\['{wrong}'\].*Did you mean '{field}'"):
        BuildSegmentor(cfg, "TRAIN")


class OnlyImages(torch.nn.Module):
    def __init__(self, segmentor):
        super().__init__()
        self.segmentor = segmentor

    def forward(self, images):
        return self.segmentor(SSSegInputStructure(mode="TEST", images=images)).seg_logits


@pytest.mark.slow
def test_export(name):
    segmentor, images = trained(name), torch.randn(1, 3, 48, 64)
    with torch.no_grad():
        program = torch.export.export(OnlyImages(segmentor), (images,), strict=False)
        assert_near(program.module()(images), score(segmentor, images))
