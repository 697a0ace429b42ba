"""The memory map that plays: what ``templates/memory.js`` is told of a migration. The cells themselves stand in its
chart of memory (``grid``) and are not told twice.

A page that is live loads the same script: ``render`` puts it behind ``page.js`` in every page (``tail.html.j2``). There
``FastMotion.memory(element, story)`` begins with a story without rounds, and ``add(round)`` takes each as its cells
become known; the head of ``memory.js`` says what a round has.
"""

import json
from dataclasses import dataclass

from testbed.core.records.migration import MigrationRecord
from testbed.core.text.from_json import JsonObject
from testbed.report.charts.sizes import is_scaled, moments
from testbed.runfiles.pages import Cells

BEFORE_LAST = ("pause", "last_scan")
"""Phases of the downtime that are over when the stop-and-copy round begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """``story`` is JSON for ``memory.js``; ``cell_pages``: pages of each of its cells."""

    story: str
    cell_pages: int


def moves_of(record: MigrationRecord, cells: Cells, chart: str) -> Moves | None:
    """The cells are those of the chart of that name. None where no round of the record has any."""
    known = set(cells.rounds)
    rounds: list[JsonObject] = [
        {
            "index": each.index,
            "kind": each.kind,
            "begin": round(each.started_s, 6),
            "end": round(each.started_s + each.duration_s, 6),
            "throttle": round(each.throttle, 3),
        }
        for each in record.rounds
        if each.index in known and each.duration_s > 0
    ]
    if not rounds:
        return None
    story: JsonObject = {
        "name": record.name if record.repeat == 1 else f"{record.name}, repeat {record.repeat}",
        "of": chart,
        "cells": cells.sent.shape[1],
        "rounds": rounds,
        "end": record.total_time_s or 0,
        "still": _still(record),
        "clock": moments(record) if is_scaled([record]) else None,
        "back": record.outcome != "completed",
    }
    return Moves(story=json.dumps(story, separators=(",", ":"), allow_nan=False), cell_pages=cells.cell_pages)


def _still(record: MigrationRecord) -> list[float] | None:
    """From when to when, in seconds, the guest stood still; None where it is not known."""
    last = next((each for each in record.rounds if each.kind == "stop_and_copy"), None)
    if last is None or record.downtime_s is None:
        return None
    begin = last.started_s - sum(record.downtime_phases_s.get(name, 0.0) for name in BEFORE_LAST)
    return [round(begin, 6), round(begin + record.downtime_s, 6)]
