"""Ctrl-C, in whichever phase of whichever command: exit code 130, one line, and where the files are."""

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from testbed.cli.app import run_command
from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.core.events import Event, MigrationFinished, MigrationStarted
from testbed.core.plan import Plan
from testbed.core.records.migration import MigrationRecord
from testbed.engines import simulated
from testbed.experiment.run import run_scenario
from testbed.linux.processes.interrupts import STOPPING
from testbed.model.predict import Forecast, forecast
from testbed.rig.context import RunContext
from testbed.runfiles.folder import RunFolder
from testbed.scenario import load
from tests.unit.runs import kept

SIMULATED = ("run", "hello", "--engine", "simulated", "--quiet")


def interrupting(monkeypatch: pytest.MonkeyPatch, where: str, number: signal.Signals = signal.SIGINT) -> None:
    """A signal comes when that function is called."""
    module, _, name = where.rpartition(".")

    def interrupted(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), number)

    monkeypatch.setattr(importlib.import_module(module), name, interrupted)


@pytest.mark.usefixtures("hung_up_it_ends")
@pytest.mark.parametrize("number", STOPPING)
@pytest.mark.parametrize(
    ("argv", "where"),
    [
        (("predict", "hello"), "testbed.report.words.forecasts.predicted"),
        (("report", "RUN"), "testbed.report.page.page.html"),
        (("compare", "RUN", "RUN"), "testbed.report.side.comparison.laid"),
        (("compare", "RUN", "--page", "RUN/x.html"), "testbed.report.side.page.write"),
        (("serve", "RUN"), "testbed.web.runs.app"),
        (("doctor",), "testbed.doctor.abilities.abilities"),
        (("list",), "testbed.cli.commands.listing._rows"),
        (("bench",), "testbed.experiment.machine.MachineLock"),
        (("shell",), "testbed.experiment.machine.MachineLock"),
        (("run", "hello"), "testbed.experiment.machine.MachineLock"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_every_command_ends_with_130_and_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argv: tuple[str, ...],
    where: str,
    number: signal.Signals,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    interrupting(monkeypatch, where, number)
    run = str(kept(tmp_path / "kept"))
    assert run_command([word.replace("RUN", run) for word in argv]) == 130
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("testbed: ")]
    assert len(said) == 1 and said[0].startswith(f"testbed: interrupted by {number.name}")


@pytest.mark.usefixtures("hung_up_it_ends")
@pytest.mark.parametrize("number", STOPPING)
def test_while_the_page_is_drawn_it_is_heard_and_the_rest_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    interrupting(monkeypatch, "testbed.report.page.page.rebuild", number)
    out = tmp_path / "run"
    assert run_command([*SIMULATED, "--out", str(out)]) == 130
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"while the page was drawn; all else is in {out}; to draw it: testbed report {out}")
    assert RunFolder(out).read_summary().valid
    monkeypatch.undo()
    assert run_command(["report", str(out)]) == 0


def test_who_ended_the_run_may_end_the_page_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupting(monkeypatch, "testbed.report.page.page.rebuild")
    interrupting(monkeypatch, "testbed.engines.simulated.forecast")
    assert run_command([*SIMULATED, "--repeat", "2", "--out", str(tmp_path / "run")]) == 130
    assert "while the page was drawn" in capsys.readouterr().err
    summary = RunFolder(tmp_path / "run").read_summary()
    assert [each.reason for each in summary.not_made] == ["interrupted by SIGINT"] * 2


def test_when_all_is_shown_the_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("testbed.cli.live_page._None.ended", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    out = tmp_path / "run"
    assert run_command([*SIMULATED, "--no-page", "--out", str(out)]) == 130
    assert capsys.readouterr().err == f"testbed: interrupted by SIGINT; the files are in {out}\n"


def a_run(out: Path, **more: Any) -> None:
    run_scenario(load("hello"), out=out, engine="simulated", **more)


@pytest.mark.usefixtures("without_a_page")
@pytest.mark.parametrize("fault", [PrerequisiteMissing("no netem", "install it"), KeyError("x")])
def test_a_fault_that_ends_the_run_is_why_the_others_were_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    calls: list[Plan] = []

    def second(plan: Plan, **given: Any) -> Forecast:
        calls.append(plan)
        if len(calls) == 2:
            raise fault
        return forecast(plan, **given)

    monkeypatch.setattr(simulated, "forecast", second)
    with pytest.raises(type(fault)):
        a_run(tmp_path / "run", repeat=4)
    summary = RunFolder(tmp_path / "run").read_summary()
    assert len(summary.migrations) == 1 and len(summary.not_made) == 3
    assert all("no netem" in each.reason or "KeyError" in each.reason for each in summary.not_made)


@pytest.mark.usefixtures("without_a_page")
def test_a_fault_of_one_migration_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **_more: Any) -> Forecast:
        raise TestbedError("its host's shell was killed")

    monkeypatch.setattr(simulated, "forecast", broken)
    a_run(tmp_path / "run", repeat=2)
    summary = RunFolder(tmp_path / "run").read_summary()
    assert [each.reason for each in summary.migrations] == ["its host's shell was killed"] * 2 and not summary.not_made


@pytest.mark.usefixtures("without_a_page")
def test_whoever_watches_and_fails_does_not_break_a_migration_off(tmp_path: Path) -> None:
    seen: list[Event] = []

    def watch(event: Event) -> None:
        seen.append(event)
        if not isinstance(event, MigrationStarted):
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        a_run(tmp_path / "run", repeat=2, observer=watch)
    assert len(seen) == 2
    summary = RunFolder(tmp_path / "run").read_summary()
    assert [each.outcome for each in summary.migrations] == ["completed"] and len(summary.not_made) == 1


@pytest.mark.usefixtures("without_a_page")
def test_what_is_told_as_done_is_in_the_folder_by_then(tmp_path: Path) -> None:
    def watch(event: Event) -> None:
        if isinstance(event, MigrationFinished):
            there = RunFolder(tmp_path / "run").read_summary().migrations
            told.append(event.name)
            assert len(there) == len(told) and there[-1] == event.record

    told: list[str] = []
    a_run(tmp_path / "run", repeat=5, observer=watch)
    assert len(told) == 5


@pytest.mark.usefixtures("without_a_page")
def test_an_engine_is_given_where_its_ends_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that breaks with a fault of its own after the end: the end is in the folder."""
    real = simulated.run

    def migrate(_self: Any, plan: Plan, context: RunContext) -> MigrationRecord:
        context.decided(real(plan))
        raise ZeroDivisionError

    monkeypatch.setattr(simulated.SimulatedEngine, "migrate", migrate)
    with pytest.raises(ZeroDivisionError):
        a_run(tmp_path / "run")
    assert [each.outcome for each in RunFolder(tmp_path / "run").read_summary().migrations] == ["completed"]


def test_runs_begun_in_one_second_have_a_folder_each(tmp_path: Path) -> None:
    argv = [sys.executable, "-P", "-m", "testbed", *SIMULATED, "--no-page"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    runs = [subprocess.Popen(argv, cwd=tmp_path, env=env, stderr=subprocess.PIPE) for _ in range(3)]
    for run in runs:
        assert run.communicate()[1] == b"" and run.returncode == 0
    found = sorted((tmp_path / "results").iterdir())
    assert len(found) == 3
    assert all(json.loads((each / "summary.json").read_text())["valid"] for each in found)


def test_a_run_that_is_refused_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command([*SIMULATED, "--capture"]) == 2
    assert list((tmp_path / "results").iterdir()) == []


def test_a_folder_that_is_refused_is_left_as_it_was(tmp_path: Path) -> None:
    old = kept(tmp_path / "old")
    before = {each: each.stat().st_mtime_ns for each in old.rglob("*")}
    assert run_command([*SIMULATED, "--out", str(old)]) == 2
    assert {each: each.stat().st_mtime_ns for each in old.rglob("*")} == before
