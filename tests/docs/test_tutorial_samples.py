"""The samples of the user's specification, as they are printed there, with the surroundings that the text describes.

A sample that stands in a file of the package there (`from .base import BaseDataset`) runs here as that file.
"""

import builtins
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import ssseg.modules as modules
from ssseg.modules.utils.modulebuilder import BaseModuleBuilder

SAMPLES = {
    "RGB2Gray": """
class RGB2Gray(object):
    def __init__(self, out_channels=None, weights=(0.299, 0.587, 0.114)):
        # assert
        assert isinstance(weights, collections.abc.Sequence)
        assert out_channels is None or out_channels > 0
        for item in weights: assert isinstance(item, (float, int))
        # set attributes
        self.weights = weights
        self.out_channels = out_channels
    \'\'\'call\'\'\'
    def __call__(self, sample_meta):
        sample_meta = self.rgb2gray('image', sample_meta, self.weights, self.out_channels)
        return sample_meta
    \'\'\'rgb2gray\'\'\'
    @staticmethod
    def rgb2gray(key, sample_meta, weights, out_channels):
        if key not in sample_meta: return sample_meta
        # assert
        assert len(sample_meta[key].shape) == 3
        assert sample_meta[key].shape[2] == len(weights)
        # apply
        weights = np.array(weights).reshape((1, 1, -1))
        sample_meta[key] = (sample_meta[key] * weights).sum(2, keepdims=True)
        if out_channels is None:
            sample_meta[key] = sample_meta[key].repeat(weights.shape[2], axis=2)
        else:
            sample_meta[key] = sample_meta[key].repeat(out_channels, axis=2)
        # return
        return sample_meta
""",
    "SuperviselyDataset": """
import os
import pandas as pd
from .base import BaseDataset

\'\'\'SuperviselyDataset\'\'\'
class SuperviselyDataset(BaseDataset):
    num_classes = 2
    classnames = ['__background__', 'person']
    palette = [(0, 0, 0), (255, 0, 0)]
    clsid2label = {255: 1}
    assert num_classes == len(classnames) and num_classes == len(palette)
    def __init__(self, mode, logger_handle, dataset_cfg):
        super(SuperviselyDataset, self).__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        # obtain the dirs
        rootdir = dataset_cfg['rootdir']
        self.image_dir = os.path.join(rootdir, 'Images', dataset_cfg['set'])
        self.ann_dir = os.path.join(rootdir, 'Anno-Person', dataset_cfg['set'])
        # obatin imageids
        df = pd.read_csv(os.path.join(rootdir, dataset_cfg['set']+'.txt'), names=['imageids'])
        self.imageids = df['imageids'].values
        self.imageids = [str(_id) for _id in self.imageids]
""",
    "FCN": """
import torch.nn as nn
from ..base import BaseSegmentor
from ....utils import SSSegOutputStructure

\'\'\'FCN\'\'\'
class FCN(BaseSegmentor):
    def __init__(self, cfg, mode):
        super(FCN, self).__init__(cfg, mode)
        align_corners, norm_cfg, act_cfg, head_cfg = self.align_corners, self.norm_cfg, self.act_cfg, cfg['head']
        # build decoder
        convs = []
        for idx in range(head_cfg.get('num_convs', 2)):
            if idx == 0:
                conv = nn.Conv2d(head_cfg['in_channels'], head_cfg['feats_channels'], kernel_size=3, stride=1, padding=1, bias=False)
            else:
                conv = nn.Conv2d(head_cfg['feats_channels'], head_cfg['feats_channels'], kernel_size=3, stride=1, padding=1, bias=False)
            norm = BuildNormalization(placeholder=head_cfg['feats_channels'], norm_cfg=norm_cfg)
            act = BuildActivation(act_cfg)
            convs += [conv, norm, act]
        convs.append(nn.Dropout2d(head_cfg['dropout']))
        if head_cfg.get('num_convs', 2) > 0:
            convs.append(nn.Conv2d(head_cfg['feats_channels'], cfg['num_classes'], kernel_size=1, stride=1, padding=0))
        else:
            convs.append(nn.Conv2d(head_cfg['in_channels'], cfg['num_classes'], kernel_size=1, stride=1, padding=0))
        self.decoder = nn.Sequential(*convs)
        # build auxiliary decoder
        self.setauxiliarydecoder(cfg['auxiliary'])
        # freeze normalization layer if necessary
        if cfg.get('is_freeze_norm', False): self.freezenormalization()
    \'\'\'forward\'\'\'
    def forward(self, data_meta):
        img_size = data_meta.images.size(2), data_meta.images.size(3)
        # feed to backbone network
        backbone_outputs = self.transforminputs(self.backbone_net(data_meta.images), selected_indices=self.cfg['backbone'].get('selected_indices'))
        # feed to decoder
        seg_logits = self.decoder(backbone_outputs[-1])
        # forward according to the mode
        if self.mode in ['TRAIN', 'TRAIN_DEVELOP']:
            loss, losses_log_dict = self.customizepredsandlosses(
                seg_logits=seg_logits, annotations=data_meta.getannotations(), backbone_outputs=backbone_outputs, losses_cfg=self.cfg['losses'], img_size=img_size,
            )
            ssseg_outputs = SSSegOutputStructure(mode=self.mode, loss=loss, losses_log_dict=losses_log_dict) if self.mode == 'TRAIN' else SSSegOutputStructure(mode=self.mode, loss=loss, losses_log_dict=losses_log_dict, seg_logits=seg_logits)
        else:
            ssseg_outputs = SSSegOutputStructure(mode=self.mode, seg_logits=seg_logits)
        return ssseg_outputs
""",
    "Deeplabv3": """
from ..base import BaseSegmentor

\'\'\'Deeplabv3\'\'\'
class Deeplabv3(BaseSegmentor):
    def __init__(self, arg1, arg2):
        pass
    def forward(self, x, targets=None):
        pass
    def setauxiliarydecoder(self, auxiliary_cfg):
        pass
""",
    "PolyScheduler": """
from .basescheduler import BaseScheduler

\'\'\'PolyScheduler\'\'\'
class PolyScheduler(BaseScheduler):
    def __init__(self, arg1, arg2):
        pass
    def updatelr(self):
        pass
""",
    "SGD": """
class SGD():
    def __init__(self, arg1, arg2):
        pass
""",
} | {
    name: f"""
import torch.nn as nn

\'\'\'{name}\'\'\'
class {name}(nn.Module):
    def __init__(self, arg1, arg2):
        pass
    def forward(self, {inputs}):
        pass
"""
    for name, inputs in [("MobileNet", "x"), ("GRN", "x"), ("HardSigmoid", "x"), ("KLDivLoss", "prediction, target")]
}

BUILDERS = {
    "RGB2Gray": ("DataTransformBuilder", "datasets.pipelines"),
    "SuperviselyDataset": ("DatasetBuilder", "datasets"),
    "MobileNet": ("BackboneBuilder", "models.backbones"),
    "KLDivLoss": ("LossBuilder", "models.losses"),
    "SGD": ("OptimizerBuilder", "models.optimizers"),
    "PolyScheduler": ("SchedulerBuilder", "models.schedulers"),
    "FCN": ("SegmentorBuilder", "models.segmentors.fcn"),
    "Deeplabv3": ("SegmentorBuilder", "models.segmentors.deeplabv3"),
    "GRN": ("NormalizationBuilder", "models.backbones.bricks.normalization"),
    "HardSigmoid": ("ActivationBuilder", "models.backbones.bricks.activation"),
}


@pytest.fixture
def define():
    """Define a sample, register it as the text shows, return its class and the builder; undo it afterwards."""
    saved = []

    def run(name):
        builder_name, package = BUILDERS[name]
        given = {
            "np": np,
            "collections": __import__("collections.abc"),
            "BuildNormalization": modules.BuildNormalization,
        }
        given |= {"BuildActivation": modules.BuildActivation, "__builtins__": builtins}
        given |= {"__name__": f"ssseg.modules.{package}.sample", "__package__": f"ssseg.modules.{package}"}
        exec(compile(SAMPLES[name], name, "exec"), given)
        builder = getattr(modules, builder_name)()
        saved.append((builder.REGISTERED_MODULES, dict.copy(builder.REGISTERED_MODULES)))
        taken = name in builder.keys()  # noqa: SIM118  (a builder is no dict)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            builder.register(name, given[name])
        assert any("was registered already" in str(warning.message) for warning in caught) == taken
        return given[name], builder

    yield run
    for registry, entries in saved:
        dict.clear(registry)
        dict.update(registry, entries)


@pytest.mark.parametrize("name", BUILDERS)
def test_every_sample_can_be_registered(define, name):
    sample, builder = define(name)
    assert isinstance(builder, BaseModuleBuilder)
    assert builder.get(name) is sample


def test_transform_sample_runs_in_a_pipeline(define):
    define("RGB2Gray")
    transform = modules.BuildDataTransform({"type": "RGB2Gray", "out_channels": 1})
    sample = transform({"image": np.full((4, 5, 3), 100, np.uint8)})
    np.testing.assert_allclose(sample["image"], np.full((4, 5, 1), 100.0))


def test_dataset_sample_reads_its_tree(define, tmp_path):
    pytest.importorskip("pandas", reason="the sample reads its ids with pandas, a test extra")
    import cv2

    for folder in ("Images/train", "Anno-Person/train"):
        (tmp_path / folder).mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "Images/train/a.jpg"), np.zeros((4, 5, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "Anno-Person/train/a.png"), np.array([[0, 255, 0, 0, 0]] * 4, np.uint8))
    (tmp_path / "train.txt").write_text("a\n")
    define("SuperviselyDataset")
    cfg = {
        "type": "SuperviselyDataset",
        "rootdir": str(tmp_path),
        "train": {"set": "train", "data_pipelines": [("RandomFlip", {"prob": 0.0}), {"type": "ToTensor"}]},
        "test": {"set": "train", "data_pipelines": [("ToTensor", {})]},
    }
    dataset = modules.BuildDataset("TRAIN", None, cfg)
    assert len(dataset) == 1
    assert dataset[0]["id"] == "a"
    assert dataset[0]["seg_target"].unique().tolist() == [0, 1]


def test_segmentor_sample_trains_and_tests(define):
    cfg = {
        "type": "FCN",
        "num_classes": 3,
        "align_corners": False,
        "norm_cfg": {"type": "BatchNorm2d"},
        "act_cfg": {"type": "ReLU", "inplace": True},
        "backbone": {
            "type": "ResNet",
            "depth": 18,
            "structure_type": "resnet18",
            "pretrained": False,
            "use_conv3x3_stem": False,
            "selected_indices": (2, 3),
        },
        "head": {"in_channels": 512, "feats_channels": 8, "dropout": 0.1},
        "auxiliary": {"in_channels": 256, "out_channels": 8, "dropout": 0.1},
        "losses": {
            "loss_aux": {"type": "CrossEntropyLoss", "scale_factor": 0.4},
            "loss_cls": {"type": "CrossEntropyLoss"},
        },
    }
    built_in = modules.BuildSegmentor(cfg, mode="TRAIN")
    sample, _ = define("FCN")
    segmentor = modules.BuildSegmentor(cfg, mode="TRAIN")
    assert type(segmentor) is sample
    assert list(segmentor.state_dict()) == list(built_in.state_dict())
    batch = {"images": torch.rand(2, 3, 32, 32), "seg_targets": torch.randint(0, 3, (2, 32, 32))}
    loss, losses = segmentor(modules.SSSegInputStructure(mode="TRAIN", **batch)).getsetvariables().values()
    loss.backward()
    assert losses.keys() == {"loss_cls", "loss_aux", "loss_total"}
    segmentor.eval()
    output = segmentor(modules.SSSegInputStructure(mode="TEST", images=batch["images"]))
    assert output.seg_logits.shape == (2, 3, 4, 4)
    segmentor.mode = "TRAIN_DEVELOP"
    assert segmentor(modules.SSSegInputStructure(mode="TRAIN_DEVELOP", **batch)).seg_logits is not None


def test_losses_are_called_and_summed_as_in_the_text():
    prediction, target = torch.rand(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4))
    loss = 0
    for l_cfg in [{"type": "CrossEntropyLoss", "scale_factor": 0.4}, {"type": "DiceLoss", "scale_factor": 3.0}]:
        loss = loss + modules.BuildLoss(l_cfg)(prediction, target)
    assert torch.isfinite(loss)


def test_auxiliary_sample_overrides_the_hook(define):
    sample, _ = define("Deeplabv3")
    assert sample.setauxiliarydecoder is not modules.BaseSegmentor.setauxiliarydecoder
    assert issubclass(sample, nn.Module)
