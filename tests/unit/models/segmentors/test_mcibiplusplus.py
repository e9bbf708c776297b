import pytest
import torch

from ssseg.modules import BuildSegmentor, SSSegInputStructure
from ssseg.modules.models.segmentors.mcibiplusplus.mcibiplusplus import one_hot_like
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small


def images(n=2):
    return torch.randn(n, 3, 48, 64)


def test_classes_are_drawn_with_the_numbers_of_their_seed_and_the_global_generator_stays():
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    noise = BuildSegmentor(small("MCIBIPlusPlus"), "TEST").memory_module.noise
    torch.random.set_rng_state(state)
    for label, row in enumerate(noise):
        torch.manual_seed(label)
        drawn = torch.normal(torch.full((1, len(row)), 0.0), torch.full((1, len(row)), 1.0))
        assert torch.equal(drawn[0], row)


def test_a_forward_pass_leaves_the_global_generator_alone():
    segmentor, batch = BuildSegmentor(small("MCIBIPlusPlus"), "TEST"), images(1)
    state = torch.random.get_rng_state()
    segmentor(SSSegInputStructure(mode="TEST", images=batch))
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int16, torch.float32])
def test_warm_up_reads_labels_of_any_type(dtype):
    cfg = small("MCIBIPlusPlus")
    cfg["head"]["warmup_epoch"] = 3
    segmentor, batch = BuildSegmentor(cfg, "TRAIN"), images()
    labels = torch.randint(0, 4, (2, 48, 64)).to(dtype)
    results = [segmentor(SSSegInputStructure(images=batch, seg_targets=labels), epoch=e).loss.item() for e in (2, 3)]
    assert results[0] != results[1]


def test_one_hot_like():
    labels = torch.tensor([[[0, 0, 2, 2], [0, 0, 2, 2], [255, 255, 1, 1], [255, 255, 1, 1]]])
    made = one_hot_like(torch.zeros(1, 3, 2, 2), labels)
    assert made.argmax(dim=1).tolist() == [[[0, 2], [0, 1]]]
    assert made.sum(dim=1).tolist() == [[[1, 1], [0, 1]]]


def test_scores_of_another_segmentor_say_what_a_position_is():
    segmentor = BuildSegmentor(small("MCIBIPlusPlus"), "TEST")
    maps = [torch.randn(1, width, 6, 8) for width in (8, 16, 32, 64)]
    segmentor.memory_module.memory[:, 0] = torch.arange(4.0)
    with torch.no_grad():
        alone = segmentor.predict(maps)
        helped = segmentor.predict(maps, memory_gather_logits=9 * torch.randn(1, 4, 3, 4))
    assert not torch.allclose(alone, helped)


def test_memory_beside_the_pyramid():
    cfg = small("MCIBIPlusPlus")
    cfg["head"]["fuse_memory_cwi_before_fpn"] = False
    cfg["head"]["fpn"]["feats_channels"] = 8
    segmentor = BuildSegmentor(cfg, "TEST")
    assert segmentor(SSSegInputStructure(mode="TEST", images=images(1))).seg_logits.shape == (1, 4, 12, 16)


def test_a_decoder_that_is_missing():
    cfg = small("MCIBIPlusPlus")
    del cfg["head"]["decoder"]["cls"]
    with pytest.raises(ConfigError, match=r"\['decoder'\]: 'cls' is missing"):
        BuildSegmentor(cfg, "TRAIN")
