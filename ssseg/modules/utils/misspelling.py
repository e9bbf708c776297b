"""Telling a misspelt name from a new one."""

from collections.abc import Iterable

_SHORT = 5  # letters; shorter words are too close to one another for two edits


def edit_distance(a: str, b: str) -> int:
    """Least number of letters to insert, delete, replace or swap with their neighbour that turns `a` into `b`.

    Source: the optimal string alignment distance (Damerau 1964, Levenshtein 1966).
    """
    before, last = [0] * (len(b) + 1), list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        row = [i]
        for j, y in enumerate(b, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


def misspelt(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` most likely means: within two edits, one for short words; None for a new name.

    Names that differ in a number at their end only, as `loss_aux1` and `loss_aux2`, are different names.
    """
    digits = "0123456789"
    others = [other for other in known if other.rstrip(digits) != name.rstrip(digits)]
    closest = min(others, key=lambda other: edit_distance(name, other), default=None)
    if closest is None:
        return None
    allowed = 1 if min(len(name), len(closest)) < _SHORT else 2
    return closest if edit_distance(name, closest) <= allowed else None
