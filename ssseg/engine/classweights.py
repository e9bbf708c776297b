"""Values that a config leaves to the training set's label maps.

`class_weight: 'auto:sqrt_inverse'` in a loss becomes a number for each class, `rare_class_crop: 'auto'` in
`SEGMENTOR_CFG['dataset']['train']` gets the share of each class.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..configs._base_ import SegmentorConfig
from ..modules.datasets.pipelines.rareclass import RareClassFocus
from ..modules.utils.distributed import gather_objects, ismainprocess, world_size
from ..modules.utils.errors import DataError, SSSegError, listed, nearest
from ..modules.utils.files import write_atomically
from ..modules.utils.jsontext import parse_json
from .dataaudit.cache import RecordCache, cache_key, reading_key
from .dataaudit.listing import Pair, pairs_of
from .dataaudit.pool import examine_all
from .dataaudit.sources import open_sources
from .datastats import FORMULAE, ClassCounts
from .problems import ROOT, Problem, section

PREFIX = "auto:"
FILE = "class_counts.json"


def resolve_class_weights(cfg: SegmentorConfig, work_dir: Path) -> SegmentorConfig:
    """Return a config with numbers in place of formulae, the same in every process; `cfg` itself where there are none.

    The pixels of each class are counted in the main process, and kept in `work_dir` while the label maps stay as they
    are.

    Raises:
        DataError: a label map is missing or cannot be used.
    """
    crop = _unresolved_crop(cfg)
    if not any(_formulae(cfg)) and crop is None:
        return cfg
    outcome: ClassCounts | SSSegError | None = None
    if ismainprocess():
        try:
            outcome = _counts(cfg, work_dir / FILE)
        except SSSegError as error:
            outcome = error
    outcome = gather_objects(outcome)[0]
    if isinstance(outcome, SSSegError):
        raise outcome
    resolved = cfg.copy()
    for _, loss, formula in _formulae(resolved):
        loss["class_weight"] = outcome.weights(formula)
    if crop is not None:
        shares = [float(f"{share:.6g}") for share in outcome.shares]
        resolved["dataset"]["train"]["rare_class_crop"] = {"prob": crop.prob, "shares": shares}
    return resolved


def check_class_weights(cfg: SegmentorConfig) -> Iterator[Problem]:
    """Yield a problem for each name that is no formula."""
    for place, _, formula in _formulae(cfg):
        if formula not in FORMULAE:
            choices = listed(PREFIX + name for name in FORMULAE)
            yield Problem(place, f"{formula!r} is no formula.{nearest(formula, FORMULAE)} There are: {choices}.")


def with_stand_ins(cfg: SegmentorConfig) -> SegmentorConfig:
    """Return a config with equal weights in place of formulae, for checks that do not look at data."""
    if not any(_formulae(cfg)):
        return cfg
    stand_in = cfg.copy()
    for _, loss, _ in _formulae(stand_in):
        loss["class_weight"] = [1.0] * max(cfg.get("num_classes") or 1, 1)
    return stand_in


def _formulae(cfg: SegmentorConfig) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield place, cfg and formula of each loss whose weights are a formula."""
    for name, given in section(cfg, "losses").items():
        place = f"{ROOT}['losses'][{name!r}]"
        several = isinstance(given, list | tuple)
        for number, loss in enumerate(given if several else [given]):
            weight = loss.get("class_weight") if isinstance(loss, dict) else None
            if isinstance(weight, str) and weight.startswith(PREFIX):
                where = f"{place}[{number}]" if several else place
                yield f"{where}['class_weight']", loss, weight.removeprefix(PREFIX)


def _unresolved_crop(cfg: SegmentorConfig) -> RareClassFocus | None:
    """Return what `rare_class_crop` asks for where it leaves the shares to us."""
    option = {**section(cfg, "dataset"), **section(cfg, "dataset", "train")}.get("rare_class_crop")
    crop = RareClassFocus.of(option, f"{ROOT}['dataset']['rare_class_crop']")
    return crop if crop is not None and crop.shares is None else None


def _counts(cfg: SegmentorConfig, kept: Path) -> ClassCounts:
    sources, findings = open_sources(cfg, ["train"])
    jobs = []
    for source in sources:
        pairs, missing = pairs_of(source)
        findings += missing
        jobs += [(source.dataset, Pair(pair.imageid, None, pair.label)) for pair in pairs if pair.label]
    _require_usable([finding for finding in findings if finding.severity == "error"])
    readings = {id(dataset): reading_key(dataset) for dataset, _ in jobs}
    keys = [cache_key(readings[id(dataset)], pair.label or "") for dataset, pair in jobs]
    try:
        content = parse_json(kept.read_text(encoding="utf-8"))
        if content["files"] == keys:
            return ClassCounts(**content["counts"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not counted yet, or a file that is not ours: it is written anew
    workers = cfg["dataloader"]["train"].get("num_workers_per_gpu", 0) * world_size()
    records = examine_all(jobs, workers=workers, cache=RecordCache(None), title="count pixels of classes")
    _require_usable([finding for record in records for finding in record.findings if finding.severity == "error"])
    counts = ClassCounts.of(records, sources[0].dataset.label_map.num_classes)
    text = json.dumps({"counts": vars(counts), "files": keys}).encode()
    write_atomically(kept, lambda stream: stream.write(text))
    return counts


def _require_usable(errors: list[Any]) -> None:
    if errors:
        first = f"{errors[0].file}: {errors[0].message}"
        raise DataError(f"class weights need every label map, but {len(errors)} cannot be used. The first: {first}")
