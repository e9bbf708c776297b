"""The checks of a config's parts: each names a class, and that class's signature says what the part may hold."""

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from ..configs._base_ import SegmentorConfig
from ..modules import (
    ActivationBuilder,
    BackboneBuilder,
    BaseSegmentor,
    BuildOptimizer,
    BuildParamsConstructor,
    BuildScheduler,
    BuildSegmentor,
    DatasetBuilder,
    DataTransformBuilder,
    LoggerHandleBuilder,
    LossBuilder,
    NormalizationBuilder,
    OptimizerBuilder,
    SchedulerBuilder,
    SegmentorBuilder,
)
from ..modules.datasets.options import DatasetOptions
from ..modules.models.segmentors.base import BuildAuxiliaryDecoder, used_losses
from ..modules.utils.errors import UnknownNameError, listed
from ..modules.utils.labelmap import IGNORE_INDEX
from .backbonecfg import without_pretrained
from .imagechannels import channel_problems, normalize_problems, with_image_channels
from .problems import ROOT, Problem, as_problem, check_fields, check_part, failures, section

_OF_PARAMS = ("params_rules", "filter_params", "base_setting")  # of the optimizer's cfg, for the params constructor


def check_segmentor(cfg: SegmentorConfig) -> Iterator[Problem]:
    """Check that the segmentor is known and its head gets the fields that it takes."""
    if cfg.get("type") is None:
        return
    try:
        segmentor = SegmentorBuilder().find(cfg["type"], ROOT)
    except (UnknownNameError, ImportError) as error:
        yield as_problem(error, f"{ROOT}['type']")
        return
    build_head = getattr(segmentor, "build_head", BaseSegmentor.build_head)
    if build_head is not BaseSegmentor.build_head:
        head = {name: value for name, value in section(cfg, "head").items() if name != "pixelsampler"}
        yield from check_fields(build_head, head, f"{ROOT}['head']")
    if getattr(segmentor, "setauxiliarydecoder", None) is BaseSegmentor.setauxiliarydecoder:
        yield from _auxiliary_heads(cfg)
    yield from _prediction_names(segmentor, cfg)


def _prediction_names(segmentor: Any, cfg: SegmentorConfig) -> Iterator[Problem]:
    """Check that the losses are those of the predictions, for segmentors that leave naming these to the base class."""
    own = ("forward", "predict_in_training", "customizepredsandlosses", "setauxiliarydecoder")
    losses, auxiliary = section(cfg, "losses"), cfg.get("auxiliary")
    if any(getattr(segmentor, name, None) is not getattr(BaseSegmentor, name) for name in own):
        return
    count = len(auxiliary) if isinstance(auxiliary, list | tuple) else int(bool(auxiliary))
    names = ["loss_aux"] if count == 1 else [f"loss_aux{i + 1}" for i in range(count)]
    if {"loss_cls", *names} != set(used_losses(losses, auxiliary)):
        made = ", ".join(["loss_cls", *names])
        heads = f"{count} auxiliary head{'s' * (count != 1)}"
        message = f"are of {listed(losses) or 'nothing'}; {cfg['type']} with {heads} makes the predictions {made}"
        yield Problem(f"{ROOT}['losses']", message)


def check_backbone(cfg: SegmentorConfig) -> Iterator[Problem]:
    """Check the backbone's name and fields."""
    if cfg.get("backbone") is not None:
        place = f"{ROOT}['backbone']"
        yield from check_part(
            BackboneBuilder(), cfg["backbone"], place, given=["norm_cfg"], left_out=["selected_indices"]
        )
        indices = section(cfg, "backbone").get("selected_indices")
        whole = isinstance(indices, list | tuple) and all(isinstance(index, int) for index in indices)
        if indices is not None and not (whole and indices):
            yield Problem(f"{place}['selected_indices']", f"is {indices!r}; it must list the maps' numbers, from 0")
        yield from channel_problems(cfg)


def _auxiliary_heads(cfg: SegmentorConfig) -> Iterator[Problem]:
    auxiliary, place = cfg.get("auxiliary") or [], f"{ROOT}['auxiliary']"
    several = isinstance(auxiliary, list | tuple)
    for i, head in enumerate(auxiliary if several else [auxiliary]):
        where = f"{place}[{i}]" if several else place
        if isinstance(head, Mapping):
            yield from check_fields(BuildAuxiliaryDecoder, head, where, given=("num_classes", "norm_cfg", "act_cfg"))
        else:
            yield Problem(where, f"is {head!r}; it must be a dictionary")


def check_losses(cfg: SegmentorConfig) -> Iterator[Problem]:
    """Check each loss, alone or in a list."""
    for name, given in section(cfg, "losses").items():
        place = f"{ROOT}['losses'][{name!r}]"
        several = isinstance(given, list | tuple)
        for i, loss in enumerate(given if several else [given]):
            where = f"{place}[{i}]" if several else place
            wrong = list(check_part(LossBuilder(), loss, where, construct=True))
            yield from wrong or _ignored_label(cfg, loss, where)


def _ignored_label(cfg: SegmentorConfig, loss: Mapping[str, Any], place: str) -> Iterator[Problem]:
    """Warn where a loss ignores another label than the data set gives to ignored pixels."""
    options = {**section(cfg, "dataset"), **section(cfg, "dataset", "train")}
    marked = options.get("ignore_index", IGNORE_INDEX)
    takes = inspect.signature(LossBuilder().find(loss["type"])).parameters.get("ignore_index")
    if takes is not None and (ignored := loss.get("ignore_index", takes.default)) != marked:
        message = f"is {ignored!r}, but {ROOT}['dataset']['ignore_index'] is {marked!r}: ignored pixels have that label"
        yield Problem(f"{place}['ignore_index']", message, "warning")


def check_logger(cfg: SegmentorConfig) -> Iterator[Problem]:
    """Check the name and the fields of the logger."""
    yield from check_part(LoggerHandleBuilder(), cfg.get("logger_handle_cfg"), f"{ROOT}['logger_handle_cfg']")


def check_layers(cfg: SegmentorConfig) -> Iterator[Problem]:
    """Check each `norm_cfg` and `act_cfg`, wherever it stands."""
    yield from _layers(cfg, ROOT)


def _layers(node: Any, place: str) -> Iterator[Problem]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            where = f"{place}[{key!r}]"
            if key == "act_cfg" and value is not None:
                yield from check_part(ActivationBuilder(), value, where, construct=True)
            elif key == "norm_cfg" and value is not None:
                # a head that normalizes maps lists their widths there
                widths = ["in_channels_list"]
                yield from check_part(NormalizationBuilder(), value, where, given=_channels(value), left_out=widths)
            else:
                yield from _layers(value, where)
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from _layers(value, f"{place}[{i}]")


def _channels(norm_cfg: Any) -> Sequence[str]:
    """Return the parameter of a normalization that says how many channels there are: the builder gives it."""
    name = norm_cfg.get("type") if isinstance(norm_cfg, Mapping) else None
    if not isinstance(name, str) or name not in NormalizationBuilder.REGISTERED_MODULES:
        return ()
    params = list(inspect.signature(NormalizationBuilder().get(name)).parameters)
    return ["num_channels"] if "num_channels" in params else params[:1]


def check_schedule(cfg: SegmentorConfig) -> Iterator[Problem]:
    """Check the scheduler, the optimizer and its rules; both are also built, for a single parameter."""
    place, scheduler_cfg = f"{ROOT}['scheduler']", cfg.get("scheduler")
    wrong = list(check_part(SchedulerBuilder(), scheduler_cfg, place, given=["optimizer"], left_out=["optimizer"]))
    optimizer_cfg = scheduler_cfg.get("optimizer") if isinstance(scheduler_cfg, Mapping) else None
    where = f"{place}['optimizer']"
    wrong += check_part(OptimizerBuilder(), optimizer_cfg, where, given=["params"], left_out=_OF_PARAMS)
    yield from wrong
    if wrong or scheduler_cfg is None or optimizer_cfg is None:
        return
    rules, filtered = optimizer_cfg.get("params_rules"), optimizer_cfg.get("filter_params", False)
    yield from failures(lambda: BuildParamsConstructor(rules, filtered, optimizer_cfg), f"{where}['params_rules']")
    bare = {name: value for name, value in optimizer_cfg.items() if name not in _OF_PARAMS}
    length = {"max_epochs": scheduler_cfg.get("max_epochs") or 1, "iters_per_epoch": 1}

    def optimizer() -> Any:
        return BuildOptimizer([torch.nn.Parameter(torch.zeros(1))], bare)

    wrong = list(failures(optimizer, where))
    yield from wrong or failures(lambda: BuildScheduler(optimizer(), {**scheduler_cfg, **length}), place)


def check_data(cfg: SegmentorConfig) -> Iterator[Problem]:
    """Check the data set's name, its options and its transforms; no file is looked at."""
    if cfg.get("dataset") is not None:
        wrong = list(_dataset(cfg["dataset"], f"{ROOT}['dataset']", ("train", "test")))
        yield from wrong or normalize_problems(cfg)


def _dataset(dataset_cfg: Any, place: str, parts: Sequence[str]) -> Iterator[Problem]:
    if not isinstance(dataset_cfg, Mapping) or "type" not in dataset_cfg:
        yield Problem(place, f"is {dataset_cfg!r}; it must be a dictionary whose 'type' names the data set")
        return
    try:
        DatasetBuilder().find(dataset_cfg["type"], place)
    except (UnknownNameError, ImportError) as error:
        yield as_problem(error, f"{place}['type']")
    for part in parts:
        own = section(dataset_cfg, part)
        merged = {**{name: value for name, value in dataset_cfg.items() if name not in ("train", "test")}, **own}
        yield from failures(lambda merged=merged: DatasetOptions.of(merged), place)
        pipeline_place = (f"{place}[{part!r}]" if "data_pipelines" in own else place) + "['data_pipelines']"
        yield from _pipeline(merged.get("data_pipelines", []), pipeline_place)
        for name, inner in own.items():
            if isinstance(inner, Mapping) and "type" in inner:  # a part of a MultipleDataset
                yield from _dataset(inner, f"{place}[{part!r}][{name!r}]", [part])


def _pipeline(entries: Any, place: str) -> Iterator[Problem]:
    if not isinstance(entries, list | tuple):
        yield Problem(place, f"is {entries!r}; it must be a list of transforms")
        return
    for i, entry in enumerate(entries):
        where = f"{place}[{i}]"
        match entry:
            case [str() as name, Mapping() as fields] if "type" not in fields:
                yield from check_part(DataTransformBuilder(), {"type": name, **fields}, where, construct=True)
            case {"type": _}:
                yield from check_part(DataTransformBuilder(), entry, where, construct=True)
            case _:
                forms = "('Resize', {'output_size': 512}) or {'type': 'Resize', 'output_size': 512}"
                yield Problem(where, f"is {entry!r}; a transform is written {forms}")


def classes_of(dataset_cfg: Mapping[str, Any]) -> int | None:
    """Return how many classes a data set has, None where only its files tell."""
    parts = [inner for inner in section(dataset_cfg, "train").values() if isinstance(inner, Mapping)]
    targets = [target for inner in parts for target in section(inner, "seg_target_remapper").values()]
    if targets:
        return int(max(targets)) + 1
    name = dataset_cfg.get("type")
    if not isinstance(name, str) or name not in DatasetBuilder.REGISTERED_MODULES:
        return None
    classes = getattr(DatasetBuilder().get(name), "num_classes", None)
    return classes if isinstance(classes, int) and classes > 0 else None


def check_model(cfg: SegmentorConfig) -> Iterator[Problem]:
    """Build the model, without memory for its weights, and its optimizer: do widths and parameters' names fit?"""
    bare = with_image_channels(without_pretrained(cfg))
    place = f"{ROOT}['scheduler']['optimizer']"
    models: list[Any] = []
    with torch.device("meta"):
        yield from failures(lambda: models.append(BuildSegmentor(bare, "TRAIN")), ROOT)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for model in models:
            yield from failures(lambda model=model: BuildOptimizer(model, cfg["scheduler"]["optimizer"]), place)
    for warning in caught:
        found = as_problem(UserWarning(str(warning.message)), place)
        yield Problem(found.place, found.message, "warning")


PART_CHECKS = (check_segmentor, check_backbone, check_losses, check_logger, check_layers, check_schedule, check_data)
