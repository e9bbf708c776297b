"""What a run leaves behind when its numbers stop being finite."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..modules.utils import SSSegInputStructure
from ..modules.utils.checkpoint import LATEST, saveckpts
from ..modules.utils.distributed import rank
from ..modules.utils.errors import DivergedError


def last_words(
    error: DivergedError, work_dir: Path, parts: Sequence[SSSegInputStructure], ids: Sequence[Any], *, dump: bool
) -> DivergedError:
    """Return the error with what there is to go on from; with `dump` the batch is written to the work directory.

    The checkpoints of a run are all good ones: nothing is updated, and so nothing saved, once a number is not finite.
    """
    latest, path = work_dir / LATEST, work_dir / f"diverged-rank{rank()}.pth"
    last = f"The last checkpoint is {latest.resolve()}." if latest.exists() else "There is no checkpoint yet."
    if not dump:
        offer = f"SEGMENTOR_CFG['runtime']['dump_batch'] = True writes the batch to {path}."
        return DivergedError(f"{error} {last} {offer}")
    entries = {"ids": list(ids), "parts": [part.getsetvariables() for part in parts]}
    saveckpts(entries, path, make_soft_link=False)
    return DivergedError(f"{error} {last} The batch is in {path}.")
