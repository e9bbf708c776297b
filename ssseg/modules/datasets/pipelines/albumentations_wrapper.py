import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...utils.errors import ConfigError, ResourceError, UnknownNameError, call_with, nearest
from .arrays import Sample, arrays_of
from .checks import refuse


class AlbumentationsWrapper:
    """Applies a transform of the package Albumentations, which is installed with `pip install ssseg[albumentations]`.

    Before each call its generator is seeded from NumPy's global one, so a sample depends on the seed of that alone.
    `edge_target` and `img2aug_pos_mapper` are not touched: geometric transforms come before `EdgeExtractor`.

    Args:
        albu_cfg: `type` names the class, the rest are its arguments. `transforms` of a composition (OneOf, SomeOf, ...)
            may hold such dictionaries.
        albu_forward_args: more arguments of the call.
        transform_keys: which of "image" and "seg_target" it gets.

    Raises:
        ResourceError: Albumentations is not installed.
        UnknownNameError: it has no transform of that name.
        ConfigError: an argument is wrong, or a sample is refused, such as an image smaller than a crop.
    """

    NAMES = {"image": "image", "seg_target": "mask"}

    def __init__(
        self,
        albu_cfg: Mapping[str, Any],
        albu_forward_args: Mapping[str, Any] | None = None,
        transform_keys: Sequence[str] = ("image", "seg_target"),
    ):
        if not set(transform_keys) <= self.NAMES.keys() or isinstance(transform_keys, str) or not transform_keys:
            refuse(self, "transform_keys", transform_keys, f"a sequence of {' and '.join(self.NAMES)}")
        self.transform_keys = tuple(transform_keys)
        self.albu_forward_args = dict(albu_forward_args or {})
        self.transform = _built(_albumentations(), albu_cfg, "AlbumentationsWrapper: albu_cfg")

    def __call__(self, sample_meta: Sample) -> Sample:
        arrays = arrays_of(self, sample_meta, self.transform_keys)
        if not arrays:
            return sample_meta
        if hasattr(self.transform, "set_random_seed"):  # before 1.4.19 it drew from the global generators
            self.transform.set_random_seed(np.random.randint(2**31))
        try:
            results = self.transform(
                **{self.NAMES[key]: array for key, array in arrays.items()}, **self.albu_forward_args
            )
        except Exception as error:  # each of its transforms has its own ways to refuse an image
            shapes = ", ".join(f"{key} {array.dtype} {array.shape}" for key, array in arrays.items())
            raise ConfigError(
                f"AlbumentationsWrapper: {type(self.transform).__name__} refuses {shapes}: {error}"
            ) from error
        for key in arrays:
            sample_meta[key] = results[self.NAMES[key]]
        return sample_meta


def _albumentations() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import asks for newer versions, and warns where there is no network
        try:
            import albumentations
        except ImportError as error:
            raise ResourceError(
                "AlbumentationsWrapper needs the package albumentations: pip install ssseg[albumentations]"
            ) from error
    return albumentations


def _built(albumentations: Any, cfg: Any, where: str) -> Any:
    if not isinstance(cfg, Mapping) or "type" not in cfg:
        raise ConfigError(f"{where}={cfg!r} must be a dictionary whose 'type' names a class of albumentations")
    fields = dict(cfg)
    name = fields.pop("type")
    bases = (albumentations.BasicTransform, albumentations.BaseCompose)
    transforms = {
        known: value
        for known, value in vars(albumentations).items()
        if inspect.isclass(value) and issubclass(value, bases)
    }
    if name not in transforms:
        raise UnknownNameError(f"{where}['type']: albumentations has no transform {name!r}.{nearest(name, transforms)}")
    if isinstance(fields.get("transforms"), list | tuple):
        fields["transforms"] = [
            _built(albumentations, part, f"{where}['transforms'][{index}]") if isinstance(part, Mapping) else part
            for index, part in enumerate(fields["transforms"])
        ]
    try:
        return call_with(transforms[name], fields, where=where)
    except (TypeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{where}: {name} refuses its arguments: {error}") from error
