import bisect
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from ..utils.errors import ConfigError, listed
from ..utils.labelmap import LabelMap
from .base import BaseDataset, Sample
from .options import DatasetOptions

_WHERE = "SEGMENTOR_CFG['dataset']"


class MultipleDataset(BaseDataset):
    """Several data sets one after the other, with the labels of each brought to common ones.

    The cfg holds, under names of one's own, a complete cfg for each, with a `seg_target_remapper`: its label -> the
    common label. Labels that this does not list are ignored. There are as many classes as the largest common label
    says; each is called as the last data set calls it. Options beside those cfgs hold for every data set that does not
    set them itself, `repeat_times` for all of them together.

    Attributes:
        datasets: the data sets, by name.

    Raises:
        ConfigError: there is no data set, a remapper is missing or wrong, or a common label has no class.
    """

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        own = {field.name for field in fields(DatasetOptions)}
        parts = {name: part for name, part in dataset_cfg.items() if isinstance(part, Mapping) and name not in own}
        options = {name: value for name, value in dataset_cfg.items() if name not in parts}
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=options)
        if not parts:
            raise ConfigError(f"{_WHERE}: MultipleDataset has no data sets in its {mode.lower()} part")
        shared = {name: value for name, value in options.items() if name in own - {"repeat_times"}}
        remappers = {name: _remapper(name, part) for name, part in parts.items()}
        self.datasets = {name: _build(mode, logger_handle, {**shared, **part}) for name, part in parts.items()}
        for name, dataset in self.datasets.items():
            _require_labels(name, remappers[name], dataset.label_map.num_classes)
        self.classnames = _classnames(self.datasets, remappers)
        if logger_handle is not None:
            for message in _merged(self.datasets, remappers):
                logger_handle.warning(message)
        self.num_classes = len(self.classnames)
        self.palette = self.randompalette(self.num_classes)
        for name, dataset in self.datasets.items():
            dataset.label_map = self._common(dataset.label_map, remappers[name])
        members = self.datasets.values()
        self.imageids = [imageid for part in members for imageid in [*part.imageids] * part.repeat_times]
        self._starts = list(itertools.accumulate((len(part) for part in members), initial=0))

    def __getitem__(self, index: int) -> Sample:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} of a data set of {len(self)} samples")
        position = index % self._starts[-1]
        number = bisect.bisect_right(self._starts, position) - 1
        dataset = list(self.datasets.values())[number]
        dataset.epoch = self.epoch
        return dataset[position - self._starts[number]]

    def check_files(self) -> None:
        for dataset in self.datasets.values():
            dataset.check_files()

    def _common(self, label_map: LabelMap, remapper: Mapping[int, int]) -> LabelMap:
        """The map from the numbers in a data set's files to common labels, in one step."""
        ignored = label_map.ignore_index
        table = {raw: remapper.get(label, ignored) for raw, label in label_map.raw_to_label.items()}
        palette = tuple((red, green, blue) for red, green, blue in self.palette)
        names = tuple(self.classnames)
        return replace(label_map, classnames=names, palette=palette, background=None, raw_to_label=table)


def _build(mode: str, logger_handle: Any, cfg: Mapping[str, Any]) -> Any:
    from .builder import BuildDataset  # the builder lists this module

    return BuildDataset(mode, logger_handle, cfg)


def _remapper(name: str, part: Mapping[str, Any]) -> dict[int, int]:
    remapper = part.get("seg_target_remapper")
    where = f"{_WHERE}[{name!r}]['seg_target_remapper']"
    if not isinstance(remapper, Mapping) or not remapper:
        raise ConfigError(f"{where}={remapper!r}: must be {{label: common label, ...}}")
    for label, common in remapper.items():
        if not all(type(number) is int and 0 <= number < 2**15 for number in (label, common)):
            raise ConfigError(f"{where}: {label!r}: {common!r} must be whole numbers from 0 on")
    return dict(remapper)


def _require_labels(name: str, remapper: Mapping[int, int], num_classes: int) -> None:
    unknown = sorted(set(remapper) - set(range(num_classes)))
    if unknown:
        raise ConfigError(
            f"{_WHERE}[{name!r}]['seg_target_remapper']: lists the labels {listed(unknown)}, but the data set has "
            f"0..{num_classes - 1}"
        )


def _merged(datasets: Mapping[str, Any], remappers: Mapping[str, Mapping[int, int]]) -> Iterator[str]:
    """Yield a message for each common label that classes of different names become: that may be meant, or a slip."""
    sources: dict[int, dict[str, str]] = {}
    for name, dataset in datasets.items():
        for label, common in remappers[name].items():
            classname = dataset.label_map.classnames[label]
            sources.setdefault(common, {}).setdefault(classname, f"{classname!r} of {name!r} (label {label})")
    for common, names in sorted(sources.items()):
        if len(names) > 1:
            yield f"{_WHERE}: the common label {common} is {' and '.join(names.values())}"


def _classnames(datasets: Mapping[str, Any], remappers: Mapping[str, Mapping[int, int]]) -> list[str]:
    names: dict[int, str] = {}
    for name, dataset in datasets.items():
        classes = dataset.label_map.classnames
        names |= {common: classes[label] for label, common in remappers[name].items()}
    holes = sorted(set(range(max(names, default=-1) + 1)) - set(names))
    if holes:
        raise ConfigError(
            f"{_WHERE}: no 'seg_target_remapper' leads to the common labels {listed(holes, limit=12)}; they count "
            f"from 0 to {max(names)} without gaps"
        )
    return [names[common] for common in sorted(names)]
