"""Objects followed through videos."""

import copy

import numpy as np
import pytest
import torch

from ssseg.modules.models.segmentors.samv2 import SAMV2VideoPredictor
from ssseg.modules.models.segmentors.samv2 import frames as frames_module
from ssseg.modules.models.segmentors.samv2 import videotracker as tracker_module
from ssseg.modules.utils import ConfigError, DataError, ShapeError, UnknownNameError
from ssseg.modules.utils.videos import open_video
from tests.contracts.small_cfgs import SAMV2
from tests.golden.fill import fill

VIDEO = np.random.default_rng(1).integers(0, 256, (24, 20, 30, 3), dtype=np.uint8)
POINT, LABEL = [[10, 8]], [1]
REACH = 5  # the pointers of the last five frames; masks of three


def predictor_of(image_size=64, head=None, **options):
    cfg = copy.deepcopy(SAMV2)
    cfg["head"].update(image_size=image_size, **(head or {}))
    predictor = SAMV2VideoPredictor(samv2_cfg=cfg, **{"device": "cpu", **options})
    fill(predictor.model)
    predictor.model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.data += 5  # objects are there
    return predictor


@pytest.fixture(scope="module")
def predictor():
    return predictor_of()


def followed(predictor, state, **options):
    return {frame: masks for frame, _, masks in predictor.propagateinvideo(state, **options)}


def same(made, expected):
    assert made.keys() == expected.keys()
    for frame, masks in expected.items():
        torch.testing.assert_close(made[frame], masks, rtol=0, atol=1e-5 * masks.abs().max().item())


def two_objects(predictor, state):
    predictor.addnewpoints(state, 2, "a", POINT, LABEL)
    mask = np.zeros((20, 30))
    mask[4:12, 16:27] = 1
    return predictor.addnewmask(state, 2, "b", mask)


def test_results_have_the_size_of_the_video(predictor):
    state = predictor.initstate(VIDEO[:4])
    frame, names, masks = predictor.addnewpoints(state, 0, 5, POINT, LABEL)
    assert (frame, names, masks.shape, masks.dtype) == (0, [5], (1, 1, 20, 30), torch.float32)
    steps = list(predictor.propagateinvideo(state))
    assert [(frame, names) for frame, names, _ in steps] == [(i, [5]) for i in range(4)]
    torch.testing.assert_close(steps[0][2], masks)
    assert all(masks.isfinite().all() for _, _, masks in steps)
    assert not torch.equal(steps[2][2], steps[3][2])


@pytest.mark.parametrize("size", [48, 80])
def test_other_sizes_of_the_network_s_input(size):
    predictor = predictor_of(size)
    state = predictor.initstate(VIDEO[:3])
    two_objects(predictor, state)
    assert [masks.shape for masks in followed(predictor, state, start_frame_idx=0).values()] == [(2, 1, 20, 30)] * 3


@pytest.mark.parametrize(
    "options",
    [{}, {"offload_state_to_cpu": True}, {"async_loading_frames": True}, {"keep_all_memories": False}],
    ids=str,
)
def test_bounded_memory_gives_what_keeping_everything_gives(predictor, options):
    """Forwards, a correction within reach, on, then backwards from a prompt in the middle."""
    results = []
    for reach in (None, 10**6):
        state = predictor.initstate(VIDEO, **(options if reach is None else {}))
        state.memories.reach = reach or state.memories.reach
        predictor.addnewpoints(state, 10, "a", POINT, LABEL)
        predictor.addnewpoints(state, 10, "b", [[20, 12]], LABEL)
        made = followed(predictor, state, max_frame_num_to_track=8)
        predictor.addnewpoints(state, 16, "a", [[4, 4]], [0])
        made |= {100 + frame: masks for frame, masks in followed(predictor, state, start_frame_idx=16).items()}
        back = followed(predictor, state, start_frame_idx=10, reverse=True)
        made |= {200 + frame: masks for frame, masks in back.items()}
        results.append(made)
        if reach is None:
            assert state.memories.reach == REACH
            assert len(state.memories.near) <= 3 * (2 * REACH + 1)
            assert len(state.frames.kept) <= frames_module.CACHED
            kept = 23 if options.get("keep_all_memories", True) else len(state.memories.near)
            assert len(state.memories.tracked) == kept
    assert len(results[0]) == 9 + 8 + 11
    same(*results)


def test_what_was_forgotten_is_not_made_up(predictor):
    state = predictor.initstate(VIDEO, keep_all_memories=False)
    predictor.addnewpoints(state, 0, 1, POINT, LABEL)
    followed(predictor, state)
    with pytest.raises(ConfigError, match=r"frame_idx=10: its memory .* forgotten: .*keep_all_memories=True"):
        predictor.addnewpoints(state, 10, 1, POINT, LABEL)
    with pytest.raises(ConfigError, match=r"frame_idx=1\d: its memory"):
        followed(predictor, state, start_frame_idx=15)
    assert len(followed(predictor, state)) == 24  # from the beginning nothing that was forgotten is needed


def test_two_objects_equal_each_alone(predictor):
    together = predictor.initstate(VIDEO[:6])
    two_objects(predictor, together)
    made = followed(predictor, together)
    alone = predictor.initstate(VIDEO[:6])
    predictor.addnewpoints(alone, 2, "a", POINT, LABEL)
    same({frame: masks[:1] for frame, masks in made.items()}, followed(predictor, alone))


def test_stepping_equals_going_at_once(predictor):
    state, other = predictor.initstate(VIDEO[:6]), predictor.initstate(VIDEO[:6])
    for one in (state, other):
        predictor.addnewpoints(one, 0, 1, POINT, LABEL)
    steps = predictor.propagateinvideo(state)
    made = dict([next(steps)[::2], next(steps)[::2]])
    made |= followed(predictor, state, start_frame_idx=2)
    same(made, followed(predictor, other))


def test_a_video_is_followed_again_after_a_reset_as_if_for_the_first_time(predictor):
    state = predictor.initstate(VIDEO[:5])
    two_objects(predictor, state)
    followed(predictor, state)
    predictor.resetstate(state)
    assert (state.obj_ids, state.memories.tracked, state.directions) == ([], {}, {})
    predictor.addnewpoints(state, 1, "c", POINT, LABEL)
    fresh = predictor.initstate(VIDEO[:5])
    predictor.addnewpoints(fresh, 1, "c", POINT, LABEL)
    same(followed(predictor, state), followed(predictor, fresh))


def test_an_object_that_is_removed_leaves_no_trace(predictor):
    state, other = predictor.initstate(VIDEO[:6]), predictor.initstate(VIDEO[:6])
    predictor.addnewpoints(state, 0, "gone", [[3, 3]], LABEL)
    for one in (state, other):
        predictor.addnewpoints(one, 2, "kept", POINT, LABEL)
    list(predictor.propagateinvideo(state, max_frame_num_to_track=0))
    assert predictor.removeobject(state, "gone") == ["kept"]
    assert list(state.memories.prompted) == [2]
    same(followed(predictor, state), followed(predictor, other))


def test_the_others_keep_what_was_found(predictor):
    state = predictor.initstate(VIDEO[:6])
    two_objects(predictor, state)
    before = followed(predictor, state)
    assert predictor.removeobject(state, "a") == ["b"]
    after = predictor.addnewpoints(state, 4, "b", [[5, 5]], [0], clear_old_points=False)
    assert after[1] == ["b"]
    assert torch.equal(state.memories[4].masks, state.memories[4].masks[:1])
    same(followed(predictor, state, max_frame_num_to_track=1), {i: before[i][1:] for i in (2, 3)})
    assert predictor.removeobject(state, "b") == []
    assert not state.memories.prompted


def test_more_points_on_a_prompted_frame_count_after_tracking_too(predictor):
    """The reference shows such a correction, and then forgets it."""
    state, other = predictor.initstate(VIDEO[:5]), predictor.initstate(VIDEO[:5])
    predictor.addnewpoints(state, 1, 1, POINT, LABEL)
    before = followed(predictor, state)
    predictor.addnewpoints(other, 1, 1, POINT, LABEL)
    shown = [predictor.addnewpoints(one, 1, 1, [[25, 15]], [0], clear_old_points=False)[2] for one in (state, other)]
    torch.testing.assert_close(*shown)
    made = followed(predictor, state)
    same(made, followed(predictor, other))
    assert torch.equal(made[1], shown[0])
    assert not torch.allclose(made[1], before[1])


def test_points_take_the_place_of_others_unless_they_are_added(predictor):
    state = predictor.initstate(VIDEO[:2])
    predictor.addnewpoints(state, 0, 1, POINT, LABEL)
    predictor.addnewpoints(state, 0, 1, [[1, 2], [3, 4]], [1, 0], clear_old_points=False)
    assert state.prompts[0][0].labels.tolist() == [[1, 1, 0]]
    predictor.addnewpoints(state, 0, 1, [[0.5, 0.5]], [1], normalize_coords=False)
    assert state.prompts[0][0].points.tolist() == [[[32, 32]]]
    predictor.addnewmask(state, 0, 1, np.eye(20, 30))
    predictor.addnewpoints(state, 0, 1, POINT, LABEL, clear_old_points=False)
    assert state.prompts[0][0].mask is None


def test_frames_around_a_correction_are_forgotten_but_not_the_correction():
    predictor = predictor_of(clear_non_cond_mem_around_input=True)
    state = predictor.initstate(VIDEO[:14])
    predictor.addnewpoints(state, 0, 1, POINT, LABEL)
    followed(predictor, state)
    assert set(state.memories.tracked) == set(range(1, 14))
    shown = predictor.addnewpoints(state, 6, 1, [[25, 15]], [0])[2]
    steps = predictor.propagateinvideo(state, start_frame_idx=6)
    assert set(state.memories.tracked) == {1, 6, 11, 12, 13}  # 6 +- num_maskmem went, but itself
    torch.testing.assert_close(next(steps)[2], shown)
    assert [frame for frame, _, _ in steps] == list(range(7, 14))
    several = predictor.initstate(VIDEO[:6])
    two_objects(predictor, several)
    followed(predictor, several)
    predictor.addnewpoints(several, 4, "a", POINT, LABEL)
    followed(predictor, several, max_frame_num_to_track=0)
    assert set(several.memories.tracked) == {3, 4, 5}, "for one object only"


def test_small_holes_are_filled(monkeypatch):
    asked = []

    def without_small_regions(logits, threshold, hole, island, margin):
        asked.append((hole, island))
        return logits

    monkeypatch.setattr(tracker_module, "without_small_regions", without_small_regions)
    for options in ({}, {"fill_hole_area": 20}, {"apply_postprocessing": False}):
        predictor = predictor_of(**options)
        assert predictor.model.options.binarize_mask_from_pts_for_mem_enc == options.get("apply_postprocessing", True)
        predictor.addnewpoints(predictor.initstate(VIDEO[:1]), 0, 1, POINT, LABEL)
    assert asked == [(8, 0), (20, 0), (0, 0)]


def test_objects_do_not_overlap_where_that_is_wanted():
    predictor = predictor_of(non_overlap_masks=True, head={"non_overlap_masks_for_mem_enc": True})
    state = predictor.initstate(VIDEO[:5])
    shown = two_objects(predictor, state)[2]
    for masks in (shown, *followed(predictor, state).values()):
        assert ((masks > 0).sum(0) <= 1).all()


@pytest.mark.parametrize(
    "head",
    [
        {"add_tpos_enc_to_obj_ptrs": True},
        {"add_tpos_enc_to_obj_ptrs": True, "proj_tpos_enc_in_obj_ptrs": True},
        {"use_obj_ptrs_in_encoder": False},
        {"pred_obj_scores": False},
        {"soft_no_obj_ptr": True, "fixed_no_obj_ptr": False},
        {"use_mask_input_as_output_without_sam": False},
        {"use_high_res_features_in_sam": False},
        {"use_mlp_for_obj_ptr_proj": False, "pred_obj_scores_mlp": False},
        {"add_all_frames_to_correct_as_cond": True},
        {"memory_temporal_stride_for_eval": 2, "max_cond_frames_in_attn": 2},
        {"multimask_output_in_sam": False},
        {"num_maskmem": 1},
    ],
    ids=",".join,
)
def test_every_switch_of_the_head(head):
    cfg = copy.deepcopy(SAMV2)
    cfg["head"].update(head)
    predictor = SAMV2VideoPredictor(samv2_cfg=cfg, device="cpu")
    state = predictor.initstate(VIDEO[:6])
    two_objects(predictor, state)
    followed(predictor, state)
    predictor.addnewpoints(state, 4, "a", POINT, LABEL)
    assert all(masks.isfinite().all() for masks in followed(predictor, state).values())
    assert (4 in state.memories.prompted) == head.get("add_all_frames_to_correct_as_cond", False)


def test_an_object_without_a_prompt_on_a_prompted_frame_is_not_there(predictor):
    state = predictor.initstate(VIDEO[:4])
    predictor.addnewpoints(state, 0, "a", POINT, LABEL)
    masks = predictor.addnewpoints(state, 2, "b", POINT, LABEL)[2]
    assert (masks[0] < -1000).all()
    made = followed(predictor, state)
    assert (made[0][1] < 0).all()
    assert (made[2][0] < 0).all()


def test_frames_are_read_when_they_are_needed(predictor):
    asked = []

    class Pictures(list):
        def __getitem__(self, index):
            asked.append(index)
            return super().__getitem__(index)

    state = predictor.initstate(Pictures(VIDEO[:12]))
    assert asked == [0]  # tells the size
    predictor.addnewpoints(state, 3, 1, POINT, LABEL)
    predictor.addnewpoints(state, 3, 1, [[3, 3]], [0], clear_old_points=False)
    assert asked == [0, 3]
    followed(predictor, state, max_frame_num_to_track=2)
    assert asked == [0, 3, 4, 5]
    followed(predictor, state)
    assert asked == [0, 3, 4, 5, *range(6, 12)]
    assert len(state.frames.kept) == frames_module.CACHED


@pytest.mark.parametrize("order", [range(6), range(5, -1, -1), (0, 3, 3, 1)])
def test_frames_that_are_read_ahead_are_the_same(order):
    pictures = open_video(VIDEO[:6])
    one, other = (frames_module.Frames(pictures, 32, torch.device("cpu"), ahead) for ahead in (False, True))
    for index in order:
        assert torch.equal(one[index], other[index])
    assert one[0].shape == (3, 32, 32)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_finds_what_the_cpu_finds():
    """The memory on the GPU is bounded; what is far from prompts and from the last frame is on the CPU."""
    results = {}
    for device in ("cpu", "cuda"):
        predictor = predictor_of(device=device)
        state = predictor.initstate(VIDEO)
        two_objects(predictor, state)
        results[device] = {frame: masks.cpu() for frame, masks in followed(predictor, state).items()}
    for frame, masks in results["cpu"].items():
        assert (results["cuda"][frame] - masks).abs().max() <= 2e-2 * masks.abs().max()
    there = {frame for frame, memory in state.memories.tracked.items() if memory.features.is_cuda}
    assert there == state.memories.near
    assert len(there) <= 2 * (2 * REACH + 1)


def test_progress_is_told(predictor):
    state, calls = predictor.initstate(VIDEO[:4]), []
    predictor.addnewpoints(state, 1, 1, POINT, LABEL)
    list(predictor.propagateinvideo(state, progress=lambda *counts: calls.append(counts)))
    assert calls == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [3, 4, 5]),
        ({"reverse": True}, [3, 2, 1, 0]),
        ({"start_frame_idx": 1, "max_frame_num_to_track": 2}, [1, 2, 3]),
        ({"start_frame_idx": np.int64(4), "reverse": True, "max_frame_num_to_track": 1}, [4, 3]),
        ({"start_frame_idx": 0, "reverse": True}, []),
    ],
)
def test_which_frames_are_followed(predictor, options, expected):
    state = predictor.initstate(VIDEO[:6])
    predictor.addnewpoints(state, 3, 1, POINT, LABEL)
    assert list(followed(predictor, state, **options)) == expected


class TestBadInput:
    @pytest.fixture
    def state(self, predictor):
        return predictor.initstate(VIDEO[:4])

    @pytest.mark.parametrize("frame", [-1, 4, 1.0, "0", None, True])
    def test_frames(self, predictor, state, frame):
        with pytest.raises(ConfigError, match=r"frame_idx: is .*, must be from 0 to 3: the video has 4 frames"):
            predictor.addnewpoints(state, frame, 1, POINT, LABEL)
        with pytest.raises(ConfigError, match="frame_idx"):
            predictor.addnewmask(state, frame, 1, np.eye(20))
        assert state.obj_ids == []

    @pytest.mark.parametrize(
        ("points", "labels", "error"),
        [
            (POINT, None, ShapeError),
            (None, LABEL, ShapeError),
            (None, None, ShapeError),
            (POINT, [1, 0], ShapeError),
            ([1, 2], [1], ShapeError),
            ([[1, 2, 3]], [1], ShapeError),
            ([POINT, POINT], [LABEL, LABEL], ShapeError),
            (POINT, [7], DataError),
            ([[np.nan, 1]], [1], DataError),
            ([["x", "y"]], [1], DataError),
        ],
    )
    def test_points(self, predictor, state, points, labels, error):
        with pytest.raises(error):
            predictor.addnewpoints(state, 0, 1, points, labels)
        assert state.obj_ids == []

    @pytest.mark.parametrize("mask", [np.zeros((1, 20, 30)), np.zeros((0, 3)), 3])
    def test_masks(self, predictor, state, mask):
        with pytest.raises(ShapeError, match=r"mask: is .*, must be \(H, W\), of one object"):
            predictor.addnewmask(state, 0, 1, mask)

    def test_following_nothing(self, predictor, state):
        with pytest.raises(ConfigError, match="there are no prompts; call addnewpoints or addnewmask first"):
            predictor.propagateinvideo(state)

    def test_following_from_nowhere(self, predictor, state):
        predictor.addnewpoints(state, 0, 1, POINT, LABEL)
        with pytest.raises(ConfigError, match="start_frame_idx: is 9, must be from 0 to 3"):
            predictor.propagateinvideo(state, start_frame_idx=9)
        with pytest.raises(ConfigError, match="max_frame_num_to_track: is -1, must be 0 or more"):
            predictor.propagateinvideo(state, max_frame_num_to_track=-1)

    def test_unknown_and_late_objects(self, predictor, state):
        with pytest.raises(UnknownNameError, match="obj_id='x': no such object; there are: none"):
            predictor.removeobject(state, "x")
        predictor.addnewpoints(state, 0, 1, POINT, LABEL)
        followed(predictor, state)
        with pytest.raises(
            ConfigError, match=r"obj_id=2: is new, but others are being tracked already: 1\. Call resetst"
        ):
            predictor.addnewpoints(state, 1, 2, POINT, LABEL)

    def test_prompts_while_following(self, predictor, state):
        predictor.addnewpoints(state, 0, 1, POINT, LABEL)
        steps = predictor.propagateinvideo(state)
        next(steps)
        predictor.addnewpoints(state, 2, 1, POINT, LABEL)
        with pytest.raises(ConfigError, match="prompts or objects were changed; call it again"):
            next(steps)
        assert len(followed(predictor, state)) == 4

    @pytest.mark.parametrize("ahead", [False, True])
    def test_frames_of_different_size(self, predictor, ahead):
        state = predictor.initstate([*VIDEO[:2], VIDEO[0][:10]], async_loading_frames=ahead)
        predictor.addnewpoints(state, 0, 1, POINT, LABEL)
        steps = predictor.propagateinvideo(state)
        assert [next(steps)[0], next(steps)[0]] == [0, 1]
        with pytest.raises(
            DataError, match=r"picture 2: has 30 x 10 pixels, but the first frame of the video has 30 x 20"
        ):
            next(steps)

    def test_no_pictures(self, predictor, tmp_path):
        with pytest.raises(DataError, match=r"holds no pictures"):
            predictor.initstate(tmp_path)
