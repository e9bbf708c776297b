from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .bricks import BuildActivation, BuildNormalization, conv_norm_act, resize_like
from .checks import one_of
from .resnet import BasicBlock, Bottleneck, build_shortcut
from .weights import load_pretrained

# The authors', trained on ImageNet, as OpenMMLab serves them; MIT.
DEFAULT_MODEL_URLS = {
    "hrnetv2_w18_small": "https://download.openmmlab.com/pretrain/third_party/hrnetv2_w18_small-b5a04e21.pth",
    "hrnetv2_w18": "https://download.openmmlab.com/pretrain/third_party/hrnetv2_w18-00eb2006.pth",
    "hrnetv2_w32": "https://download.openmmlab.com/pretrain/third_party/hrnetv2_w32-dc9eeb4f.pth",
    "hrnetv2_w40": "https://download.openmmlab.com/pretrain/third_party/hrnetv2_w40-ed0b031c.pth",
    "hrnetv2_w48": "https://download.openmmlab.com/pretrain/third_party/hrnetv2_w48-d2186c55.pth",
}
AUTO_ASSERT_STRUCTURE_TYPES = {name: {"arch": name} for name in DEFAULT_MODEL_URLS}


@dataclass(frozen=True)
class Arch:
    """Sizes of an HRNet.

    Args:
        width: of the finest branch; each other one is twice as wide as the one before.
        num_blocks: in each branch of a module, and in the first stage.
        num_modules: in stages 2, 3 and 4, which have as many branches.
    """

    width: int
    num_blocks: int = 4
    num_modules: tuple[int, int, int] = (1, 4, 3)


ARCHS = {
    "hrnetv2_w18_small": Arch(18, num_blocks=2, num_modules=(1, 3, 2)),
    "hrnetv2_w18": Arch(18),
    "hrnetv2_w32": Arch(32),
    "hrnetv2_w40": Arch(40),
    "hrnetv2_w48": Arch(48),
}


class HRModule(nn.Module):
    """Residual blocks on each branch, then every branch gets the sum of all, brought to its size and width.

    Paper: Wang et al., "Deep High-Resolution Representation Learning", TPAMI 2020, arXiv:1908.07919, section 3.2.

    Args:
        widths: of the branches, finest first.
        num_outputs: of the branches, how many are fused and returned.
    """

    def __init__(
        self,
        widths: Sequence[int],
        num_blocks: int,
        num_outputs: int,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.branches = nn.ModuleList(
            nn.Sequential(*(BasicBlock(width, width, **layers) for _ in range(num_blocks))) for width in widths
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(build_fuse(widths, source, target, layers) for source in range(len(widths)))
            for target in range(num_outputs)
        )
        self.relu = BuildActivation(act_cfg)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:  # of branch i (N, widths[i], H / 2^i, W / 2^i)
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        fused = []
        fuse_layers: Any = self.fuse_layers
        for target, layers in zip(maps, fuse_layers, strict=False):  # the last module may fuse the first only
            first, *others = (resize_like(layer(x), target) for layer, x in zip(layers, maps, strict=True))
            fused.append(self.relu(sum(others, start=first)))
        return fused


def build_fuse(widths: Sequence[int], source: int, target: int, layers: Mapping[str, Any]) -> nn.Module:
    """Return what brings branch `source` to the width and, for even sizes, to the size of branch `target`."""
    norm_cfg, steps = layers["norm_cfg"], target - source
    if steps == 0:
        return nn.Identity()
    if steps < 0:
        return nn.Sequential(
            nn.Conv2d(widths[source], widths[target], 1, bias=False),
            BuildNormalization(placeholder=widths[target], norm_cfg=norm_cfg),
            nn.Upsample(scale_factor=2**-steps, mode="bilinear", align_corners=False),
        )
    halve = [conv_norm_act(widths[source], widths[source], 3, stride=2, **layers) for _ in range(steps - 1)]
    last = conv_norm_act(widths[source], widths[target], 3, stride=2, norm_cfg=norm_cfg, act_cfg=None)
    return nn.Sequential(*(nn.Sequential(*conv) for conv in (*halve, last)))


class HRNet(nn.Module):
    """Branches of several sizes side by side, which exchange what they know; the finest keeps 1/4 of the image.

    Paper: Wang et al., "Deep High-Resolution Representation Learning for Visual Recognition", TPAMI 2020,
    arXiv:1908.07919; the output is that of HRNetV2, section 3.4.

    Args:
        structure_type: names the pretrained weights, a key of `DEFAULT_MODEL_URLS`.
        arch: a key of `ARCHS`.
        in_channels: of the images.
        multiscale_output: else only the finest branch is returned.
        mcibi_version: leave out the first activation, as the published MCIBI checkpoints do.
        pretrained: load weights, from `pretrained_model_path` or, where that is None or "", fetched.

    Shape:
        (N, in_channels, H, W) to one map (N, C, H/4, W/4) that joins those of the four branches; `out_channels` is
        (C,).

    Raises:
        ConfigError: there is no such arch, or the weights do not fit.
    """

    def __init__(
        self,
        structure_type: str,
        arch: str = "hrnetv2_w18",
        in_channels: int = 3,
        multiscale_output: bool = True,
        mcibi_version: bool = False,
        norm_cfg: Mapping[str, Any] | None = {"type": "SyncBatchNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "ReLU", "inplace": True},
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        sizes = one_of("arch", arch, ARCHS)
        self.structure_type, self.arch, self.mcibi_version = structure_type, arch, mcibi_version
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.conv1, self.bn1, self.relu = conv_norm_act(in_channels, 64, 3, stride=2, **layers)
        self.conv2, self.bn2, _ = conv_norm_act(64, 64, 3, stride=2, **layers)
        shortcut = build_shortcut(64, 256, 1, False, norm_cfg)
        first = Bottleneck(64, 64, downsample=shortcut, **layers)
        self.layer1 = nn.Sequential(first, *(Bottleneck(256, 64, **layers) for _ in range(sizes.num_blocks - 1)))
        inner = [256]
        for stage, num_modules in enumerate(sizes.num_modules, start=2):
            widths = [sizes.width * 2**i for i in range(stage)]
            modules = []
            for i in range(num_modules):
                last = stage == 4 and i == num_modules - 1
                num_outputs = stage if multiscale_output or not last else 1
                modules.append(HRModule(widths, sizes.num_blocks, num_outputs, **layers))
            self.add_module(f"transition{stage - 1}", build_transition(inner, widths, layers))
            self.add_module(f"stage{stage}", nn.Sequential(*modules))
            inner = widths
        self.out_channels = (sum(inner) if multiscale_output else inner[0],)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                input_key="conv1.weight",
                unused=("incre_modules.", "downsamp_modules.", "final_layer.", "classifier."),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        x = self.bn1(self.conv1(x))  # (N, 64, H/2, W/2)
        x = self.relu(self.bn2(self.conv2(x if self.mcibi_version else self.relu(x))))  # (N, 64, H/4, W/4)
        maps = [self.layer1(x)]  # (N, 256, H/4, W/4)
        for stage in range(2, 5):
            transition = getattr(self, f"transition{stage - 1}")
            sources = [*maps, maps[-1]]  # a new branch starts from the coarsest one
            maps = [layer(source) for layer, source in zip(transition, sources, strict=True)]
            maps = getattr(self, f"stage{stage}")(maps)
        return (torch.cat([resize_like(y, maps[0]) for y in maps], dim=1),)


def build_transition(inner: Sequence[int], widths: Sequence[int], layers: Mapping[str, Any]) -> nn.ModuleList:
    """Return what gives the branches the widths of the next stage; the last one, which is new, is strided."""
    kept = [
        nn.Identity() if before == after else nn.Sequential(*conv_norm_act(before, after, 3, **layers))
        for before, after in zip(inner, widths, strict=False)
    ]
    new = nn.Sequential(nn.Sequential(*conv_norm_act(inner[-1], widths[-1], 3, stride=2, **layers)))
    return nn.ModuleList([*kept, new])
