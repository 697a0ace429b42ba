"""``bench`` as users see it, with rows that nobody measures: what it says meanwhile, and what is left where it ends."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from testbed.bench import rows
from testbed.bench.rows import Row
from testbed.cli import main
from testbed.core.errors import Interrupted, TestbedError
from testbed.core.records.migration import MigrationRecord
from tests.unit.records import a_migration

Captured = pytest.CaptureFixture[str]


def bench(monkeypatch: pytest.MonkeyPatch, measured: Sequence[Row | BaseException]) -> int:
    """The command, whose figures come one by one; an error is raised in place of one."""

    def told(_surroundings: object) -> Iterator[Row]:
        for each in measured:
            if isinstance(each, BaseException):
                raise each
            yield each

    monkeypatch.setattr("testbed.experiment.rootless.become_root", lambda: None)
    monkeypatch.setattr("testbed.experiment.machine.the_machine", lambda _what: nullcontext())
    monkeypatch.setattr(rows, "rows", told)
    return main(["bench"])


SCAN = Row(measure="one dirty scan", figure="0.51 ms", mark="< 5 ms", met=True)
SLOW = Row(measure="downtime", figure="31.0 ms", mark="< 20 ms", met=False)


def test_figures_are_told_one_by_one_and_the_table_stands_alone_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    assert bench(monkeypatch, [SCAN, SLOW]) == 0
    out, err = capsys.readouterr()
    assert err.splitlines()[1:] == ["one dirty scan: 0.51 ms", "downtime: 31.0 ms"]
    assert [line.split()[-1] for line in out.splitlines()] == ["met", "yes", "no"]


@pytest.mark.parametrize(
    ("end", "code"),
    [(Interrupted("interrupted by SIGINT"), 130), (TestbedError("iperf3 did not end"), 1)],
    ids=["Ctrl-C", "a fault"],
)
def test_what_was_measured_is_there_whatever_ends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, end: BaseException, code: int
) -> None:
    """It took minutes, and went to stderr alone."""
    assert bench(monkeypatch, [SCAN, end]) == code
    out, err = capsys.readouterr()
    assert "one dirty scan" in out and "0.51 ms" in out and err.splitlines()[-1].startswith("testbed: ")


def test_of_nothing_there_is_no_table(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    assert bench(monkeypatch, [TestbedError("no room")]) == 1
    assert not capsys.readouterr().out


def test_a_migration_that_sent_nothing_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no traceback, which would be ours."""
    record = a_migration(outcome="aborted", reason="no room", rounds=[])

    class Stage:
        def warm_up(self) -> "Stage":
            return self

        def migrate(self) -> "Stage":
            return self

        def conclude(self) -> MigrationRecord:
            return record

    @contextmanager
    def surroundings() -> Iterator[Any]:
        yield SimpleNamespace(run_id="x")

    into: AbstractContextManager[Any] = surroundings()
    for name in ("Fabric", "native_rig", "iperf3_goodput"):
        monkeypatch.setattr(rows, name, lambda *_asked: 1.0)
    monkeypatch.setattr(rows, "build", lambda _rig: Stage())
    with pytest.raises(TestbedError, match="sent nothing to measure: aborted: no room"):
        rows._against_iperf3(1e9, lambda: into)
