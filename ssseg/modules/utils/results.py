"""Predictions that several processes made, put together."""

from collections.abc import Sequence
from typing import Any

from .distributed import gather_objects


def postprocesspredgtpairs(
    seg_results: Sequence[Sequence[Any]], cfg: Any = None, logger_handle: Any = None
) -> tuple[list[Any], list[Any], list[Any]]:
    """Return the predictions, targets and ids of all processes, each image once, sorted by id.

    For programs that evaluate by themselves and hold every prediction; `ssseg test` counts them as they come.

    Args:
        seg_results: entries (id, prediction, target) of this process.
        cfg: ignored; part of the documented signature.
        logger_handle: told how many images there are, where given.
    """
    merged = {entry[0]: entry for results in gather_objects(list(seg_results)) for entry in results}
    if logger_handle is not None:
        logger_handle.info(f"{len(merged)} images")
    entries = [merged[identifier] for identifier in sorted(merged)]
    return [entry[1] for entry in entries], [entry[2] for entry in entries], [entry[0] for entry in entries]
