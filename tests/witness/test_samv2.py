"""SAM 2 of ours and of the package transformers, with the same weights: a picture and prompts in, masks out."""

import copy
import re

import pytest
import torch

from ssseg.modules.models.segmentors.samv2 import SAMV2ImagePredictor
from ssseg.modules.models.segmentors.samv2.prompts import Prompts
from tests.contracts.small_cfgs import PROMPTABLE
from tests.witness import names
from tests.witness.agreement import assert_agree, randomized

WIDTH, SIDE = 32, 128
POINTS = torch.tensor([[[20.0, 30.0], [70.5, 11.0]], [[50.0, 90.0], [3.0, 4.0]]])  # two prompts of two points
LABELS = torch.tensor([[1, 0], [1, -1]])
BOXES = torch.tensor([[10.0, 20.0, 60.0, 80.0], [0.0, 5.0, 33.0, 44.0]])


def our_cfg():
    cfg = copy.deepcopy(PROMPTABLE["SAMV2"])
    hiera, fpn, head = cfg["backbone"]["hiera_cfg"], cfg["backbone"]["fpn_cfg"], cfg["head"]
    hiera.clear()
    hiera |= {"embed_dim": 16, "num_heads": 1, "stages": (1, 2, 3, 1), "global_att_blocks": (4,)}
    hiera |= {"window_spec": (8, 4, 14, 7), "window_pos_embed_bkg_spatial_size": (7, 7)}
    fpn |= {"d_model": WIDTH, "backbone_channel_list": [128, 64, 32, 16], "fpn_top_down_levels": [2, 3]}
    fpn |= {"fpn_interp_model": "nearest", "position_encoding_cfg": {"num_pos_feats": WIDTH}}
    cfg["backbone"]["scalp"] = 1
    head["memory_attention_cfg"]["d_model"] = WIDTH
    layer = head["memory_attention_cfg"]["layer_cfg"]
    layer["d_model"] = layer["self_attention_cfg"]["embedding_dim"] = layer["cross_attention_cfg"]["embedding_dim"] = (
        WIDTH
    )
    head["memory_encoder_cfg"]["in_dim"] = head["memory_encoder_cfg"]["mask_downsampler_cfg"]["embed_dim"] = WIDTH
    head["memory_encoder_cfg"]["fuser_cfg"]["layer_cfg"]["dim"] = WIDTH
    return {**cfg, "head": {**head, "image_size": SIDE}}


@pytest.fixture
def both(transformers):
    detector = transformers.Sam2HieraDetConfig(
        hidden_size=16,
        num_attention_heads=1,
        image_size=[SIDE, SIDE],
        window_positional_embedding_background_size=[7, 7],
        blocks_per_stage=[1, 2, 3, 1],
        embed_dim_per_stage=[16, 32, 64, 128],
        num_attention_heads_per_stage=[1, 2, 4, 8],
        window_size_per_stage=[8, 4, 14, 7],
        global_attention_blocks=[4],
    )
    vision = transformers.Sam2VisionConfig(
        backbone_config=detector,
        backbone_channel_list=[128, 64, 32, 16],
        backbone_feature_sizes=[[SIDE // 4] * 2, [SIDE // 8] * 2, [SIDE // 16] * 2],
        fpn_hidden_size=WIDTH,
        fpn_top_down_levels=[2, 3],
    )
    prompt = transformers.Sam2PromptEncoderConfig(hidden_size=WIDTH, image_size=SIDE, mask_input_channels=16)
    decoder = transformers.Sam2MaskDecoderConfig(hidden_size=WIDTH, dynamic_multimask_via_stability=False)
    config = transformers.Sam2Config(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder)
    theirs = randomized(transformers.Sam2Model(config))
    theirs.prompt_encoder.shared_embedding = theirs.shared_image_embedding  # published weights hold it twice
    ours = SAMV2ImagePredictor(our_cfg(), device="cpu", apply_postprocessing=False)
    own, given = ours.model.state_dict(), names.samv2(theirs.state_dict())
    assert given.keys() <= own.keys()
    of_videos = r"memory_|maskmem_|mask_downsample|no_mem_pos_enc|.*obj_ptr"
    assert [name for name in own.keys() - given.keys() if not re.match(of_videos, name)] == []
    ours.model.load_state_dict({**own, **given})
    return ours, theirs


@pytest.mark.parametrize("multimask", [False, True])
@pytest.mark.parametrize("prompts", ["points", "boxes", "points boxes", "points masks", "points boxes masks"])
def test_prompts(both, prompts, multimask):
    ours, theirs = both
    image, mask = torch.randn(1, 3, SIDE, SIDE), torch.randn(1, 1, SIDE // 4, SIDE // 4)
    given = {"points": POINTS, "labels": LABELS, "boxes": BOXES, "masks": mask.expand(2, -1, -1, -1)}
    their_names = {"points": {"input_points": POINTS[None], "input_labels": LABELS[None]}}
    their_names |= {"boxes": {"input_boxes": BOXES[None]}, "masks": {"input_masks": mask}}
    wanted = {"labels" if name == "labels" else name for name in prompts.replace("points", "points labels").split()}
    with torch.no_grad():
        _, tokens, _, sizes = ours.model.preparebackbonefeatures(ours.model.forwardimage(image))
        tokens[-1] = tokens[-1] + ours.model.no_mem_embed
        ours.encoded = [x.permute(1, 2, 0).unflatten(2, size) for x, size in zip(tokens, sizes, strict=True)]
        chosen = Prompts(*(value if name in wanted else None for name, value in given.items()))
        masks, quality = ours.decode(chosen, multimask)
        arguments = {key: value for name in prompts.split() for key, value in their_names[name].items()}
        expected = theirs(pixel_values=image, multimask_output=multimask, **arguments)
    assert masks.shape == (2, 3 if multimask else 1, SIDE // 4, SIDE // 4)
    assert_agree(masks, expected.pred_masks[0])
    assert_agree(quality, expected.iou_scores[0])
