"""Pairs with the least cost."""

import numpy as np

from ....utils.errors import DivergedError


def assign(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pair rows and columns one to one, so that the sum of the pairs' costs is the least there is.

    Each row is joined by a shortest augmenting path; potentials keep the lengths of all steps from falling below 0.

    Source: Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Transactions on Aerospace and
    Electronic Systems 52(4), 2016, section II.

    Args:
        cost: (R, C), of any size.

    Returns:
        Rows, ascending, and their columns: (min(R, C),) int64 each.

    Raises:
        DivergedError: a cost is not finite.
    """
    cost = np.asarray(cost, dtype=np.float64)
    if not np.isfinite(cost).all():
        raise DivergedError(
            f"{np.count_nonzero(~np.isfinite(cost))} of {cost.size} costs of pairs are not finite, as the network's "
            "scores are not. Try a lower SEGMENTOR_CFG['scheduler']['optimizer']['lr'], a warmup_cfg or a clipgrad_cfg."
        )
    if cost.shape[0] > cost.shape[1]:
        columns, rows = assign(cost.T)
        order = rows.argsort()
        return rows[order], columns[order]
    column_of = _Assignment(cost).column_of
    return np.arange(len(cost)), column_of


class _Assignment:
    """The pairs found so far, of no more rows than columns, in which every row is in the end."""

    def __init__(self, cost: np.ndarray):
        rows, columns = cost.shape
        self.cost = cost
        self.column_of, self.row_of = np.full(rows, -1), np.full(columns, -1)
        self.of_rows, self.of_columns = cost.min(axis=1, initial=np.inf), np.zeros(columns)  # potentials
        for row in range(rows):  # most rows get what is best for them at once
            column = cost[row].argmin()
            if self.row_of[column] < 0:
                self.column_of[row], self.row_of[column] = column, row
        for row in np.flatnonzero(self.column_of < 0).tolist():
            self.join(row)

    def join(self, row: int) -> None:
        """Pair `row` too, exchanging the columns of others along the shortest path to a free column."""
        columns = len(self.row_of)
        length, came_from = np.full(columns, np.inf), np.full(columns, -1)
        done = np.zeros(columns, dtype=bool)
        current, so_far = row, 0.0
        while True:
            through = so_far + self.cost[current] - self.of_rows[current] - self.of_columns
            shorter = ~done & (through < length)
            length[shorter], came_from[shorter] = through[shorter], current
            column = int(np.where(done, np.inf, length).argmin())
            so_far = length[column]
            if self.row_of[column] < 0:
                break
            done[column] = True
            current = int(self.row_of[column])
        self.of_rows[row] += so_far
        self.of_rows[self.row_of[done]] += so_far - length[done]
        self.of_columns[done] -= so_far - length[done]
        while True:
            joined = came_from[column]
            self.row_of[column] = joined
            column, self.column_of[joined] = int(self.column_of[joined]), column
            if joined == row:
                return
