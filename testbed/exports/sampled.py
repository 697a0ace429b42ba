"""What was sampled as tables, one for each kind of sample, and one of what happened; a simulated run has none of them.

``t`` is CLOCK_MONOTONIC, one clock for the whole run; ``since_migrate_s`` the same from the migration's request on.
"""

import re
from collections.abc import Iterator, Sequence

from testbed.core.errors import ScenarioError
from testbed.exports.cells import KEY, CellKind, Column, Sheet, key_cells, table
from testbed.exports.units import SECONDS
from testbed.runfiles.samples import Recording, Row

MOST_KINDS = 40
"""Of samples; we have seven."""
_KIND = re.compile("[a-z][a-z0-9_]{0,39}")
_TIMES = (
    Column(name="t", kind=CellKind.NUMBER, unit=SECONDS),
    Column(name="since_migrate_s", kind=CellKind.NUMBER, unit=SECONDS),
)
_WHAT = ("name", "phase", "what")
"""Where an event says which mark it is, which stage has begun, which fault has struck."""


def tables(recordings: Sequence[Recording]) -> Iterator[Sheet]:
    """``samples_KIND`` of each kind, and ``events``. Raises ``ScenarioError`` for a kind that names no file."""
    if not recordings:
        return
    kinds = dict.fromkeys(kind for each in recordings for kind in each.rows)
    if len(kinds) > MOST_KINDS:
        raise ScenarioError(f"samples.jsonl has {len(kinds)} kinds of samples; {MOST_KINDS} are read at most")
    for kind in kinds:
        if not _KIND.fullmatch(kind):
            raise ScenarioError(f"samples.jsonl has samples of the kind {kind[:40]!r}, which is the name of none")
        yield table(f"samples_{kind}", [*KEY, *_TIMES], list(_rows(recordings, kind)))
    words = [Column(name=name, kind=CellKind.TEXT) for name in ("event", "what", "detail")]
    yield table("events", [*KEY, *_TIMES, *words], list(_events(recordings)))


def _rows(recordings: Sequence[Recording], kind: str) -> Iterator[Row]:
    for each in recordings:
        key, origin = key_cells(each.key), each.mark("migrate")
        for row in each.rows.get(kind, ()):
            # The keys come last: a field that is called as one of them is not it.
            yield {name: known for name, known in row.items() if name != "kind"} | key | _since(row["t"], origin)


def _events(recordings: Sequence[Recording]) -> Iterator[Row]:
    for each in recordings:
        key, origin = key_cells(each.key), each.mark("migrate")
        for row in each.events:
            what = next((row[name] for name in _WHAT if isinstance(row.get(name), str)), None)
            detail = {name: known for name, known in row.items() if name not in ("t", "kind", "event")} or None
            yield (
                {"t": row["t"], "event": row["event"], "what": what, "detail": detail} | key | _since(row["t"], origin)
            )


def _since(at: float, origin: float | None) -> dict[str, float | None]:
    return {"since_migrate_s": None if origin is None else at - origin}
