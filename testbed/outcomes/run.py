"""A run's folder as values: its record, its samples, its tables and its charts."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from testbed.core.errors import ScenarioError
from testbed.core.records.migration import ComparisonRecord, MigrationRecord, Summary
from testbed.core.text.nearest import nearest
from testbed.core.text.printable import printable
from testbed.outcomes import markup
from testbed.outcomes.table import RunTable, chosen
from testbed.report.drawing.shown import Shown
from testbed.report.words import answers, summary
from testbed.runfiles import pages, samples
from testbed.runfiles.folder import RunFolder
from testbed.runfiles.samples import Columns, Recording

F = TypeVar("F")


class Run:
    """A run's folder, read when asked for. Nothing in it is changed, but by ``write_page``.

    Args:
        path: the folder.

    Attributes:
        path: the folder.
        summary: all of ``summary.json`` (docs/record.md).

    Raises:
        ScenarioError: no run lies there, or one that cannot be read.

    Example:
        >>> testbed.Run("results/hello-20260101-120000").summary.scenario
        'hello'
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.summary: Summary = RunFolder(self.path).read_summary()

    @property
    def migrations(self) -> list[MigrationRecord]:
        """Each migration with its figures as in summary.json: bytes, seconds, bytes per second.

        Example:
            >>> [len(each.rounds) for each in testbed.load("results/hello-20260101-120000").migrations]
            [4]
        """
        return self.summary.migrations

    @property
    def comparisons(self) -> list[ComparisonRecord]:
        """What was published beside what was measured, a record a figure.

        Example:
            >>> testbed.load("results/hello-20260101-120000").comparisons
            []
        """
        return self.summary.comparisons

    @property
    def valid(self) -> bool:
        """Whether every check held; ``summary.invalid_reasons`` says why not.

        Example:
            >>> testbed.load("results/hello-20260101-120000").valid
            True
        """
        return self.summary.valid

    @cached_property
    def recordings(self) -> list[Recording]:
        """The samples and events of each migration apart; none for a simulated run.

        Raises:
            ScenarioError: ``samples.jsonl`` is damaged.

        Example:
            >>> testbed.load("results/hello-20260101-120000").recordings[0].mark("migrate") is None
            False
        """
        return samples.read(RunFolder(self.path).samples)

    @cached_property
    def samples(self) -> dict[str, Columns]:
        """By kind (``link``, ``tcp``, ``guest``, ...), every field as an array, over all migrations.

        ``migration``, ``repeat`` and ``guest`` say which one an entry belongs to. ``t`` is CLOCK_MONOTONIC, in seconds.

        Raises:
            ScenarioError: ``samples.jsonl`` is damaged.

        Example:
            >>> testbed.load("results/hello-20260101-120000").samples["link"]["tx_bytes"].dtype
            dtype('int64')
        """
        kinds = dict.fromkeys(kind for each in self.recordings for kind in each.rows)
        return {kind: self._columns(kind) for kind in kinds}

    @cached_property
    def pages(self) -> Mapping[tuple[str, int], pages.Cells]:
        """Pages sent and dirtied round by round, in at most 1,024 cells, by name and repeat.

        Raises:
            ScenarioError: ``pages.jsonl`` is damaged.

        Example:
            >>> len(testbed.load("results/hello-20260101-120000").pages["hello", 1].rounds)
            4
        """
        return {(key.name, key.repeat): known for key, known in pages.read(RunFolder(self.path).pages).items()}

    @cached_property
    def charts(self) -> dict[str, Shown]:
        """By name, those of the page: a notebook shows them, ``save`` writes them for a paper.

        Raises:
            ScenarioError: the run's files are damaged.

        Example:
            >>> list(testbed.load("results/hello-20260101-120000").charts)
            ['timeline-hello', 'switchover-hello', 'memory-hello']
        """
        from testbed.report.page.page import load as load_page

        return {each.name: Shown(each.name, each.title, each.chart) for each in load_page(self.path).figures}

    def table(self, name: str = "migrations") -> RunTable:
        """A table of this run, as ``testbed export`` writes it, for pandas, polars and whoever reads Arrow.

        Args:
            name: ``migrations``, ``rounds``, ``services``, ``streams``, ``service_phases``, ``orders``, ``faults``; of
                a run that was sampled also ``events`` and ``samples_link`` and the like (docs/export.md).

        Returns:
            A mapping of columns: ``pandas.DataFrame(run.table("rounds"))``, ``polars.DataFrame(...)``.

        Raises:
            ScenarioError: there is no such table, or the run's samples are damaged.

        Example:
            >>> testbed.load("results/hello-20260101-120000").table("rounds")["kind"]
            ['precopy', 'precopy', 'precopy', 'stop_and_copy']
        """
        from testbed.exports import sampled, tables

        recorded = {each.name: each for each in tables.tables(self.summary)}
        if name in recorded:
            return RunTable(recorded[name])
        return chosen([*recorded.values(), *sampled.tables(self.recordings)], name)

    def frame(self, kind: str, frame: Callable[[Columns], F]) -> F:
        """The samples of one kind in a frame of your choice.

        Args:
            kind: as in ``samples``: ``link``, ``guest``.
            frame: what takes a mapping of arrays, such as ``pandas.DataFrame``.

        Returns:
            What ``frame`` makes of them.

        Raises:
            ScenarioError: there are no samples of that kind, or the run was simulated and has none.

        Example:
            >>> sorted(testbed.load("results/hello-20260101-120000").frame("guest", dict))[:2]
            ['guest', 'host']
        """
        if self.summary.engine == "simulated":
            raise ScenarioError("a simulated run has no samples")
        if kind not in self.samples:
            raise ScenarioError(f"there are no samples of kind '{kind}'; {nearest(kind, list(self.samples))}")
        return frame(self.samples[kind])

    def write_page(self) -> Path:
        """Rebuilds ``report.html`` and ``figures/`` from the run's files.

        Returns:
            The page's path.

        Raises:
            ScenarioError: the run's files are damaged.
            TestbedError: the page cannot be written.

        Example:
            >>> testbed.load("results/hello-20260101-120000").write_page().name
            'report.html'
        """
        from testbed.report.page.page import rebuild

        return rebuild(self.path)

    def _columns(self, kind: str) -> Columns:
        rows = [row for each in self.recordings for row in each.rows.get(kind, [])]
        lengths = [len(each.rows.get(kind, [])) for each in self.recordings]
        keys = [(each.key.name, each.key.repeat, each.key.guest) for each in self.recordings]
        names, repeats, guests = (np.repeat(np.array(known), lengths) for known in zip(*keys, strict=True))
        owners = {"migration": names, "repeat": repeats, "guest": guests}
        return owners | samples.to_columns(rows)

    def _repr_html_(self) -> str:
        known = self.summary
        lines = [f"{answers.verdict(known)} · {known.engine} · {known.started_at} · {self.path}"]
        lines += [f"not valid: {reason}" for reason in known.invalid_reasons[:3]]
        tables = [summary.migrations_table(known.migrations)] if known.migrations else []
        tables += [summary.comparisons_table(known.comparisons)] if known.comparisons else []
        return markup.block(f"{known.scenario}: {answers.answer(known)}", lines, tables)

    def __repr__(self) -> str:
        state = "valid" if self.valid else "not valid"
        return f"<Run {printable(self.summary.scenario)}: {len(self.migrations)} migrations, {state}, in {self.path}>"
