"""What goes into a segmentor and what comes out of it."""

from dataclasses import dataclass, fields
from typing import Any, Literal, Self, get_args

import torch
from torch import Tensor

Mode = Literal["TRAIN", "TEST", "TRAIN_DEVELOP"]


@dataclass
class _Structure:
    mode: Mode = "TRAIN"
    auto_validate: bool = True

    def __post_init__(self) -> None:
        if self.auto_validate:
            self.validate()

    def validate(self) -> None:
        """Check that the fields that `mode` needs are set, and only those.

        Raises:
            ValueError: `mode` is unknown, a field is missing, or one is set that the mode does not have.
        """
        if self.mode not in get_args(Mode):
            raise ValueError(f"mode={self.mode!r} must be one of {', '.join(get_args(Mode))}")

    def addfield(self, name: str, value: Any) -> None:
        """Add a field that is not there yet."""
        if hasattr(self, name):
            raise AttributeError(f"{type(self).__name__} has a field {name!r} already; setvariable() changes it")
        setattr(self, name, value)

    def delfield(self, name: str) -> None:
        """Remove a field."""
        self._require(name)
        delattr(self, name)

    def setvariable(self, name: str, value: Any) -> None:
        """Change a field that is there, and validate again."""
        self._require(name)
        setattr(self, name, value)
        if self.auto_validate:
            self.validate()

    def getsetvariables(self) -> dict[str, Any]:
        """Return the fields that are set, without `mode` and `auto_validate`, in the order of their declaration."""
        declared = [field.name for field in fields(self) if field.name not in ("mode", "auto_validate")]
        added = [name for name in vars(self) if name not in declared and name not in ("mode", "auto_validate")]
        values = {name: getattr(self, name, None) for name in declared + added}
        return {name: value for name, value in values.items() if value is not None}

    def __getitem__(self, index: Any) -> Self:
        """Index every field that is set; TypeError for a field that is no tensor."""
        values = self.getsetvariables()
        for name, value in values.items():
            if not isinstance(value, Tensor):
                raise TypeError(f"field {name!r} is a {type(value).__name__}; only tensors can be indexed")
        return type(self)(
            mode=self.mode, auto_validate=self.auto_validate, **{name: value[index] for name, value in values.items()}
        )

    @classmethod
    def stack(cls, instances: list[Self], dim: int = 0) -> Self:
        """Stack structures with the same fields along a new dimension `dim`."""
        first = instances[0]
        values = {
            name: torch.stack([getattr(instance, name) for instance in instances], dim=dim)
            for name in first.getsetvariables()
        }
        return cls(mode=first.mode, auto_validate=first.auto_validate, **values)

    def _require(self, name: str) -> None:
        if not hasattr(self, name):
            raise AttributeError(f"{type(self).__name__} has no field {name!r}")

    def _require_set(self, *names: str) -> None:
        for name in names:
            if getattr(self, name) is None:
                raise ValueError(f"{type(self).__name__} in mode {self.mode} needs {name!r}")

    def _require_unset(self, *names: str) -> None:
        for name in names:
            if getattr(self, name) is not None:
                raise ValueError(f"{type(self).__name__} in mode {self.mode} has no {name!r}")


@dataclass
class SSSegInputStructure(_Structure):
    """A batch as a segmentor reads it.

    Shape:
        images: (N, C, H, W) float. seg_targets, edge_targets: (N, H, W) integer. img2aug_pos_mapper: (N, H, W).
    """

    images: Tensor | None = None
    seg_targets: Tensor | None = None
    edge_targets: Tensor | None = None
    img2aug_pos_mapper: Tensor | None = None

    def validate(self) -> None:
        super().validate()
        self._require_set("images")
        if self.mode != "TEST" and self.seg_targets is None and self.edge_targets is None:
            raise ValueError(f"{type(self).__name__} in mode {self.mode} needs 'seg_targets' or 'edge_targets'")

    def getannotations(self) -> dict[str, Tensor]:
        """Return the targets that are set, by name."""
        return {name: value for name in ("seg_targets", "edge_targets") if (value := getattr(self, name)) is not None}


@dataclass
class SSSegOutputStructure(_Structure):
    """What a segmentor returns.

    TRAIN sets `loss` and `losses_log_dict`, TEST sets `seg_logits`, TRAIN_DEVELOP all three.

    Shape:
        loss: (). seg_logits: (N, K, h, w), not upsampled to the image. losses_log_dict: name -> detached ().
    """

    loss: Tensor | None = None
    seg_logits: Tensor | None = None
    losses_log_dict: dict[str, Tensor] | None = None

    def validate(self) -> None:
        super().validate()
        if self.mode == "TEST":
            self._require_set("seg_logits")
            self._require_unset("loss", "losses_log_dict")
        else:
            self._require_set("loss", "losses_log_dict")
            if self.mode == "TRAIN":
                self._require_unset("seg_logits")
            else:
                self._require_set("seg_logits")
