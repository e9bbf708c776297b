"""The options that every data set takes."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar

from ..utils.errors import ConfigError, nearest
from ..utils.labelmap import IGNORE_INDEX
from ..utils.rasters import MAX_CHANNELS
from .pipelines.rareclass import RareClassFocus

_WHERE = "SEGMENTOR_CFG['dataset']"
_RARE = f"{_WHERE}['rare_class_crop']"
_PLACES = ("type", "rootdir", "set", "train", "test")
_ENVIRONMENTS = ("local", "server")
_Choice = TypeVar("_Choice")
_INT16 = range(-(2**15) + 1, 2**15)


@dataclass(frozen=True)
class DatasetOptions:
    """Entries of `SEGMENTOR_CFG['dataset']`, or of its train or test part, beside those that say where the data are.

    Attributes:
        data_pipelines: the transforms.
        pipeline_schedule: `(first_epoch, data_pipelines)` pairs: from that epoch on, counted from 1, these transforms
            take the place of `data_pipelines`.
        in_channels: of the images, which then keep the depth of their files, see `utils.rasters`; None reads 8-bit BGR.
        repeat_times: how often each image appears in an epoch.
        eval_env: "local" compares with label maps; "server" writes predictions, and in mode TEST reads no label maps.
        ignore_index: the label of pixels that do not count.
        auto_correct_invalid_seg_target: ignore pixels whose numbers stand for no class, instead of an error.
        record_img2aug_pos_mapper: let samples carry the original position of each pixel.
        bad_samples: in training, what to do with an image or label map that cannot be used: "raise" ends the run,
            `{"skip": n}` reads another sample in its place, for up to n different ones.
        fast_pipeline: let training runs prepare samples in less time, see `FusedCompose`: the same ones, but for
            colours that saturation and hue both change, which differ by 0.3 grey levels on average.
        label_cache: in training runs, keep all label maps in memory, run-length coded.
        raw_cache: in training, the folder of decoded pixels that `ssseg data cache` has made; "" reads the files.
        rare_class_crop: in training, let RandomCrop show rare classes more often, see `RareClassFocus.of`.

    Raises:
        ConfigError: a value is out of range, or a name is nearly that of an option.
    """

    data_pipelines: Sequence[Any] = ()
    pipeline_schedule: Sequence[tuple[int, Sequence[Any]]] = ()
    in_channels: int | None = None
    repeat_times: int = 1
    eval_env: str = "local"
    ignore_index: int = IGNORE_INDEX
    auto_correct_invalid_seg_target: bool = False
    record_img2aug_pos_mapper: bool = False
    bad_samples: Any = "raise"
    fast_pipeline: bool = True
    label_cache: bool = False
    raw_cache: str = ""
    rare_class_crop: Any = None

    @classmethod
    def of(cls, dataset_cfg: Mapping[str, Any]) -> Self:
        """Pick the options out of a data set's cfg, which may hold entries of its class as well."""
        names = [field.name for field in fields(cls)]
        for key in dataset_cfg:
            close = difflib.get_close_matches(str(key), [*names, *_PLACES], n=1, cutoff=0.85)
            if close and close[0] not in dataset_cfg:
                raise ConfigError(f"{_WHERE}[{key!r}]: there is no such option. Did you mean {close[0]!r}?")
        return cls(**{name: dataset_cfg[name] for name in names if name in dataset_cfg})

    def __post_init__(self) -> None:
        channels = self.in_channels
        if channels is not None and (not _is_int(channels) or not 1 <= channels <= MAX_CHANNELS):
            raise _wrong("in_channels", channels, f"must be a whole number in 1..{MAX_CHANNELS}, or None for 8-bit BGR")
        if not _is_int(self.repeat_times) or self.repeat_times < 1:
            raise _wrong("repeat_times", self.repeat_times, "must be a whole number from 1 on")
        if self.eval_env not in _ENVIRONMENTS:
            near = nearest(self.eval_env, _ENVIRONMENTS)
            raise _wrong("eval_env", self.eval_env, f"must be 'local' or 'server'.{near}")
        if not _is_int(self.ignore_index) or self.ignore_index not in _INT16:
            raise _wrong("ignore_index", self.ignore_index, f"must be a whole number in {_INT16[0]}..{_INT16[-1]}")
        if not isinstance(self.raw_cache, str):
            raise _wrong("raw_cache", self.raw_cache, "must be the path of a folder, or '' for none")
        for name in ("auto_correct_invalid_seg_target", "record_img2aug_pos_mapper", "fast_pipeline", "label_cache"):
            if not isinstance(getattr(self, name), bool):
                raise _wrong(name, getattr(self, name), "must be True or False")
        if self.bad_samples != "raise" and self.skip_budget is None:
            raise _wrong("bad_samples", self.bad_samples, "must be 'raise' or {'skip': n}, n a whole number from 1 on")
        RareClassFocus.of(self.rare_class_crop, _RARE)
        for number, entry in enumerate(self.pipeline_schedule):
            match entry:
                case [first_epoch, list() | tuple()] if _is_int(first_epoch) and first_epoch >= 1:
                    pass
                case _:
                    form = "must be (first_epoch, data_pipelines), with epochs counted from 1"
                    raise ConfigError(f"{_WHERE}['pipeline_schedule'][{number}]={entry!r} {form}")

    @property
    def skip_budget(self) -> int | None:
        """How many samples may be skipped, None where the first bad one is an error."""
        match self.bad_samples:
            case {"skip": budget, **others} if _is_int(budget) and budget >= 1 and not others:
                return int(budget)
        return None

    @property
    def crop_focus(self) -> RareClassFocus | None:
        """What `rare_class_crop` means."""
        return RareClassFocus.of(self.rare_class_crop, _RARE)


def chosen(choices: Mapping[str, _Choice], split: str) -> _Choice:
    """Look up what a data set has for a set, such as a folder; ConfigError where it has no such set."""
    if split not in choices:
        near = nearest(split, choices)
        raise ConfigError(f"{_WHERE}['set']={split!r}: must be {' or '.join(map(repr, choices))}.{near}")
    return choices[split]


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _wrong(name: str, value: object, expected: str) -> ConfigError:
    return ConfigError(f"{_WHERE}[{name!r}]={value!r} {expected}")
