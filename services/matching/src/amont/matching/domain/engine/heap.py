"""A binary heap of (key, item) in two arrays, for searches for shortest paths."""

from amont.matching.domain.engine.jit import compiled


@compiled
def push(keys, items, size, key, item):
    """Onto a binary heap, the least (key, item) first; its new size."""
    at = size
    while at > 0:
        up = (at - 1) >> 1
        if keys[up] < key or (keys[up] == key and items[up] <= item):
            break
        keys[at] = keys[up]
        items[at] = items[up]
        at = up
    keys[at] = key
    items[at] = item
    return size + 1


@compiled
def pop(keys, items, size):
    """Off the heap: what was first is left to the caller, who read it; the new size."""
    size -= 1
    key, item = keys[size], items[size]
    at = 0
    while True:
        down = 2 * at + 1
        if down >= size:
            break
        if down + 1 < size and (keys[down + 1] < keys[down] or (keys[down + 1] == keys[down] and items[down + 1] < items[down])):
            down += 1
        if key < keys[down] or (key == keys[down] and item <= items[down]):
            break
        keys[at] = keys[down]
        items[at] = items[down]
        at = down
    keys[at] = key
    items[at] = item
    return size
