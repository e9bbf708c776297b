"""Finds all problems of a `SEGMENTOR_CFG` at once, before anything is trained."""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from ..configs._base_ import SegmentorConfig
from ..modules.utils.errors import ConfigError, SSSegError
from .options import RuntimeOptions
from .partcheck import Problem, as_problem, check_fields, check_known, check_part, failures

ROOT = "SEGMENTOR_CFG"
_UNSET: dict[str, tuple[Any, ...]] = {
    "type": (None,),
    "num_classes": (None, -1),
    "backbone": (None,),
    "dataset": (None,),
    "dataloader": (None,),
}
_LOADER = ("batch_size_per_gpu", "num_workers_per_gpu", "shuffle", "pin_memory", "drop_last")
_KNOWN = {
    ("ema_cfg",): ("momentum", "device"),
    ("fp16_cfg",): ("type", "autocast", "grad_scaler", "initialize", "scale_loss"),
    ("inference",): ("forward", "tta", "evaluate"),
    ("inference", "forward"): ("mode", "cropsize", "stride"),
    ("inference", "tta"): ("multiscale", "flip", "use_probs_before_resize", "fixed_seg_target_pairs", "cascade"),
    ("inference", "evaluate"): ("metric_list", "nan_to_num", "beta"),
    ("dataloader",): ("expected_total_train_bs_for_assert", "auto_adapt_to_expected_train_bs", "train", "test"),
    ("dataloader", "train"): _LOADER,
    ("dataloader", "test"): _LOADER,
}


def check_config(cfg: SegmentorConfig, *, build: bool = False) -> list[Problem]:
    """Return the problems of a config, sorted by place.

    Args:
        build: where nothing else is wrong, also build the model, without memory for its weights, and its optimizer.
    """
    checks = (_top_level, unset_values, _known_fields, _run_options, _parts, _schedule, _data, _num_classes, _losses)
    problems = [problem for check in checks for problem in check(cfg)]
    if build and not any(problem.severity == "error" for problem in problems):
        problems += _model(cfg)
    return sorted(dict.fromkeys(problems), key=lambda problem: _natural(problem.place))


def require_set(cfg: SegmentorConfig) -> None:
    """Raise one ConfigError that lists what a base config leaves open and this one has not set."""
    places = [problem.place for problem in unset_values(cfg)]
    if places:
        raise ConfigError(
            f"{', '.join(places)}: not set yet. Base configs leave these to experiments; ssseg/configs/fcn has examples."
        )


def unset_values(cfg: SegmentorConfig) -> Iterator[Problem]:
    """Yield a problem for each value that a base config leaves open."""
    for name, nothing in _UNSET.items():
        if cfg.get(name) in nothing:
            yield Problem(f"{ROOT}[{name!r}]", f"is {cfg.get(name)!r}: not set yet")
    scheduler = cfg.get("scheduler")
    if not scheduler or scheduler.get("max_epochs", 0) == 0:
        yield Problem(f"{ROOT}['scheduler']['max_epochs']", "is 0: not set yet")


def _top_level(cfg: SegmentorConfig) -> Iterator[Problem]:
    options = [field.name for field in fields(RuntimeOptions)]
    known = {key: value for key, value in cfg.items() if key not in options}
    yield from check_known(known, (*SegmentorConfig(), *SegmentorConfig.OPTIONAL), ROOT)
    for name in options:
        if name in cfg:
            yield Problem(f"{ROOT}[{name!r}]", f"nothing reads this here; it belongs in {ROOT}['runtime'][{name!r}]")


def _known_fields(cfg: SegmentorConfig) -> Iterator[Problem]:
    for path, known in _KNOWN.items():
        part: Any = cfg
        for key in path:
            part = part.get(key) if isinstance(part, Mapping) else None
        yield from check_known(part, known, ROOT + "".join(f"[{key!r}]" for key in path))


def _run_options(cfg: SegmentorConfig) -> Iterator[Problem]:
    place = f"{ROOT}['runtime']"
    wrong = list(check_fields(RuntimeOptions, cfg.get("runtime") or {}, place))
    yield from wrong or failures(lambda: RuntimeOptions.of(cfg), place)
    forward = (cfg.get("inference") or {}).get("forward") or {}
    place, mode = f"{ROOT}['inference']['forward']", forward.get("mode")
    if mode not in ("whole", "slide"):
        yield Problem(f"{place}['mode']", f"is {mode!r}; it must be 'whole' or 'slide'")
    for name in ("cropsize", "stride") if mode == "slide" else ():
        if not _is_size(forward.get(name)):
            yield Problem(f"{place}[{name!r}]", f"is {forward.get(name)!r}; it must be (height, width) in pixels")


def _parts(cfg: SegmentorConfig) -> Iterator[Problem]:
    from ..modules import BackboneBuilder, BaseSegmentor, LoggerHandleBuilder, LossBuilder, SegmentorBuilder

    if cfg.get("type") is not None:
        try:
            segmentor = SegmentorBuilder().find(cfg["type"], ROOT)
        except (SSSegError, ImportError) as error:
            yield as_problem(error, f"{ROOT}['type']")
        else:
            build_head = getattr(segmentor, "build_head", BaseSegmentor.build_head)
            if build_head is not BaseSegmentor.build_head:
                head = {name: value for name, value in (cfg.get("head") or {}).items() if name != "pixelsampler"}
                yield from check_fields(build_head, head, f"{ROOT}['head']")
    if cfg.get("backbone") is not None:
        left_out = ("selected_indices", "norm_cfg")
        yield from check_part(BackboneBuilder(), cfg["backbone"], f"{ROOT}['backbone']", left_out=left_out)
    yield from check_part(LoggerHandleBuilder(), cfg.get("logger_handle_cfg"), f"{ROOT}['logger_handle_cfg']")
    for name, given in (cfg.get("losses") or {}).items():
        place = f"{ROOT}['losses'][{name!r}]"
        several = {f"{place}[{i}]": loss for i, loss in enumerate(given)} if isinstance(given, list | tuple) else {}
        for where, loss in (several or {place: given}).items():
            yield from check_part(LossBuilder(), loss, where, construct=True)
    yield from _layers(cfg, ROOT)


def _layers(node: Any, place: str) -> Iterator[Problem]:
    """Check each `norm_cfg` and `act_cfg`, wherever it stands."""
    from ..modules import ActivationBuilder, NormalizationBuilder

    if isinstance(node, Mapping):
        for key, value in node.items():
            where = f"{place}[{key!r}]"
            if key == "act_cfg" and value is not None:
                yield from check_part(ActivationBuilder(), value, where, construct=True)
            elif key == "norm_cfg" and value is not None:
                norms = NormalizationBuilder()
                yield from check_part(norms, value, where, given=_channels(norms, value))
            else:
                yield from _layers(value, where)
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from _layers(value, f"{place}[{i}]")


def _channels(norms: Any, norm_cfg: Any) -> Sequence[str]:
    """Return the parameters of a normalization that say how many channels there are: the builder gives them."""
    import inspect

    name = norm_cfg.get("type") if isinstance(norm_cfg, Mapping) else None
    if name not in norms.REGISTERED_MODULES:
        return ()
    params = list(inspect.signature(norms.get(name)).parameters)
    return ["num_channels"] if "num_channels" in params else params[:1]


def _schedule(cfg: SegmentorConfig) -> Iterator[Problem]:
    import torch

    from ..modules import BuildOptimizer, BuildParamsConstructor, BuildScheduler, OptimizerBuilder, SchedulerBuilder

    place, scheduler_cfg = f"{ROOT}['scheduler']", cfg.get("scheduler")
    length = {"max_epochs": 1, "iters_per_epoch": 1}
    wrong = list(check_part(SchedulerBuilder(), scheduler_cfg, place, given=["optimizer"], left_out=["optimizer"]))
    optimizer_cfg = scheduler_cfg.get("optimizer") if isinstance(scheduler_cfg, Mapping) else None
    where, of_params = f"{place}['optimizer']", ("params_rules", "filter_params", "base_setting")
    wrong += check_part(OptimizerBuilder(), optimizer_cfg, where, given=["params"], left_out=of_params)
    yield from wrong
    if wrong:
        return
    rules, filtered = optimizer_cfg.get("params_rules"), optimizer_cfg.get("filter_params", False)
    yield from failures(lambda: BuildParamsConstructor(rules, filtered, optimizer_cfg), f"{where}['params_rules']")
    bare = {name: value for name, value in optimizer_cfg.items() if name not in of_params}
    parameter = torch.nn.Parameter(torch.zeros(1))
    wrong = list(failures(lambda: BuildOptimizer([parameter], bare), where))
    yield from wrong or failures(
        lambda: BuildScheduler(BuildOptimizer([parameter], bare), {**scheduler_cfg, **length}), place
    )


def _data(cfg: SegmentorConfig) -> Iterator[Problem]:
    from ..modules import DatasetBuilder, DataTransformBuilder

    yield from ()


def _num_classes(cfg: SegmentorConfig) -> Iterator[Problem]:
    yield from ()


def _losses(cfg: SegmentorConfig) -> Iterator[Problem]:
    yield from ()


def _model(cfg: SegmentorConfig) -> Iterator[Problem]:
    yield from ()


def _is_size(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(n, int) and n > 0 for n in value)


def _natural(place: str) -> list[Any]:
    """Order places by their text, and numbers in them by their value."""
    return [(0, int(word), "") if word.isdigit() else (1, 0, word) for word in re.split(r"(\d+)", place)]
