"""``grade --rerun``: who is drawn, what is run again and of what, and what is said of it."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.errors import ScenarioError
from testbed.grades.rerun import held
from testbed.grades.rerun.again import answered, run_again
from testbed.grades.rerun.draw import SampleDraw
from testbed.grades.rerun.messages import ANSWERS, QUESTIONS, NotRunAgain, RunAgain, RunFigures, Wanted
from testbed.labs import find
from testbed.labs.catalogue import LabFolder
from testbed.linux.processes.module import module
from tests.unit.graded import a_work

WANTED = Wanted(student="me@uni.example", course="net-2026", run="main", engine="simulated")


@pytest.mark.parametrize(
    ("asked", "share", "count"), [("5%", 0.05, 0), ("100 %", 1.0, 0), ("0.5%", 0.005, 0), ("3", 0, 3), (" 12 ", 0, 12)]
)
def test_a_share_or_a_number_may_be_asked_for(asked: str, share: float, count: int) -> None:
    draw = SampleDraw.of(asked)
    assert (draw.share, draw.count) == (share, count)
    assert len(draw.seed) == 16 and draw.seed != SampleDraw.of(asked).seed, "nobody knows it"


@pytest.mark.parametrize("asked", ["0", "0%", "101%", "-1", "2.5", "five", "", "%", "5%%", "1e3", "9" * 9])
def test_what_is_neither_is_one_line(asked: str) -> None:
    with pytest.raises(ScenarioError, match=r"^--rerun: must be a share of the hand-ins such as 5%, or how many"):
        SampleDraw.of(asked)


def test_an_empty_seed_is_none() -> None:
    with pytest.raises(ScenarioError, match=r"^--rerun-seed: is empty"):
        SampleDraw.of("5%", "")


@given(st.permutations(range(30)), st.integers(1, 40), st.text(min_size=1, max_size=5))
def test_a_draw_depends_on_the_seed_and_on_who_handed_in_alone(order: Sequence[int], count: int, seed: str) -> None:
    works = [a_work(f"student-{number}@uni.example") for number in range(30)]
    draw = SampleDraw.of(str(count), seed)
    drawn = {works[number].student for number in draw.drawn(works)}
    again = [works[number] for number in order]
    assert {again[number].student for number in draw.drawn(again)} == drawn and len(drawn) == min(count, 30)
    kept = [each for each in works if each.student in drawn or each.student.endswith("7@uni.example")]
    assert {kept[number].student for number in draw.drawn(kept)} == drawn, "whatever else was handed in"


def test_other_seeds_draw_others_and_each_as_often() -> None:
    works = [a_work(f"student-{number}@uni.example") for number in range(20)]
    often = [0] * 20
    for seed in range(2000):
        (number,) = SampleDraw.of("5%", str(seed)).drawn(works)
        often[number] += 1
    assert min(often) > 60 and max(often) < 150  # 100 expected, a standard deviation of 9.7


def test_a_share_of_few_is_one_and_of_none_nobody() -> None:
    works = [a_work(f"student-{number}@uni.example") for number in range(3)]
    assert len(SampleDraw.of("5%").drawn(works)) == 1 and len(SampleDraw.of("34%").drawn(works)) == 2
    assert len(SampleDraw.of("100%").drawn(works)) == 3
    assert SampleDraw.of("100%").drawn([a_work(fault="is no zip")]) == [] == SampleDraw.of("3").drawn([])


def made(engine: str = "native", **figures: Any) -> RunAgain:
    known = RunFigures(name="main", repeat=1, outcome="completed", valid=True, rounds=4, sent=1.6, total_s=20.0)
    return RunAgain(engine=engine, version="0.1.0", migrations=[replace(known, **figures)])


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({}, []),
        ({"rounds": 5, "sent": 1.66, "total_s": 22.0}, []),
        ({"total_s": 24.9}, ["total 24.9 s where 20.0 s was recorded"]),
        ({"sent": 1.2}, ["sent 1.200 x RAM where 1.600 was recorded"]),
        ({"rounds": 7}, ["7 rounds where 4 were recorded"]),
        ({"outcome": "aborted", "total_s": None}, ["aborted where 'completed' was recorded"]),
        ({"total_s": None}, ["total none where 20.0 s was recorded"]),
        ({"name": "other"}, ["main is not among its migrations"]),
        ({"valid": False, "total_s": 99.0}, []),
    ],
)
def test_what_is_too_far_off_is_said_with_both_figures(other: dict[str, Any], said: list[str]) -> None:
    assert held.differences(made(), made(**other)) == said


def test_bounds_are_as_wide_as_what_made_the_two() -> None:
    assert held.differences(made("simulated"), made("simulated", total_s=20.001)) == [
        "total 20.0 s where 20.0 s was recorded"
    ]
    assert held.differences(made(), made("simulated", total_s=23.5)) == []
    assert held.differences(made(), made("native", total_s=23.5)) != []
    assert "was not valid here: slow" in held.silent(made(), made(valid=False, why="slow"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((4, 1.6251, 10.944), (4, 1.6551, 11.685)),  # rounds
        ((4, 1.5160, 2.7451), (4, 1.5374, 2.8821)),  # downtime, links
        ((2, 1.1749, 1.0730), (2, 1.1828, 1.1431)),
        ((10, 2.6658, 13.762), (10, 2.6694, 13.615)),  # throttle, contract
    ],
)
def test_pairs_that_were_measured_agree(one: tuple[int, float, float], other: tuple[int, float, float]) -> None:
    """The two of some runs of one student that were furthest apart, other work on both processors meanwhile."""
    first, second = (made(rounds=rounds, sent=sent, total_s=total) for rounds, sent, total in (one, other))
    assert held.differences(first, second) == []


# ---- what is run, and of what ----------------------------------------------------------------------------------------


def test_it_is_run_from_the_labs_files_and_the_students_numbers() -> None:
    lab = find("rounds")
    first, again = run_again(lab, WANTED), run_again(lab, WANTED)
    assert first == again and first.engine == "simulated" and first.migrations[0].valid
    assert run_again(lab, replace(WANTED, student="you@uni.example")) != first


def test_what_a_lab_leaves_to_students_is_as_they_set_it() -> None:
    lab, wanted = find("limit"), replace(WANTED, run="below")
    slow, fast = (
        run_again(lab, replace(wanted, settings={"vm.workload.write_rate": rate})) for rate in ("10MB/s", "30MB/s")
    )
    assert slow.migrations[0].sent < fast.migrations[0].sent


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"run": "none"}, "the lab has no run 'none'"),
        ({"settings": {"vm.ram": "1MiB"}}, "the lab has no run 'main' in which vm.ram may be set"),
        ({"settings": {"migration.policy": "/etc/x.py"}}, "in which migration.policy may be set"),
    ],
)
def test_nothing_else_can_be_asked_for(wanted: dict[str, object], why: str) -> None:
    answer = answered(find("rounds"), replace(WANTED, **wanted))  # type: ignore[arg-type]
    assert isinstance(answer, NotRunAgain) and answer.exit_code == 2 and why in answer.why


def lab_of_code(tmp_path: Path) -> LabFolder:
    """A lab whose runs are by a policy of the student's own, or by what they set."""
    folder, shipped = tmp_path / "coded", find("rounds").path
    folder.mkdir()
    text = (shipped / "lab.yaml").read_text().replace("lab: rounds", "lab: coded")
    (folder / "lab.yaml").write_text(f"{text}runs:\n  main: {{set: [migration.policy]}}\n")
    (folder / "scenario.yaml").write_text((shipped / "scenario.yaml").read_text())
    return LabFolder.read(folder)


def test_code_of_a_students_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(f"open('{tmp_path}/ran', 'w')\n")
    lab = lab_of_code(tmp_path)
    for name in ("./mine.py", str(tmp_path / "mine.py")):
        for policy in (name, {"name": name}):
            answer = answered(lab, replace(WANTED, settings={"migration.policy": policy}))
            assert isinstance(answer, NotRunAgain), answer
            assert "it would run the student's own code (mine.py)" in answer.why or "no such file" in answer.why
    assert not (tmp_path / "ran").exists()


# ---- the process that keeps root -------------------------------------------------------------------------------------


def test_the_process_answers_as_this_one_does_and_ends_when_nobody_asks() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(module("testbed.grades.rerun.again_process", "rounds"), stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None and process.stdout is not None
        for wanted in (WANTED, replace(WANTED, run="none")):
            process.stdin.write(QUESTIONS.line(wanted))
            process.stdin.flush()
            assert ANSWERS.read(process.stdout.readline()) == answered(find("rounds"), wanted)
        process.stdin.close()
        assert process.wait(60) == 0 and process.stdout.read() == b""


def test_who_asked_may_be_gone_in_the_midst_of_a_run() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        module("testbed.grades.rerun.again_process", "rounds"), stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        out, err = process.communicate(QUESTIONS.line(WANTED) * 50, timeout=60)
        assert process.returncode == 0 and err == b"" and out.count(b"\n") < 50


def test_lines_between_the_two_are_read_strictly() -> None:
    line = json.loads(QUESTIONS.line(WANTED))
    wrongs: list[dict[str, object]] = [{"engine": "root"}, {"student": 7}, {"settings": []}, {"do": "sh"}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"engine|student|settings|do"):
            QUESTIONS.read(json.dumps({**line, **wrong}).encode() + b"\n")
