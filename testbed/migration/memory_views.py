"""Views of a guest's memory on their way through sockets: each is given back, or the mapping could not be closed."""

from collections.abc import Iterable


def drop(parts: list[memoryview], gone: int) -> None:
    """Takes the first ``gone`` bytes off the parts, and releases those that have gone whole."""
    whole = 0
    while whole < len(parts) and gone >= len(parts[whole]):
        gone -= len(parts[whole])
        whole += 1
    release(parts[:whole])
    del parts[:whole]
    if gone:
        with parts[0] as first:
            parts[0] = first[gone:]


def release(views: Iterable[memoryview]) -> None:
    """Gives back the memory that they are views of."""
    for view in views:
        view.release()
