import pytest
import torch

from ssseg.modules import BuildSegmentor, SSSegInputStructure
from ssseg.modules.models.segmentors.isnet import class_vectors, spread_over_pixels
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small


def test_class_vectors_against_loops():
    features, scores = torch.randn(2, 5, 3, 4), torch.randn(2, 6, 3, 4)
    scores[:, 4] = -9  # a class that no pixel has
    made = spread_over_pixels(class_vectors(features, scores), scores)
    for image in range(2):
        labels = scores[image].argmax(dim=0)
        for label in labels.unique():
            pixels = labels == label
            weights = scores[image, label][pixels].softmax(dim=0)
            expected = (features[image][:, pixels] * weights).sum(dim=1)
            torch.testing.assert_close(made[image][:, pixels], expected[:, None].expand(-1, int(pixels.sum())))


def test_absent_classes_give_no_bad_gradient():
    features = torch.randn(1, 5, 3, 4, requires_grad=True)
    scores = torch.randn(1, 6, 3, 4, requires_grad=True)
    spread_over_pixels(class_vectors(features, scores), scores).square().sum().backward()
    assert features.grad.isfinite().all()
    assert scores.grad.isfinite().all()


def test_without_concatenation_or_shortcut():
    cfg = small("ISNet")
    cfg["head"] |= {"concat_input": False, "shortcut": {**cfg["head"]["shortcut"], "is_on": False}}
    segmentor = BuildSegmentor(cfg, "TEST")
    with torch.no_grad():
        assert segmentor.predict([torch.randn(1, width, 6, 6) for width in (8, 16, 32, 64)]).shape == (1, 4, 6, 6)
    assert not [key for key in segmentor.state_dict() if "shortcut" in key or "ilc_net.bottleneck" in key]


def test_without_concatenation_nothing_waits_for_gradients_that_never_come():
    cfg = small("ISNet")
    cfg["head"]["concat_input"] = False
    segmentor = BuildSegmentor(cfg, "TRAIN")
    labels = torch.randint(0, 4, (2, 48, 64))
    segmentor(SSSegInputStructure(images=torch.randn(2, 3, 48, 64), seg_targets=labels)).loss.backward()
    # several processes would wait for those of the image-level context, which nothing reads
    assert all(p.grad is not None for p in segmentor.parameters() if p.requires_grad)
    assert any(key.startswith("ilc_net.") for key in segmentor.state_dict())


def test_a_shortcut_of_another_width_than_the_first_map():
    cfg = small("ISNet")
    cfg["head"]["shortcut"]["in_channels"] = 9
    with pytest.raises(ConfigError, match=r"\['shortcut'\]\['in_channels'\]: is 9, but must be 8"):
        BuildSegmentor(cfg, "TRAIN")
