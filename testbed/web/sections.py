"""Each migration's part of the report, as soon as it has ended: the same figures, words and definitions."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from testbed.core.migration_key import MigrationKey
from testbed.core.records.migration import MigrationRecord
from testbed.report.axis.timeline import timeline
from testbed.report.charts import export
from testbed.report.page import figures, page
from testbed.report.page.html import section_html
from testbed.report.words.summary import figures as in_figures
from testbed.report.words.summary import memory
from testbed.runfiles import pages, samples
from testbed.runfiles.reading import migration_from_json

FIGURES = ("total", "downtime", "rounds", "sent", "sent/RAM", "dirty in round 1", "memory")
"""What the list of finished migrations says of each."""


class Sections:
    """Those of one run, in the order in which the migrations ended."""

    def __init__(self) -> None:
        self._done: list[MigrationRecord] = []
        self._recordings = samples.Recordings()
        self._paged = ""
        """Lines of pages.jsonl, some of them of migrations that have not been said to have ended."""

    def add(self, known: dict[str, Any], sampled: str, paged: str, total: int) -> dict[str, Any]:
        """``known`` is the record, ``sampled`` and ``paged`` what samples.jsonl and pages.jsonl have grown by since the
        last call, of this migration and of others; ``total`` the number of migrations. The HTML of its part, the charts
        in it by name, the name of its element, and its figures.
        """
        done = migration_from_json(known)
        self._done.append(done)
        name = figures.names(self._done)[-1]
        recording, memories = self._read(done, sampled, paged)
        line = timeline(done, recording, page.columns(total))
        made = page.section(done, line, memories.get(done.key), name)
        return {
            "html": section_html(made),
            "charts": {figure.name: export.packed(figure.chart) for figure in made.figures},
            "id": f"m-{name}",
            "title": made.title,
            "cells": [*in_figures(done), memory(done.memory)],
            "reasons": done.invalid_reasons,
        }

    def _read(
        self, done: MigrationRecord, sampled: str, paged: str
    ) -> tuple[samples.Recording | None, dict[MigrationKey, pages.Cells]]:
        self._paged += paged
        with TemporaryDirectory() as place:
            sampled_file, paged_file = Path(place, "samples.jsonl"), Path(place, "pages.jsonl")
            sampled_file.write_text(sampled, encoding="utf-8")
            paged_file.write_text(self._paged, encoding="utf-8")
            self._recordings.read(sampled_file)
            memories = pages.read(paged_file)
        if memories.keys() <= {each.key for each in self._done}:
            self._paged = ""
        return self._recordings.pop(done.key), memories
