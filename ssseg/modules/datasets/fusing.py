"""Lets a data set prepare its samples for a training loop instead of for a user: faster, and partly unfinished."""

from typing import Any

from .base import BaseDataset
from .pipelines.compose import Compose
from .pipelines.fused.plan import FusedCompose


def fuse_pipelines(dataset: Any, *, device_transforms: bool = False) -> None:
    """Let the pipelines of a data set of mode TRAIN go the faster way, see `FusedCompose`, where its options allow it.

    Its samples may then hold images that `finished_images` has to finish.

    Args:
        dataset: changed in place; of a MultipleDataset, its data sets are.
        device_transforms: leave random changes of colours to the device as well.
    """
    parts = list((getattr(dataset, "datasets", None) or {"": dataset}).values())
    composes = [compose for part in parts for compose in _composes(part)]
    # Samples of all parts meet in a batch, so all leave their end to the device, or none.
    defer = all(part.options.fast_pipeline for part in parts) and all(
        type(compose) is Compose and FusedCompose(compose).defers for compose in composes
    )
    for part in parts:
        if part.options.fast_pipeline:
            _fuse(part, device_transforms, defer)


def _composes(dataset: Any) -> list[Any]:
    return [dataset.transforms, *(compose for _, compose in dataset.scheduled_transforms)]


def _fuse(dataset: Any, device_transforms: bool, defer: bool) -> None:
    near = bool(dataset.options.raw_cache)

    def fused(compose: Any) -> Any:
        if type(compose) is not Compose:
            return compose
        return FusedCompose(compose, near=near, device_transforms=device_transforms, defer=defer)

    later = dataset.scheduled_transforms
    dataset.transforms = fused(dataset.transforms)
    dataset.scheduled_transforms = [(first_epoch, fused(compose)) for first_epoch, compose in later]
    own = any(getattr(type(dataset), name) is not getattr(BaseDataset, name) for name in ("read", "synctransforms"))
    dataset.codes_labels = not own and all(isinstance(compose, FusedCompose) for compose in _composes(dataset))
