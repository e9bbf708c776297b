"""SAM of ours and of the package transformers, with the same weights: image, points, boxes and masks in, masks out."""

import pytest
import torch

from ssseg.modules import BuildSegmentor
from tests.witness import names
from tests.witness.agreement import assert_agree, randomized

CFG = {
    "type": "SAM",
    "backbone": {
        "type": "SAMViT",
        "img_size": 96,
        "embed_dim": 16,
        "depth": 3,
        "num_heads": 2,
        "mlp_ratio": 2,
        "out_chans": 16,
        "use_rel_pos": True,
        "window_size": 4,  # of a map of 6 x 6, so windows are padded
        "global_attn_indexes": (1,),
    },
    "prompt": {"embed_dim": 16, "image_embedding_size": (6, 6), "input_image_size": (96, 96), "mask_in_chans": 8},
    "head": {
        "transformer_cfg": {"depth": 2, "embedding_dim": 16, "mlp_dim": 24, "num_heads": 2},
        "transformer_dim": 16,
        "iou_head_hidden_dim": 20,
    },
}
POINTS = torch.tensor([[[20.0, 30.0], [70.5, 11.0]], [[50.0, 90.0], [3.0, 4.0]]])  # two prompts of two points
LABELS = torch.tensor([[1, 0], [1, -1]])
BOXES = torch.tensor([[10.0, 20.0, 60.0, 80.0], [0.0, 5.0, 33.0, 44.0]])


@pytest.fixture
def both(transformers):
    vision = transformers.SamVisionConfig(
        image_size=96,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        mlp_dim=32,
        output_channels=16,
        num_pos_feats=8,
        window_size=4,
        global_attn_indexes=[1],
    )
    prompt = transformers.SamPromptEncoderConfig(
        image_size=96, hidden_size=16, image_embedding_size=6, mask_input_channels=8
    )
    decoder = transformers.SamMaskDecoderConfig(
        hidden_size=16, mlp_dim=24, num_attention_heads=2, iou_head_hidden_dim=20, layer_norm_eps=1e-5
    )
    config = transformers.SamConfig(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder)
    theirs = randomized(transformers.SamModel(config))
    ours = BuildSegmentor(CFG, "TEST").eval()
    ours.load_state_dict(names.sam(theirs.state_dict()))
    return ours, theirs


def test_image_encoder(both):
    ours, theirs = both
    images = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        assert_agree(ours.image_encoder(images), theirs.vision_encoder(images).last_hidden_state)


@pytest.mark.parametrize("multimask", [False, True])
@pytest.mark.parametrize("prompts", ["points", "boxes", "points boxes", "points masks", "points boxes masks"])
def test_prompts(both, prompts, multimask):
    ours, theirs = both
    image, mask = torch.randn(1, 3, 96, 96), torch.randn(1, 1, 24, 24)
    given = {"points": (POINTS, LABELS), "boxes": BOXES, "masks": mask.expand(2, -1, -1, -1)}
    their_names = {"points": {"input_points": POINTS[None], "input_labels": LABELS[None]}}
    their_names |= {"boxes": {"input_boxes": BOXES[None]}, "masks": {"input_masks": mask}}
    with torch.no_grad():
        chosen = [given[name] if name in prompts.split() else None for name in given]
        masks, quality = ours.decode(ours.encode(image), *chosen, multimask_output=multimask)
        arguments = {key: value for name in prompts.split() for key, value in their_names[name].items()}
        expected = theirs(pixel_values=image, multimask_output=multimask, **arguments)
    assert masks.shape == (2, 3 if multimask else 1, 24, 24)
    assert_agree(masks, expected.pred_masks[0])
    assert_agree(quality, expected.iou_scores[0])
