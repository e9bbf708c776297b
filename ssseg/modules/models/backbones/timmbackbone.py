from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from ...utils.errors import ConfigError, ResourceError, UnknownNameError, nearest
from .weights import State, load_pretrained


class TIMMBackbone(nn.Module):
    """Any network of the package timm that returns maps; install it with `pip install ssseg[timm]`.

    Source: Wightman, "PyTorch Image Models", https://github.com/huggingface/pytorch-image-models.

    Args:
        structure_type: of no effect here; `model_name` tells the network.
        model_name: as timm lists it, such as "resnet18" or "convnext_tiny.fb_in22k".
        features_only: must be True; without it timm returns class scores.
        in_channels: of the images.
        pretrained: load weights, from `pretrained_model_path` or, where that is None or "", fetched by timm.
        pretrained_model_path: a file with timm's names.
        extra_args: further arguments of `timm.create_model`, such as `out_indices`, or `dynamic_img_size` for a vision
            transformer that shall take images of any size.

    Shape:
        (N, in_channels, H, W) to a tuple of maps (N, C, h, w); `out_channels` are their widths.

    Raises:
        ResourceError: timm is not installed, or cannot be imported.
        ConfigError: timm has no such network, or it does not return maps, or the weights do not fit.
    """

    def __init__(
        self,
        structure_type: str,
        model_name: str,
        features_only: bool = True,
        in_channels: int = 3,
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
        extra_args: Mapping[str, Any] | None = None,
    ):
        super().__init__()
        if not features_only:
            raise ConfigError(
                "SEGMENTOR_CFG['backbone']['features_only']: is False, but a segmentor needs maps; set it to True."
            )
        self.structure_type = structure_type
        by_timm = pretrained and not pretrained_model_path
        self.timm_model = _create(model_name, pretrained=by_timm, in_chans=in_channels, **(extra_args or {}))
        self.out_channels = tuple(self.timm_model.feature_info.channels())
        self.channels_come_last = getattr(self.timm_model, "output_fmt", "NCHW") == "NHWC"
        if pretrained and pretrained_model_path:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls={},
                built_as={},
                convert=self.converted,
                input_key=next(name for name, value in self.named_parameters() if value.ndim == 4),
                unused=("",),  # the classifier, and stages that `out_indices` leaves out
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        maps = self.timm_model(x)
        return tuple(x.permute(0, 3, 1, 2) for x in maps) if self.channels_come_last else tuple(maps)

    def converted(self, state: State) -> State:
        """Name the entries of a whole network of timm's as its wrappers for features do."""
        own = self.state_dict()

        def wrapped(name: str) -> str:
            names = (name, name.replace(".", "_", 1), f"model.{name}", f"body.{name}")
            return next((f"timm_model.{x}" for x in names if f"timm_model.{x}" in own), name)

        return {wrapped(name): value for name, value in state.items()}


def _create(model_name: str, **arguments: Any) -> Any:
    timm = _timm()
    where = "SEGMENTOR_CFG['backbone']['model_name']"
    if not timm.is_model(model_name):
        names = timm.list_models()
        raise UnknownNameError(
            f"{where}: timm {timm.__version__} has no network {model_name!r} among its {len(names)}."
            f"{nearest(model_name, names)} timm.list_models() lists them."
        )
    try:
        return timm.create_model(model_name, features_only=True, **arguments)
    except (AssertionError, AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{where}: timm cannot build {model_name!r} with {arguments} to return maps: {error}"
        ) from error


def _timm() -> Any:
    try:
        import timm
    except ImportError as error:
        raise ResourceError("TIMMBackbone needs the package timm: pip install ssseg[timm]") from error
    except RuntimeError as error:  # torchvision's, whose operators belong to one build of torch
        raise ResourceError(
            f"TIMMBackbone needs the package timm, and that needs a torchvision made for this torch: {error}"
        ) from error
    return timm
