"""What a run is put together from: what is in its folder, who is told, and what is there when it is broken off."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from testbed.core.errors import Interrupted, ScenarioError
from testbed.core.events import Event, MigrationFinished, MigrationStarted
from testbed.core.plan import Plan
from testbed.engines import simulated
from testbed.engines.forecasting import Expected
from testbed.experiment.composition import Composition, composed, thrown_away
from testbed.experiment.records import begun, failed
from testbed.experiment.state import RunState
from testbed.runfiles.folder import RunFolder
from testbed.scenario import load

HELLO = load("hello")
PLANS = HELLO.plans()


@contextmanager
def a_run(out: Path, asked: Sequence[Plan] = (), told: list[Event] | None = None) -> Iterator[Composition]:
    summary = begun(HELLO.name, "simulated", 1, native=False)
    watch = [] if told is None else told
    with composed(
        HELLO,
        PLANS,
        out=out,
        summary=summary,
        lock=None,
        asked=asked,
        observer=watch.append,
        say=pytest.fail,
    ) as run:
        yield run


def test_a_migration_is_told_kept_and_on_the_page(tmp_path: Path) -> None:
    told: list[Event] = []
    with a_run(tmp_path / "run", PLANS, told) as run:
        context = run.begin(PLANS[0], index=1, total=1, expected=Expected(total_s=2.0))
        assert context.number == 1 and context.runtime.is_dir()
        run.end(simulated.run(PLANS[0]))
        assert len(RunFolder(tmp_path / "run").read_summary().migrations) == 1
        assert not (tmp_path / "run" / "report.html").exists()
    assert [type(event) for event in told] == [MigrationStarted, MigrationFinished]
    assert (tmp_path / "run" / "report.html").is_file() and not context.runtime.exists()
    assert RunFolder(tmp_path / "run").read_summary().valid


def test_the_end_is_on_the_disk_as_soon_as_it_is_decided(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), a_run(tmp_path / "run", PLANS) as run:
        run.begin(PLANS[0], index=1, total=1).decided(simulated.run(PLANS[0]))
        raise ZeroDivisionError
    assert [each.outcome for each in RunFolder(tmp_path / "run").read_summary().migrations] == ["completed"]


def test_where_nothing_was_asked_and_nothing_made_there_is_no_page(tmp_path: Path) -> None:
    with a_run(tmp_path / "run"):
        assert not RunFolder(tmp_path / "run").read_summary().migrations
    assert not (tmp_path / "run" / "report.html").exists()


def test_who_ends_it_is_told_how_far_it_came(tmp_path: Path) -> None:
    said = r"by SIGTERM; 0 of 1 migrations were made; the files .* in "
    with pytest.raises(Interrupted, match=said), a_run(tmp_path / "run", PLANS):
        os.kill(os.getpid(), signal.SIGTERM)
    (left,) = RunFolder(tmp_path / "run").read_summary().not_made
    assert left.reason == "interrupted by SIGTERM"


@pytest.mark.usefixtures("hung_up_it_ends")
def test_of_an_open_end_nobody_counts(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match=r"^interrupted by SIGHUP$"), a_run(tmp_path / "run"):
        os.kill(os.getpid(), signal.SIGHUP)


def test_results_are_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(ScenarioError, match="is not empty"), a_run(tmp_path, PLANS):
        pytest.fail("it began")
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"]


def test_a_migration_that_could_not_begin_has_a_record(tmp_path: Path) -> None:
    done = failed(PLANS[0], "a host's shell was killed")
    assert (done.outcome, done.valid, done.invalid_reasons) == ("failed", False, ["a host's shell was killed"])
    with a_run(tmp_path / "run", PLANS) as run:
        run.begin(PLANS[0], index=1, total=1)
        run.end(done)
    assert RunFolder(tmp_path / "run").read_summary().invalid_reasons


def test_what_is_only_measured_leaves_nothing(tmp_path: Path) -> None:
    state = RunState("abc123", runtime=tmp_path)
    with state, thrown_away(state) as context:
        assert context.runtime == state.folder and context.runtime.stat().st_mode & 0o777 == 0o700
        assert context.run_id == "abc123" and context.folder.path.is_dir()
        context.started(os.getpid())
        assert [each.pid for each in state.processes] == [os.getpid()]
    assert not any(tmp_path.iterdir()) and not context.folder.path.exists()
