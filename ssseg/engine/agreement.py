"""Before a run of several processes begins: do all have the same config, code, packages and data?"""

import hashlib
import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..modules.utils.configsource import plain
from ..modules.utils.distributed import gather_objects, world_size
from ..modules.utils.errors import DistributedError, listed

_OWN = ("work_dir", "logger_handle_cfg")  # only the first process writes there


def require_agreement(cfg: Mapping[str, Any], datasets: Mapping[str, Any]) -> None:
    """Refuse to start where the processes differ in what decides the results.

    Args:
        cfg: `SEGMENTOR_CFG`. datasets: by a name to show.

    Raises:
        DistributedError: names what differs and in which processes.
    """
    if world_size() == 1:
        return
    facts = facts_of(cfg)
    for name, dataset in datasets.items():
        facts[f"the ids of {name}"] = _digest("\n".join(map(str, dataset.imageids)))
    if problem := disagreement(gather_objects(facts)):
        raise DistributedError(problem)


def facts_of(cfg: Mapping[str, Any]) -> dict[str, str]:
    """Return what must be the same in all processes, by a name to show."""
    facts = {f"SEGMENTOR_CFG{place}": value for place, value in _leaves("", plain(cfg)).items()}
    packages = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}
    return facts | packages | {"the code of ssseg": _code_digest()}


def disagreement(facts: Sequence[Mapping[str, str]]) -> str:
    """Return what differs among the processes' facts and where; an empty string where nothing does."""
    names = list(dict.fromkeys(name for part in facts for name in part))
    differing = [name for name in names if len({part.get(name) for part in facts}) > 1]
    if not differing:
        return ""
    lines = []
    for name in differing[:5]:
        values: dict[str, list[int]] = {}
        for rank, part in enumerate(facts):
            values.setdefault(part.get(name, "not there"), []).append(rank)
        shown = "; ".join(f"{value[:60]} in process {listed(ranks, 8)}" for value, ranks in values.items())
        lines.append(f"  {name}: {shown}")
    more = [f"  ... and {len(differing) - 5} more"] * (len(differing) > 5)
    return "\n".join(["the processes of this run differ; all must be started alike:", *lines, *more])


def _leaves(place: str, value: Any) -> dict[str, str]:
    if isinstance(value, Mapping) and value:
        skipped = _OWN if not place else ()
        parts = [_leaves(f"{place}[{key!r}]", part) for key, part in value.items() if key not in skipped]
        return {name: text for part in parts for name, text in part.items()}
    text = re.sub(r" at 0x[0-9a-f]+", "", repr(value))  # of a function, which is elsewhere in each process
    return {place: text if len(text) <= 60 else f"{text[:30]}... {_digest(text)}"}


def _code_digest() -> str:
    """Return a digest of every source file of the package."""
    root, digest = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
