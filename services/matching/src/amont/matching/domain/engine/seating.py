"""Who has which place: rows take, leave and pass on places of columns, in arrays as in `assignment.State`."""

from amont.matching.domain.engine.jit import compiled


@compiled
def seat(mate, taken, holder, row, column):
    """Give the row an empty place of the column."""
    holder[column, taken[column]] = row
    taken[column] += 1
    mate[row] = column


@compiled
def unseat(mate, taken, holder, row):
    """Take the row's place away."""
    column = mate[row]
    for k in range(taken[column]):
        if holder[column, k] == row:
            taken[column] -= 1
            holder[column, k] = holder[column, taken[column]]
            break
    mate[row] = -1


@compiled
def move_up(mate, taken, holder, way, column):
    """Along an augmenting path: the row that leads to a column with an empty place takes it, its own place goes to the one before, up to a row alone."""
    while column >= 0:
        row = way[column]
        left = mate[row]
        if left >= 0:
            unseat(mate, taken, holder, row)
        seat(mate, taken, holder, row, column)
        column = left
