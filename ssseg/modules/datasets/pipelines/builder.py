from collections.abc import Callable, Mapping
from typing import Any

from ...utils.errors import ConfigError, SSSegError
from ...utils.modulebuilder import BaseModuleBuilder, Registry

Transform = Callable[[dict[str, Any]], dict[str, Any]]

_MODULES = {
    "albumentations_wrapper": "AlbumentationsWrapper",
    "blur": "PILRandomGaussianBlur RandomGaussianBlur",
    "colour": "AdjustGamma CLAHE Rerange RGB2Gray",
    "crop": "RandomCrop",
    "cutout": "RandomCutOut",
    "edges": "EdgeExtractor",
    "flip": "RandomFlip",
    "normalize": "Normalize",
    "padding": "Padding",
    "photometric": "PhotoMetricDistortion",
    "resize": "RandomChoiceResize RandomShortestEdgeResize Resize ResizeShortestEdge",
    "rotation": "RandomRotation",
    "totensor": "ToTensor",
}

_FORMS = "A transform is written ('Resize', {'output_size': 512}) or {'type': 'Resize', 'output_size': 512}."


class DataTransformBuilder(BaseModuleBuilder):
    """Builds a transform from its cfg: `type` names it, the other entries are its arguments."""

    REGISTERED_MODULES = Registry(
        {name: f"{__package__}.{module}:{name}" for module, names in _MODULES.items() for name in names.split()}
    )
    kind = "data transform"
    where = "data_pipelines"


def BuildDataTransform(transform_cfg: Mapping[str, Any]) -> Transform:  # noqa: N802
    """Build the transform that `transform_cfg["type"]` names."""
    transform: Transform = DataTransformBuilder().build(transform_cfg)
    return transform


def build_pipeline(data_pipelines: Any, *, where: str) -> list[Transform]:
    """Build the transforms of a pipeline, in their order.

    Args:
        data_pipelines: a list of `("Resize", {"output_size": ...})` or `{"type": "Resize", "output_size": ...}`.
        where: its place, such as `SEGMENTOR_CFG['dataset']['train']['data_pipelines']`.

    Raises:
        ConfigError: an entry has neither form, or a transform refuses its arguments; the message names the entry.
        UnknownNameError: no transform has that name.
        ResourceError: a transform needs a package that is not installed.
    """
    if not isinstance(data_pipelines, list | tuple):
        raise ConfigError(f"{where}={data_pipelines!r} must be a list of transforms. {_FORMS}")
    return [_built(entry, f"{where}[{index}]") for index, entry in enumerate(data_pipelines)]


def _built(entry: Any, where: str) -> Transform:
    cfg = _as_cfg(entry, where)
    try:
        transform: Transform = DataTransformBuilder().construct(cfg, where)
    except SSSegError as error:
        if str(error).startswith(where):
            raise
        raise type(error)(f"{where}: {error}") from error
    except (ValueError, AssertionError) as error:  # how transforms that users wrote refuse arguments
        raise ConfigError(f"{where}: {cfg['type']} refuses its arguments: {error}") from error
    return transform


def _as_cfg(entry: Any, where: str) -> dict[str, Any]:
    match entry:
        case {"type": str()}:
            return dict(entry)
        case [str() as name, Mapping() as fields] if "type" not in fields:
            return {"type": name, **fields}
    raise ConfigError(f"{where}={entry!r} is no transform. {_FORMS}")
