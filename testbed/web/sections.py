"""Each migration's part of the report, as soon as it has ended: the same figures, words and definitions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from testbed.core.records.migration import MigrationRecord
from testbed.report.axis.timeline import timeline
from testbed.report.charts import export
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

    def add(self, done: MigrationRecord, total: int) -> dict[str, Any]:
        """One that has ended and whose lines were all taken; ``total`` is the number of migrations. The HTML of its
        part, the charts in it by name, the name of its element, and its figures.
        """
        self._done.append(done)
        name = figures.names(self._done)[-1]
        line = timeline(done, self._recordings.pop(done.key), page.columns(total))
        made = page.section(done, line, self._memory(done), name)
        return {
            "html": section_html(made),
            "charts": {figure.name: export.packed(figure.chart) for figure in made.figures},
            "id": f"m-{name}",
            "title": made.title,
            "cells": [*in_figures(done), memory(done.memory)],
            "reasons": done.invalid_reasons,
        }

    def _memory(self, done: MigrationRecord) -> pages.Cells | None:
        with _file(self._paged) as file:
            memories = pages.read(file)
        if memories.keys() <= {each.key for each in self._done}:
            self._paged = ""
        return memories.get(done.key)


@contextmanager
def _file(text: str) -> Iterator[Path]:
    """With that in it."""
    with TemporaryDirectory() as place:
        file = Path(place, "lines.jsonl")
        file.write_text(text, encoding="utf-8")
        yield file
