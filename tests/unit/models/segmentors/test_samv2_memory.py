"""What SAM 2 recalls, and attends to."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssseg.modules.models.segmentors.samv2.masks import small_regions, without_overlap, without_small_regions
from ssseg.modules.models.segmentors.samv2.memories import FrameMemory, Memories, OneObject
from ssseg.modules.models.segmentors.samv2.memoryattention import MemoryAttention
from ssseg.modules.models.segmentors.samv2.memoryencoder import CXBlock, MaskDownsampler
from ssseg.modules.models.segmentors.samv2.options import SAMV2Options
from ssseg.modules.models.segmentors.samv2.recall import nearest_frames, recall
from ssseg.modules.models.segmentors.samv2.ropeattention import RoPEAttention, rotate, rotation_angles
from ssseg.modules.models.segmentors.samv2.tracking import pointer_places
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import SAMV2

CPU = torch.device("cpu")


def options(**fields):
    return SAMV2Options(**{"use_obj_ptrs_in_encoder": True, "only_obj_ptrs_in_the_past_for_eval": True, **fields})


def memory(value, objects=2):
    return FrameMemory(
        torch.full((objects, 1, 4, 4), value), torch.full((objects, 3), value), torch.zeros(objects, 2, 1, 1)
    )


def test_the_frames_just_passed_are_recalled_in_order():
    found = recall(10, options(num_maskmem=4, max_obj_ptrs_in_encoder=3), [0], range(1, 10).__contains__, 20, False)
    assert found.masks == [(0, 3), (7, 2), (8, 1), (9, 0)]
    assert found.pointers == [(0, 10), (9, 1), (8, 2)]


def test_backwards_the_frames_after_are_recalled():
    found = recall(
        10, options(num_maskmem=4, max_obj_ptrs_in_encoder=3), [14], lambda t: t > 10 and t not in (12, 14), 20, True
    )
    assert found.masks == [(14, 3), (13, 2), (11, 0)]
    assert found.pointers == [(14, 4), (11, 1)]


def test_memories_lie_a_stride_apart_but_for_the_last():
    wanted = options(num_maskmem=5, memory_temporal_stride_for_eval=4)
    found = recall(21, wanted, [], lambda t: t < 21, 99, False)
    assert found.masks == [(8, 3), (12, 2), (16, 1), (20, 0)]
    found = recall(21, wanted, [], lambda t: t > 21, 99, True)
    assert found.masks == [(32, 3), (28, 2), (24, 1), (22, 0)]


def test_pointers_of_later_prompts_count_where_that_is_wanted():
    only_past = recall(5, options(), [2, 8], lambda t: False, 20, False)
    both = recall(5, options(only_obj_ptrs_in_the_past_for_eval=False), [2, 8], lambda t: False, 20, False)
    assert only_past.pointers == [(2, 3)]
    assert both.pointers == [(2, 3), (8, 3)]
    assert recall(5, options(use_obj_ptrs_in_encoder=False), [2], lambda t: False, 20, False).pointers == []


def test_prompted_frames_that_were_not_chosen_count_as_tracked():
    found = recall(5, options(max_cond_frames_in_attn=2, num_maskmem=4), [0, 3, 4, 9], lambda t: False, 20, False)
    assert found.masks == [(4, 3), (9, 3), (3, 1)]


@given(
    frame=st.integers(0, 60),
    frames=st.sets(st.integers(0, 60), max_size=8).map(sorted),
    limit=st.sampled_from([-1, 2, 3, 5]),
)
def test_nearest_frames(frame, frames, limit):
    chosen = nearest_frames(frame, frames, limit)
    assert len(chosen) == len(set(chosen)) == (len(frames) if limit == -1 else min(limit, len(frames)))
    before, after = [f for f in frames if f < frame], [f for f in frames if f >= frame]
    assert {max(before, default=None), min(after, default=None)} - {None} <= set(chosen)
    others = sorted(
        (f for f in frames if f not in {max(before, default=None), min(after, default=None)}),
        key=lambda f: abs(f - frame),
    )
    rest = [f for f in others if f in chosen]
    assert [abs(f - frame) for f in rest] == [abs(f - frame) for f in others[: len(rest)]]


@given(
    frame=st.integers(0, 200),
    num_maskmem=st.integers(1, 9),
    stride=st.integers(1, 5),
    pointers=st.integers(1, 20),
    reverse=st.booleans(),
)
def test_nothing_is_recalled_from_farther_than_the_reach(frame, num_maskmem, stride, pointers, reverse):
    wanted = options(num_maskmem=num_maskmem, memory_temporal_stride_for_eval=stride, max_obj_ptrs_in_encoder=pointers)
    found = recall(frame, wanted, [], lambda t: True, 1000, reverse)
    away = [abs(t - frame) for t, _ in (*found.masks, *found.pointers)]
    assert max(away, default=0) <= wanted.reach
    assert all((t > frame) == reverse for t, _ in (*found.masks, *found.pointers))
    assert sorted({row for _, row in found.masks}) == list(range(num_maskmem - 1))


@pytest.mark.parametrize("keep_all", [True, False])
def test_memories_far_from_prompts_and_from_the_last_frame_are_sent_away(keep_all):
    memories = Memories(CPU, reach=3, keep_all=keep_all)
    memories.prompt(10, memory(0.0))
    for frame in range(11, 40):
        memories.track(frame, memory(float(frame)))
        memories.send_away(frame, {20})
        assert len(memories.near) <= 3 * (2 * 3 + 1)
    assert memories.near == {11, 12, 13, *range(17, 24), *range(36, 40)}
    assert all(memories.is_tracked(frame) for frame in range(11, 40))
    assert memories[20].masks.unique().tolist() == [20]
    if keep_all:
        assert memories[15].masks.unique().tolist() == [15]
    else:
        assert memories.tracked.keys() == memories.near
        with pytest.raises(ConfigError, match=r"frame_idx=15: .* more than 3 frames away.*keep_all_memories=True"):
            memories.find(15)
        memories.track(15, memory(1.0))
        assert memories.find(15) is not None


def test_memories_of_some_objects():
    memories = Memories(CPU, reach=3, keep_all=True)
    memories.track(1, FrameMemory(torch.arange(3.0).view(3, 1, 1, 1), torch.zeros(3, 2), torch.zeros(3, 1, 1, 1)))
    assert OneObject(memories, 1)[1].masks.item() == 1
    assert OneObject(memories, 1).find(2) is None
    memories.keep_objects([0, 2])
    assert memories[1].masks.flatten().tolist() == [0, 2]
    with pytest.raises(KeyError):
        memories[2]
    memories.clear()
    assert not memories.is_tracked(1)


def test_the_product_of_turned_vectors_tells_the_offset():
    q, k = torch.randn(2, 8)
    angles = rotation_angles(4, 8, 100.0, CPU)
    turned_q, turned_k = (rotate(x.expand(16, 8), angles) for x in (q, k))
    products = turned_q @ turned_k.T
    torch.testing.assert_close(products[0, 5], products[10, 15])  # one row and one column on
    torch.testing.assert_close(products[1, 4], products[10, 13])
    torch.testing.assert_close(turned_q.norm(dim=1), q.norm().expand(16))
    torch.testing.assert_close(products.diagonal(), (q @ k).expand(16))


def test_maps_of_keys_are_turned_alike_and_pointers_are_not():
    attention = RoPEAttention(16, 2, kv_in_dim=4).eval()
    q, k, v = torch.randn(2, 9, 16), torch.randn(2, 20, 4), torch.randn(2, 20, 4)
    made = attention(q, k, v, num_unplaced=2)
    maps = (
        torch.cat([k[:, 9:18], k[:, :9], k[:, [19, 18]]], dim=1),
        torch.cat([v[:, 9:18], v[:, :9], v[:, [19, 18]]], dim=1),
    )
    torch.testing.assert_close(attention(q, *maps, num_unplaced=2), made)
    places = torch.cat([k[:, 1:9], k[:, :1], k[:, 9:]], dim=1), torch.cat([v[:, 1:9], v[:, :1], v[:, 9:]], dim=1)
    assert not torch.allclose(attention(q, *places, num_unplaced=2), made)


def test_memory_attention_without_positions_where_they_are_switched_off():
    cfg = SAMV2["head"]["memory_attention_cfg"]
    off = {**cfg, "pos_enc_at_input": False, "layer_cfg": {**cfg["layer_cfg"], "pos_enc_at_cross_attn_keys": False}}
    attention = MemoryAttention(**off).eval()
    x, where, memories = torch.randn(4, 1, 16), torch.randn(4, 1, 16), torch.randn(8, 1, 8)
    one = attention([x], memories, [where], torch.randn(8, 1, 8))
    assert torch.equal(one, attention([x], memories, [0 * where], torch.zeros(8, 1, 8)))
    on = MemoryAttention(**{**off, "pos_enc_at_input": True}).eval()
    on.load_state_dict(attention.state_dict())
    assert not torch.allclose(one, on([x], memories, [where], torch.zeros(8, 1, 8)))


def test_attention_of_another_type_is_refused():
    cfg = SAMV2["head"]["memory_attention_cfg"]
    layer = {**cfg["layer_cfg"], "self_attention_cfg": {"type": "Attention"}}
    with pytest.raises(
        ConfigError, match=r"\['self_attention_cfg'\]\['type'\]: is 'Attention', must be 'RoPEAttention'"
    ):
        MemoryAttention(**{**cfg, "layer_cfg": layer})


def test_masks_are_brought_to_the_grid_of_the_features():
    assert MaskDownsampler(8, 3, 2, 1)(torch.randn(1, 1, 48, 48)).shape == (1, 8, 3, 3)
    assert MaskDownsampler(8)(torch.randn(1, 1, 48, 48)).shape == (1, 8, 3, 3)
    with pytest.raises(ConfigError, match=r"\['stride'\]: is 3, but total_stride=16 must be a power of it"):
        MaskDownsampler(8, 3, 3, 1)


def test_a_block_begins_near_the_identity():
    block, x = CXBlock(4), torch.randn(1, 4, 6, 6)
    torch.testing.assert_close(block(x), x, rtol=0, atol=1e-4)
    assert CXBlock(4, layer_scale_init_value=0).gamma is None


def test_where_pointers_are_in_time():
    table = pointer_places(torch.tensor([0.0, 0.5]), 8)
    assert table.shape == (2, 8)
    assert table[0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    torch.testing.assert_close(table[1, 2], torch.tensor(0.5 / 10000**0.5).sin())


def test_objects_do_not_overlap():
    logits = torch.tensor([[3.0, -20.0, 2.0], [1.0, 5.0, 2.0]]).view(2, 1, 1, 3)
    assert without_overlap(logits).view(2, 3).tolist() == [[3, -20, 2], [-10, 5, -10]]


def test_small_regions_touch_at_corners():
    mask = torch.tensor([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 1]], dtype=torch.bool)
    assert small_regions(mask, 1).nonzero().tolist() == [[0, 3], [2, 3]]
    assert torch.equal(small_regions(mask[None, None], 2)[0, 0], mask)
    assert not small_regions(mask, 0).any()
    assert small_regions(torch.stack([mask, ~mask]), 2).sum((1, 2)).tolist() == [4, 0]


@pytest.mark.parametrize(("hole", "island", "changed"), [(1, 0, [4]), (0, 1, [8]), (1, 1, [4, 8]), (0, 0, [])])
def test_holes_and_islands_are_taken_out_each_by_itself(hole, island, changed):
    logits = torch.full((1, 1, 3, 9), -2.0)
    logits[..., :4] = 3.0
    logits[..., 1, 1] = 0.5  # at most the threshold: a hole
    logits[..., 1, 7] = 3.0  # an island
    made = without_small_regions(logits, 0.5, hole, island, margin=10)
    values = {4: made[0, 0, 1, 1].item(), 8: made[0, 0, 1, 7].item()}
    assert values[4] == (10.5 if 4 in changed else 0.5)
    assert values[8] == (-9.5 if 8 in changed else 3.0)
    assert (made != logits).sum() == len(changed)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"image_size": 100}, r"\['image_size'\]: is 100, must be a multiple of backbone_stride=16. The nearest is 96"),
        ({"num_maskmem": 0}, r"\['num_maskmem'\]: is 0, must be at least 1"),
        ({"max_cond_frames_in_attn": 1}, r"\['max_cond_frames_in_attn'\]: is 1, must be 2 or more, or -1"),
        ({"memory_temporal_stride_for_eval": 0}, r"\['memory_temporal_stride_for_eval'\]: is 0"),
    ],
)
def test_options_that_cannot_be(fields, message):
    with pytest.raises(ConfigError, match=message):
        SAMV2Options(**fields)
