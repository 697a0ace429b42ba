"""What a run and doctor say of a machine that is too small or too slow, which a fake stands for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testbed.cli import main
from testbed.core.errors import PrerequisiteMissing
from testbed.core.plan import Plan
from testbed.engines import registry as engines
from testbed.engines.simulated import SimulatedEngine as Simulated
from testbed.experiment import composition, machine
from testbed.experiment.machine import check_fits_all, slow_here
from testbed.experiment.run import run_scenario
from testbed.linux.memory.room import Room
from testbed.linux.processes import pace
from testbed.linux.processes.pace import Pace
from testbed.scenario import load

MIB = 2**20


def becomes(monkeypatch: pytest.MonkeyPatch, memory: int = 64 << 30, had: float = 4.0, others: float = 0.0) -> None:
    """This machine, from now on: of its four processors we get so many, and others so many."""
    monkeypatch.setattr(machine, "room", lambda: Room(size=memory, of="the control group /x leaves"))
    monkeypatch.setattr(
        machine, "pace", lambda asked: Pace(allowed=4, asked=asked, had=min(had, asked), speed=1.0, others=others)
    )


def test_too_little_memory_is_refused_with_what_is_missing_and_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    becomes(monkeypatch, memory=900 * MIB)
    check_fits_all(load("hello", overrides=["scale.size=2"]).plans())
    said = r"opvizor: two copies of 2\.0 GB .* the control group /x leaves 944 MB .*; what fits: --set scale.size=16"
    with pytest.raises(PrerequisiteMissing, match=said) as caught:
        check_fits_all(load("opvizor").plans())
    assert caught.value.exit_code == 3
    check_fits_all(load("opvizor", overrides=["scale.size=16"]).plans())


def test_memory_is_held_against_plans_without_trying_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    becomes(monkeypatch)
    monkeypatch.setattr(machine, "pace", lambda _asked: pytest.fail("tried"))
    check_fits_all(load("hello").plans())


def test_more_connections_than_open_files_are_refused_with_the_number_that_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    becomes(monkeypatch)
    monkeypatch.setattr(machine, "most_files", lambda: 1024)
    check_fits_all(load("keep-talking").plans())
    many = load("keep-talking", overrides=["vm.services.0.connections=2000"]).plans()
    with pytest.raises(PrerequisiteMissing, match=r"need 2,100 open files, and .* may have 1,024") as caught:
        check_fits_all(many)
    assert str(caught.value.remedy).endswith("ulimit -n 2100")


@pytest.mark.parametrize(("had", "words"), [(4.0, None), (0.5, "may not come out valid"), (0.1, "will hardly come")])
def test_a_slow_machine_is_told_so(monkeypatch: pytest.MonkeyPatch, had: float, words: str | None) -> None:
    becomes(monkeypatch, had=had)
    said = slow_here(load("hello").plans())
    assert said == [] if words is None else words in said[0]


def test_what_others_have_is_shared_and_what_is_held_back_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    becomes(monkeypatch, had=0.4, others=3.6)
    assert slow_here(load("hello").plans()) == []
    becomes(monkeypatch, had=0.2, others=3.8)
    (said,) = slow_here(load("hello").plans())
    assert "others leave 0.20 of 4.00 now; it may not come out valid" in said
    becomes(monkeypatch, had=0.2, others=0.1)
    (said,) = slow_here(load("hello").plans())
    assert "this machine has 0.30 for it now; it may not" in said


def test_a_slow_processor_of_many_is_no_want_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def slow(wanted: float) -> Pace:
        asked.append(wanted)
        return Pace(allowed=4, asked=min(wanted, 4.0), had=min(wanted, 4.0), speed=0.25)

    becomes(monkeypatch)
    monkeypatch.setattr(machine, "pace", slow)
    assert slow_here(load("hello").plans()) == [] and len(asked) == 2, "asked for what is wanted, and then for all"


class Real(Simulated):
    """Takes nothing of the machine, and is asked as what does."""

    needs_machine = True


def test_it_is_said_before_anything_is_built_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    becomes(monkeypatch, had=0.6)

    @contextmanager
    def ours(_lock: str, _plans: list[Plan], _wait: object) -> Iterator[None]:
        yield None

    monkeypatch.setattr(composition, "held", ours)
    monkeypatch.setattr(engines, "get", lambda _name: Real)
    said: list[str] = []
    events: list[int] = []
    summary = run_scenario(
        load("hello"), out=tmp_path / "run", observer=lambda _e: events.append(len(said)), say=said.append, page=False
    )
    assert "this machine has 0.60" in said[0] and "--set scale.size=" in said[0] and events[0] == 1
    assert summary.warnings == said and summary.valid, "a warning is no verdict"
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["warnings"] == said


def test_doctor_says_which_scenarios_fit_and_what_would(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    becomes(monkeypatch, memory=3400 * MIB, had=1.0)
    main(["doctor"])
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert lines["hello"].split()[-1] == "fits" and "too large" in lines["opvizor"]
    assert lines["opvizor"].endswith("--set scale.size=2")
    assert "1.00 processors" in lines["the"]


def test_processors_are_tried_shortly_and_nothing_is_left() -> None:
    seen = pace.pace(0.5, seconds=0.05)
    assert 0 < seen.had <= seen.asked == min(0.5, seen.allowed) and seen.speed > 0
    assert seen.got <= seen.processors <= seen.allowed * seen.speed


@pytest.mark.parametrize(
    ("had", "others", "quota", "processors"),
    [(0.5, 0.0, None, 0.5), (0.5, 1.4, None, 1.9), (0.5, 1.9, None, 2.0), (0.2, 1.8, 0.2, 0.2), (0.3, 1.0, 0.2, 0.3)],
)
def test_what_may_be_had(had: float, others: float, quota: float | None, processors: float) -> None:
    seen = Pace(allowed=2, asked=0.5, had=had, speed=0.5, others=others, quota=quota)
    assert seen.processors == pytest.approx(processors / 2) and seen.got == had / 2
