"""An audit as text."""

import textwrap
from collections.abc import Iterator
from itertools import groupby

from .audit import Audit
from .findings import SEVERITIES, Finding

_WIDTH = 110


def findings_table(audit: Audit, *, files: int = 3) -> Iterator[str]:
    """Yield the lines of a table: the findings of each kind with their cure, and the totals.

    Args:
        files: how many findings of a kind are shown; the others are counted.
    """
    for (severity, kind), group in groupby(audit.findings, key=lambda finding: (finding.severity, finding.kind)):
        members = list(group)
        yield f"{severity:8}{kind:24}{len(members)}"
        for finding in members[:files]:
            yield from _wrapped(f"{finding.file}: {finding.message}", first="  - ", rest="    ")
        if len(members) > files:
            yield f"    ... and {len(members) - files} more"
        yield from _cures(members[:files])
    images = ", ".join(f"{count} in {name}" for name, count in audit.images.items())
    counts = [(audit.count(severity), severity) for severity in SEVERITIES]
    totals = ", ".join(f"{count} {severity}{'s' * (count != 1)}" for count, severity in counts)
    yield f"images: {images or 'none'}; {totals}"


def _cures(findings: list[Finding]) -> Iterator[str]:
    for cure in dict.fromkeys(finding.cure for finding in findings):
        yield from _wrapped(cure, first="    cure: ", rest="          ")


def _wrapped(text: str, *, first: str, rest: str) -> list[str]:
    """The lines of a text; words, paths above all, are never broken."""
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
