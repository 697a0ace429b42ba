"""Each migration's part of the report, as soon as it has ended: the same figures, words and definitions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from testbed.core.records.migration import MigrationRecord
from testbed.linux.files.scratch import scratch
from testbed.report.axis.timeline import timeline
from testbed.report.page import figures, page
from testbed.report.page.html import section_html
from testbed.report.words.summary import figures as in_figures
from testbed.report.words.summary import memory
from testbed.runfiles import pages, samples

FIGURES = ("total", "downtime", "rounds", "sent", "sent/RAM", "dirty in round 1", "memory")
"""What the list of finished migrations says of each."""


class Sections:
    """Those of one run, in the order in which the migrations ended."""

    def __init__(self) -> None:
        self._done: list[MigrationRecord] = []
        self._recordings = samples.Recordings()
        self._paged = ""
        """Lines of pages.jsonl, some of them of migrations that have not been said to have ended."""

    def take(self, sampled: str, paged: str) -> None:
        """What samples.jsonl and pages.jsonl have grown by since the last call, of whatever migrations."""
        self._paged += paged
        with _file(sampled) as file:
            self._recordings.read(file)

    def add(self, record: MigrationRecord, total: int) -> dict[str, Any]:
        """One that has ended and whose lines were all taken; ``total`` is the number of migrations. The HTML of its
        part, the charts in it by name, the name of its element, and its figures.
        """
        self._done.append(record)
        name = figures.names(self._done)[-1]
        line = timeline(record, self._recordings.pop(record.key), page.columns(total))
        section = page.section(record, line, self._memory(record), name)
        return {
            "html": section_html(section),
            "charts": {figure.name: figure.packed() for figure in section.figures},
            "id": f"m-{name}",
            "title": section.title,
            "cells": [*in_figures(record), memory(record.memory)],
            "reasons": record.invalid_reasons,
        }

    def _memory(self, record: MigrationRecord) -> pages.Cells | None:
        with _file(self._paged) as file:
            memories = pages.read(file)
        if memories.keys() <= {each.key for each in self._done}:
            self._paged = ""
        return memories.get(record.key)


@contextmanager
def _file(text: str) -> Iterator[Path]:
    """With that in it."""
    with scratch("page") as place:
        file = place / "lines.jsonl"
        file.write_text(text, encoding="utf-8")
        yield file
