"""Finds all problems of a `SEGMENTOR_CFG` at once, before anything is trained."""

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from ..configs._base_ import SegmentorConfig
from ..modules.utils.errors import ConfigError
from .classweights import check_class_weights, with_stand_ins
from .configfields import check_sections
from .configparts import PART_CHECKS, check_model, classes_of
from .options import RuntimeOptions
from .problems import ROOT, Problem, check_fields, check_known, failures, section

_UNSET: dict[str, tuple[Any, ...]] = {
    "type": (None,),
    "num_classes": (None, -1),
    "backbone": (None,),
    "dataset": (None,),
    "dataloader": (None,),
}


def check_config(cfg: SegmentorConfig, *, build: bool = False) -> list[Problem]:
    """Return the problems of a config, sorted by place.

    Args:
        build: where nothing else is wrong, also build the model, without memory for its weights, and its optimizer.
    """
    asked, cfg = cfg, with_stand_ins(cfg)
    checks = (_top_level, unset_values, check_sections, _run_options, _num_classes, *PART_CHECKS)
    problems = [problem for check in checks for problem in check(cfg)] + list(check_class_weights(asked))
    if build and not any(problem.severity == "error" for problem in problems):
        problems += check_model(cfg)
    return sorted(dict.fromkeys(problems), key=lambda problem: _natural(problem.place))


def require_valid(cfg: SegmentorConfig) -> list[Problem]:
    """Raise one ConfigError that lists everything wrong with a config; return what deserves a warning only."""
    problems = check_config(cfg)
    errors = [f"{problem.place}: {problem.message}" for problem in problems if problem.severity == "error"]
    if errors:
        raise ConfigError("\n".join(errors))
    return problems


def unset_values(cfg: SegmentorConfig) -> Iterator[Problem]:
    """Yield a problem for each value that a base config leaves open."""
    for name, nothing in _UNSET.items():
        if cfg.get(name) in nothing:
            yield Problem(f"{ROOT}[{name!r}]", f"is {cfg.get(name)!r}: not set yet")
    if section(cfg, "scheduler").get("max_epochs", 0) == 0:
        yield Problem(f"{ROOT}['scheduler']['max_epochs']", "is 0: not set yet")


def _top_level(cfg: SegmentorConfig) -> Iterator[Problem]:
    options = [field.name for field in fields(RuntimeOptions)]
    known = {key: value for key, value in cfg.items() if key not in options}
    yield from check_known(known, (*SegmentorConfig(), *SegmentorConfig.OPTIONAL), ROOT)
    for name in options:
        if name in cfg:
            yield Problem(f"{ROOT}[{name!r}]", f"nothing reads this here; it belongs in {ROOT}['runtime'][{name!r}]")


def _run_options(cfg: SegmentorConfig) -> Iterator[Problem]:
    place = f"{ROOT}['runtime']"
    wrong = list(check_fields(RuntimeOptions, section(cfg, "runtime"), place))
    yield from wrong or failures(lambda: RuntimeOptions.of(cfg), place)
    freezing = cfg.get("is_freeze_norm")
    if freezing not in (None, True, False, "averages"):
        yield Problem(f"{ROOT}['is_freeze_norm']", f"is {freezing!r}; it must be True, False or 'averages'")
    forward, place = section(cfg, "inference", "forward"), f"{ROOT}['inference']['forward']"
    mode = forward.get("mode")
    if mode not in ("whole", "slide"):
        yield Problem(f"{place}['mode']", f"is {mode!r}; it must be 'whole' or 'slide'")
    for name in ("cropsize", "stride") if mode == "slide" else ():
        if not _is_size(forward.get(name)):
            yield Problem(f"{place}[{name!r}]", f"is {forward.get(name)!r}; it must be (height, width) in pixels")
    at_once = forward.get("windows_at_once")
    if at_once is not None and (isinstance(at_once, bool) or not isinstance(at_once, int) or at_once < 1):
        yield Problem(f"{place}['windows_at_once']", f"is {at_once!r}; it must be an integer of at least 1, or None")


def _num_classes(cfg: SegmentorConfig) -> Iterator[Problem]:
    dataset = section(cfg, "dataset")
    classes = classes_of(dataset)
    if classes is not None and cfg.get("num_classes") not in (*_UNSET["num_classes"], classes):
        message = f"is {cfg['num_classes']!r}, but {dataset.get('type')} has {classes} classes"
        yield Problem(f"{ROOT}['num_classes']", message)


def _is_size(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(n, int) and n > 0 for n in value)


def _natural(place: str) -> list[Any]:
    """Order places by their text, and numbers in them by their value."""
    return [(0, int(word), "") if word.isdigit() else (1, 0, word) for word in re.split(r"(\d+)", place)]
