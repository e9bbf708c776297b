"""Building segmentors, built-in and one's own, and what the base class makes of a cfg."""

import copy
import importlib

import pytest
import torch
from torch import nn

from ssseg.modules import BuildActivation, BuildNormalization, BuildSegmentor, SegmentorBuilder, SSSegInputStructure
from ssseg.modules.models.segmentors.base import BaseSegmentor
from ssseg.modules.models.segmentors.base.labelsizes import draw_labels
from ssseg.modules.utils import ConfigError, SSSegOutputStructure, UnknownNameError
from tests.contracts.small_cfgs import small


@pytest.fixture
def builder():
    """The builder; its registry is put back as it was."""
    before = dict.copy(SegmentorBuilder.REGISTERED_MODULES)
    yield SegmentorBuilder()
    SegmentorBuilder.REGISTERED_MODULES.clear()
    SegmentorBuilder.REGISTERED_MODULES.update(before)


def sample(n=2, size=32):
    images = torch.randn(n, 3, size, size)
    return SSSegInputStructure(images=images, seg_targets=torch.randint(0, 4, (n, size, size)))


def changed(name="FCN", **sections):
    """A small cfg with some fields of some sections replaced."""
    cfg = small(name)
    for section, fields in sections.items():
        cfg[section].update(fields)
    return cfg


def replaced(**entries):
    """The small FCN with some entries replaced."""
    return small("FCN") | entries


class TutorialFCN(BaseSegmentor):
    """The tutorial's sample: its own constructor and forward pass on top of the base class."""

    def __init__(self, cfg, mode):
        super().__init__(cfg, mode)
        norm_cfg, act_cfg, head_cfg = self.norm_cfg, self.act_cfg, cfg["head"]
        convs, width = [], head_cfg["in_channels"]
        for _ in range(head_cfg.get("num_convs", 2)):
            convs.append(nn.Conv2d(width, head_cfg["feats_channels"], kernel_size=3, padding=1, bias=False))
            convs.append(BuildNormalization(placeholder=head_cfg["feats_channels"], norm_cfg=norm_cfg))
            convs.append(BuildActivation(act_cfg))
            width = head_cfg["feats_channels"]
        convs.append(nn.Dropout2d(head_cfg["dropout"]))
        convs.append(nn.Conv2d(width, cfg["num_classes"], kernel_size=1))
        self.decoder = nn.Sequential(*convs)
        self.setauxiliarydecoder(cfg["auxiliary"])
        if cfg.get("is_freeze_norm", False):
            self.freezenormalization()

    def forward(self, data_meta):
        img_size = data_meta.images.size(2), data_meta.images.size(3)
        backbone_outputs = self.transforminputs(
            self.backbone_net(data_meta.images), selected_indices=self.cfg["backbone"].get("selected_indices")
        )
        seg_logits = self.decoder(backbone_outputs[-1])
        if self.mode in ["TRAIN", "TRAIN_DEVELOP"]:
            loss, losses_log_dict = self.customizepredsandlosses(
                seg_logits=seg_logits,
                annotations=data_meta.getannotations(),
                backbone_outputs=backbone_outputs,
                losses_cfg=self.cfg["losses"],
                img_size=img_size,
            )
            if self.mode == "TRAIN":
                return SSSegOutputStructure(mode=self.mode, loss=loss, losses_log_dict=losses_log_dict)
            return SSSegOutputStructure(
                mode=self.mode, loss=loss, losses_log_dict=losses_log_dict, seg_logits=seg_logits
            )
        return SSSegOutputStructure(mode=self.mode, seg_logits=seg_logits)


def test_the_tutorials_own_segmentor_equals_ours(builder):
    ours = BuildSegmentor(small("FCN"), "TRAIN")
    with pytest.warns(UserWarning, match="'FCN' was registered already"):
        builder.register("FCN", TutorialFCN)
    theirs = builder.build(small("FCN"), mode="TRAIN")
    assert type(theirs) is TutorialFCN
    theirs.load_state_dict(ours.state_dict())
    assert list(theirs.state_dict()) == list(ours.state_dict())
    batch = sample()
    assert torch.equal(theirs(batch).loss, ours(batch).loss)
    assert torch.equal(theirs.eval().inference(batch.images), ours.eval().inference(batch.images))


def test_a_custom_auxiliary_head_replaces_ours(builder):
    class Custom(SegmentorBuilder.REGISTERED_MODULES["FCN"]):
        def setauxiliarydecoder(self, auxiliary_cfg):
            self.auxiliary_decoder = nn.Conv2d(auxiliary_cfg["width"], self.num_classes, 1)

    builder.register("Custom", Custom)
    segmentor = builder.build(replaced(type="Custom", auxiliary={"width": 32}), "TRAIN")
    assert set(segmentor(sample()).losses_log_dict) == {"loss_aux", "loss_cls", "loss_total"}


def test_without_an_auxiliary_head_its_loss_is_left_out():
    segmentor = BuildSegmentor(replaced(auxiliary=None), "TRAIN")
    assert "loss_aux" in segmentor.cfg["losses"]
    assert set(segmentor(sample()).losses_log_dict) == {"loss_cls", "loss_total"}


@pytest.mark.parametrize("name", SegmentorBuilder().keys())
def test_classes_are_importable_from_the_package_of_their_method(name):
    cls = SegmentorBuilder().get(name)
    package = cls.__module__.rpartition(".")[0]
    assert getattr(importlib.import_module(package), name) is cls


def test_the_cfg_is_copied_and_loses_its_type():
    cfg = small("FCN")
    before = copy.deepcopy(cfg)
    segmentor = BuildSegmentor(cfg, "TRAIN")
    assert cfg == before
    assert segmentor.cfg is not cfg
    assert "type" not in segmentor.cfg
    assert segmentor.cfg["head"] == before["head"]


def test_modes():
    segmentor = BuildSegmentor(small("FCN"), "TRAIN_DEVELOP")
    assert segmentor.mode == "TRAIN_DEVELOP"
    assert segmentor.eval().mode == "TEST"
    assert segmentor.train().mode == "TRAIN_DEVELOP"
    segmentor = BuildSegmentor(small("FCN"), "TEST")
    assert (segmentor.mode, segmentor.training) == ("TEST", False)
    assert segmentor.train().mode == "TRAIN"
    with pytest.raises(ConfigError, match=r"mode='train' must be one of TRAIN, TEST, TRAIN_DEVELOP"):
        BuildSegmentor(small("FCN"), "train")


def test_the_backbone_gets_the_norm_of_the_segmentor_unless_it_has_its_own():
    group = {"type": "GroupNorm", "num_groups": 2}
    segmentor = BuildSegmentor(replaced(norm_cfg=group), "TRAIN")
    assert isinstance(segmentor.backbone_net.stem[1], nn.GroupNorm)
    segmentor = BuildSegmentor(changed(backbone={"norm_cfg": group}), "TRAIN")
    assert isinstance(segmentor.backbone_net.stem[1], nn.GroupNorm)
    assert isinstance(segmentor.decoder[1], nn.BatchNorm2d)
    assert isinstance(BuildSegmentor(changed(act_cfg={"type": "ELU"}), "TRAIN").backbone_net.stem[2], nn.ReLU)


def test_auxiliary_heads():
    assert BuildSegmentor(replaced(auxiliary=None), "TRAIN").auxiliary_decoder is None
    head = {"in_channels": 32, "out_channels": 8, "dropout": 0.1}
    single = BuildSegmentor(replaced(auxiliary=[head]), "TRAIN").auxiliary_decoder
    assert [type(layer).__name__ for layer in single] == ["Conv2d", "BatchNorm", "ReLU", "Dropout2d", "Conv2d"]
    bare = BuildSegmentor(replaced(auxiliary={"in_channels": 32, "num_convs": 0, "dropout": 0.1}), "TRAIN")
    assert [type(layer).__name__ for layer in bare.auxiliary_decoder] == ["Dropout2d", "Conv2d"]
    larger = changed(auxiliary={"upsample": {"scale_factor": 2}, "num_convs": 2})
    assert BuildSegmentor(larger, "TRAIN").auxiliary_decoder(torch.randn(2, 32, 3, 3)).shape == (2, 4, 12, 12)


def test_several_auxiliary_heads_read_the_maps_before_the_last_in_order():
    heads = [{"in_channels": width, "out_channels": 8, "dropout": 0.0} for width in (16, 32)]
    ce = {"type": "CrossEntropyLoss"}
    cfg = replaced(auxiliary=heads, losses={"loss_aux1": ce, "loss_aux2": ce, "loss_cls": ce})
    segmentor = BuildSegmentor(cfg, "TRAIN")
    assert isinstance(segmentor.auxiliary_decoder, nn.ModuleList)
    assert set(segmentor(sample()).losses_log_dict) == {"loss_aux1", "loss_aux2", "loss_cls", "loss_total"}


def test_a_pixel_sampler_is_taken_from_the_head():
    sampler = {"type": "OHEMPixelSampler", "thresh": 0.7, "min_kept_per_image": 10}
    segmentor = BuildSegmentor(changed(head={"pixelsampler": sampler}), "TRAIN")
    assert type(segmentor.pixel_sampler).__name__ == "OHEMPixelSampler"
    assert segmentor(sample()).loss.isfinite()
    assert BuildSegmentor(small("FCN"), "TRAIN").pixel_sampler is None


def test_negative_indices_select_maps_from_the_end():
    one, other = (
        BuildSegmentor(changed(backbone={"selected_indices": indices}), "TEST").eval() for indices in ((2, 3), (-2, -1))
    )
    other.load_state_dict(one.state_dict())
    images = torch.randn(1, 3, 32, 32)
    assert torch.equal(one.inference(images), other.inference(images))
    with pytest.raises(ConfigError, match=r"\['selected_indices'\]: is \(-5, 3\), must be numbers from 0 to 3"):
        BuildSegmentor(changed(backbone={"selected_indices": (-5, 3)}), "TRAIN")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"head": {"in_channels": 512}},
            r"\['head'\]\['in_channels'\]: is 512, but must be 64, the width of map 3.*have 8, 16, 32, 64 channels",
        ),
        ({"auxiliary": {"in_channels": 16}}, r"\['auxiliary'\]\['in_channels'\]: is 16, but must be 32"),
        (
            {"backbone": {"selected_indices": (2, 4)}},
            r"\['selected_indices'\]: is \(2, 4\), must be numbers from 0 to 3",
        ),
        ({"backbone": {"selected_indices": (3,)}}, r"\['auxiliary'\].*number 2 from the end.*\(3,\)"),
        ({"auxiliary": {"out_channels": None}}, r"\['auxiliary'\] needs 'out_channels'"),
        ({"auxiliary": {"dropot": 0.1}}, r"\['auxiliary'\]\['dropot'\].*Did you mean 'dropout'"),
        ({"norm_cfg": {"type": "BatchNorm"}}, r"norm_cfg\['type'\]: no normalization is called 'BatchNorm'"),
    ],
)
def test_what_does_not_fit_is_told_at_build_time(fields, message):
    with pytest.raises(ConfigError, match=message):
        BuildSegmentor(changed(**fields), "TRAIN")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"num_classes": -1}, r"\['num_classes'\]: is -1"),
        ({"head": None}, r"\['head'\]: not set"),
        ({"backbone": None}, r"\['backbone'\]: not set"),
    ],
)
def test_what_is_not_set_is_told_at_build_time(entries, message):
    with pytest.raises(ConfigError, match=message):
        BuildSegmentor(replaced(**entries), "TRAIN")


def test_heads_that_read_two_maps_are_checked_too():
    with pytest.raises(
        ConfigError, match=r"\['in_channels'\]: is \[16, 64\], but must be 8, 64, the width of map 0, 3"
    ):
        BuildSegmentor(changed("Deeplabv3Plus", head={"in_channels": [16, 64]}), "TRAIN")


def test_an_unknown_type_names_the_nearest():
    with pytest.raises(UnknownNameError, match=r"SEGMENTOR_CFG\['type'\].*'PSPnet'.*Did you mean 'PSPNet'"):
        BuildSegmentor(replaced(type="PSPnet"), "TRAIN")


def test_losses_that_do_not_match_the_predictions():
    cfg = small("FCN")
    del cfg["losses"]["loss_aux"]
    with pytest.raises(ConfigError, match=r"\['losses'\].*loss_cls.*predictions.*SEGMENTOR_CFG\['auxiliary'\]"):
        BuildSegmentor(cfg, "TRAIN")(sample())


@pytest.mark.parametrize("name", ["PSPNet", "MaskFormer"])
def test_one_value_a_channel_names_the_layer_and_the_cure(name):
    segmentor = BuildSegmentor(small(name), "TRAIN")
    with pytest.raises(ConfigError, match=r"ppm_net\.branches\.0\.2: .*is_freeze_norm"):
        segmentor(sample(1, 64))
    frozen = BuildSegmentor(small(name) | {"is_freeze_norm": "averages"}, "TRAIN")
    assert frozen(sample(1, 64)).loss.isfinite()


def test_other_errors_pass_through():
    segmentor = BuildSegmentor(small("FCN"), "TRAIN")
    segmentor.predict = lambda features: (_ for _ in ()).throw(ValueError("mine"))
    with pytest.raises(ValueError, match=r"^mine$"):
        segmentor(sample())


@pytest.mark.parametrize("how", [True, "averages"])
def test_frozen_norms_stay_frozen(how):
    segmentor = BuildSegmentor(replaced(is_freeze_norm=how), "TRAIN")
    norms = [m for m in segmentor.modules() if isinstance(m, nn.BatchNorm2d)]
    assert not any(m.training for m in norms)
    for _ in range(2):
        segmentor.eval().train()
        assert all(m.training == (how is True) for m in norms)
        assert not any(p.requires_grad for m in norms for p in m.parameters())
        assert segmentor.decoder[0].training


def test_only_some_norms_are_frozen():
    segmentor = BuildSegmentor(changed(backbone={"norm_cfg": {"type": "GroupNorm", "num_groups": 2}}), "TRAIN")
    segmentor.freezenormalization([nn.GroupNorm], averages=True)
    segmentor.train()
    assert not segmentor.backbone_net.stem[1].training
    assert segmentor.decoder[1].training


def test_a_backbone_that_does_not_tell_its_widths_is_not_checked(builder, monkeypatch):
    from ssseg.modules import BackboneBuilder

    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 6, 3, stride=4, padding=1)

        def forward(self, x):
            return [self.conv(x)]

    monkeypatch.setitem(BackboneBuilder.REGISTERED_MODULES, "Plain", Plain)
    cfg = changed(head={"in_channels": 6}, auxiliary={"in_channels": 6}) | {"backbone": {"type": "Plain"}}
    segmentor = BuildSegmentor(cfg, "TRAIN")
    assert len(segmentor.transforminputs(segmentor.backbone_net(sample().images))) == 4
    assert segmentor(sample()).loss.isfinite()


@pytest.mark.parametrize("grid", ["image", "logits"])
def test_the_grid_of_the_loss(grid):
    segmentor = BuildSegmentor(replaced(runtime={"loss_grid": grid}), "TRAIN_DEVELOP")
    batch = sample()
    torch.manual_seed(1)
    result = segmentor(batch)
    scores, labels = result.seg_logits, batch.seg_targets
    if grid == "image":
        scores = nn.functional.interpolate(scores, (32, 32), mode="bilinear")
    else:
        torch.manual_seed(1)
        labels = draw_labels(labels, (4, 4), align_corners=False)
    expected = nn.functional.cross_entropy(scores, labels)
    torch.testing.assert_close(result.losses_log_dict["loss_cls"], expected.detach())


def test_predictions_without_losses_are_at_the_size_of_the_image():
    segmentor = BuildSegmentor(replaced(runtime={"loss_grid": "logits"}), "TRAIN")
    maps = segmentor.transforminputs(segmentor.backbone_net(sample().images), (0, 1, 2, 3))
    predictions = segmentor.customizepredsandlosses(
        seg_logits=segmentor.predict(maps),
        annotations={},
        backbone_outputs=maps,
        losses_cfg={},
        img_size=(32, 32),
        auto_calc_loss=False,
    )
    assert {name: tuple(x.shape) for name, x in predictions.items()} == {
        "loss_aux": (2, 4, 32, 32),
        "loss_cls": (2, 4, 32, 32),
    }
