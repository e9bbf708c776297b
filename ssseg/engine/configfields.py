"""The sections of a config that name no class: which fields they have, and of which kinds."""

import inspect
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..configs._base_ import SegmentorConfig
from ..modules.datasets.pipelines.metrics import metrics_of
from ..modules.utils.errors import listed, nearest
from ..modules.utils.logger import TrainingLoggingManager
from .fieldkinds import unmet
from .problems import ROOT, Problem, check_fields, check_known, section

_LOADER = {
    "batch_size_per_gpu": int,
    "num_workers_per_gpu": int,
    "shuffle": bool,
    "pin_memory": bool,
    "drop_last": bool,
}
_FIELDS: dict[tuple[str, ...], dict[str, Any]] = {
    ("ema_cfg",): {"momentum": float | None, "device": Any},
    ("fp16_cfg",): {
        "type": str | None,
        "autocast": dict | None,
        "grad_scaler": dict | None,
        "initialize": dict | None,
        "scale_loss": dict | None,
    },
    ("inference",): {"forward": dict, "tta": dict | None, "evaluate": dict},
    ("inference", "forward"): {"mode": str, "cropsize": Any, "stride": Any},
    ("inference", "tta"): {
        "multiscale": Sequence,
        "flip": bool,
        "use_probs_before_resize": bool,
        "fixed_seg_target_pairs": Any,
        "cascade": Any,
    },
    ("inference", "evaluate"): {"metric_list": Sequence | str, "nan_to_num": float | None, "beta": float},
    ("dataloader",): {
        "expected_total_train_bs_for_assert": int,
        "auto_adapt_to_expected_train_bs": bool,
        "train": dict,
        "test": dict,
    },
    ("dataloader", "train"): _LOADER,
    ("dataloader", "test"): _LOADER,
}
_NEEDED = {
    ("inference",): ("forward", "evaluate"),
    ("inference", "evaluate"): ("metric_list",),
    ("dataloader",): ("expected_total_train_bs_for_assert", "auto_adapt_to_expected_train_bs", "train", "test"),
}
_OF_DATASET = {"rootdir": str | os.PathLike, "set": str, "train": dict | None, "test": dict | None}


def check_sections(cfg: SegmentorConfig) -> Iterator[Problem]:
    """Yield a problem for each field that nothing reads, that is missing, or that is of another kind."""
    top = {name: p.annotation for name, p in inspect.signature(SegmentorConfig.__init__).parameters.items()}
    extras = dict.fromkeys(SegmentorConfig.OPTIONAL, dict | None)
    yield from _kinds(
        cfg,
        top | extras | {"work_dir": str | os.PathLike | None, "segmentor": Any, "is_freeze_norm": bool | str | None},
        ROOT,
    )
    for path, known in _FIELDS.items():
        parent, place = section(cfg, *path[:-1]), ROOT + "".join(f"[{key!r}]" for key in path)
        part = parent.get(path[-1])
        yield from check_known(part, known, place)
        if isinstance(part, Mapping):
            yield from _kinds(part, known, place)
            for name in _NEEDED.get(path, ()):
                if name not in part:
                    yield Problem(place, f"needs {name!r}, which is missing")
    logging = cfg.get("training_logging_manager_cfg")
    if isinstance(logging, Mapping):
        yield from check_fields(TrainingLoggingManager, logging, f"{ROOT}['training_logging_manager_cfg']")
    for names in ((), ("train",), ("test",)):
        place = f"{ROOT}['dataset']" + "".join(f"[{name!r}]" for name in names)
        yield from _kinds(section(cfg, "dataset", *names), _OF_DATASET, place)
    yield from _loader_ranges(cfg)
    yield from _metrics(cfg)


def _kinds(fields: Mapping[str, Any], kinds: Mapping[str, Any], place: str) -> Iterator[Problem]:
    for name in kinds.keys() & fields.keys():
        if expected := unmet(kinds[name], fields[name]):
            yield Problem(f"{place}[{name!r}]", f"is {fields[name]!r}; it must be {expected}")


def _loader_ranges(cfg: SegmentorConfig) -> Iterator[Problem]:
    for part in ("train", "test"):
        fields = section(cfg, "dataloader", part)
        for name, least in (("batch_size_per_gpu", 1), ("num_workers_per_gpu", 0)):
            value = fields.get(name, least)
            if isinstance(value, int) and value < least:
                yield Problem(f"{ROOT}['dataloader'][{part!r}][{name!r}]", f"is {value}; it must be {least} or more")


def _metrics(cfg: SegmentorConfig) -> Iterator[Problem]:
    known = list(metrics_of(np.ones((1, 2))))
    wanted = section(cfg, "inference", "evaluate").get("metric_list", ())
    place = f"{ROOT}['inference']['evaluate']['metric_list']"
    for name in [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, Sequence) else ():
        if name not in known:
            yield Problem(place, f"there is no metric {name!r}.{nearest(name, known)} There are: {listed(known)}.")
    best = section(cfg, "runtime").get("best_metric", "miou")
    if best not in known:
        yield Problem(f"{ROOT}['runtime']['best_metric']", f"there is no metric {best!r}.{nearest(best, known)}")
