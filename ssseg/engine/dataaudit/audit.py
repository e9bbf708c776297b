"""The audit of a data set: all findings at once."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .cache import RecordCache
from .crossing import missing_classes, repeated_images
from .findings import SEVERITIES, Finding, in_order
from .listing import pairs_of, unlisted_files
from .pool import Job, examine_all
from .records import Record
from .sources import SPLITS, Source, open_sources


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        images: how many images each set names.
        findings: the worst first.
    """

    images: dict[str, int]
    findings: list[Finding]

    def count(self, severity: str) -> int:
        """Return how many findings are "error", "warning" or "note"."""
        return sum(finding.severity == severity for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the audit as JSON can hold it."""
        counts = {severity: self.count(severity) for severity in SEVERITIES}
        findings = [finding.to_json() for finding in self.findings]
        return {"images": self.images, "counts": counts, "findings": findings}


def audit(
    cfg: Mapping[str, Any],
    splits: Sequence[str] = tuple(SPLITS),
    *,
    workers: int = 0,
    cache: str | os.PathLike[str] | None = None,
) -> Audit:
    """Look at every file of a data set.

    Args:
        cfg: a `SEGMENTOR_CFG`, of which `dataset` and `num_classes` are read.
        splits: of "train" and "val".
        workers: processes that read; 0 reads in this one.
        cache: a file that keeps what was found, so that another audit reads only files that have changed.

    Raises:
        ConfigError: there is no data set, or its cfg is wrong.
        DataError: `cache` is another kind of file.
    """
    kept = RecordCache(cache)
    sources, findings = open_sources(cfg, list(SPLITS))  # the other set's files are no strangers in a shared folder
    findings = [finding for finding in findings if finding.file in splits]
    pairs, jobs, owners = [], list[Job](), list[Source]()
    for source in sources:
        part, missing = pairs_of(source)
        pairs.append(part)
        if source.split in splits:
            findings += missing
            jobs += [(source.dataset, pair) for pair in part if pair.image or pair.label]
            owners += [source for pair in part if pair.image or pair.label]
    findings += unlisted_files(sources, pairs)
    records = examine_all(jobs, workers=workers, cache=kept, title="data check")
    by_split: dict[str, list[Record]] = {source.split: [] for source in owners}
    for source, record in zip(owners, records, strict=True):
        findings += record.findings
        by_split[source.split].append(record)
    findings += repeated_images(by_split)
    if sources:
        findings += missing_classes(by_split, sources[0].dataset.label_map)
    images = {s.name: len(part) for s, part in zip(sources, pairs, strict=True) if s.split in splits}
    return Audit(images, in_order(findings))
