"""A run that starts anew in the work directory of another overwrites nothing of it."""

import itertools
from pathlib import Path
from typing import Any

from ..modules.utils.checkpoint import LATEST
from ..modules.utils.distributed import ismainprocess
from ..modules.utils.errors import ResourceError

_RESULTS = ("checkpoints-*.pth", "metrics.jsonl", "tensorboard")


def set_aside(work_dir: Path, logger: Any) -> None:
    """Move the results of an earlier run to `<work_dir>/earlier-<number>`, and say so, in the main process.

    Results are checkpoints and logs. A run that came to no checkpoint has none worth keeping.

    Raises:
        ResourceError: they cannot be moved.
    """
    if not ismainprocess() or not any(work_dir.glob(_RESULTS[0])):
        return
    folders = (work_dir / f"earlier-{number}" for number in itertools.count(1))
    folder = next(folder for folder in folders if not folder.exists())
    try:
        folder.mkdir()
        for pattern in _RESULTS:
            for path in sorted(work_dir.glob(pattern)):
                path.rename(folder / path.name)
    except OSError as error:
        raise ResourceError(
            f"{work_dir}: holds an earlier run, which cannot be moved to {folder}: {error.strerror or error}. "
            "Choose another work_dir."
        ) from error
    logger.warning(
        f"{work_dir} held an earlier run, which is now in {folder}. This one starts anew; "
        f"to go on with the earlier one: --ckptspath {folder / LATEST}"
    )
