"""Faults without hosts: the table of phase by fault is that of a real run, by the algorithm and the run's own desk."""

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.cli import main
from testbed.engines.simulated import run
from testbed.runfiles.summary_reader import doubts, read
from testbed.scenario import load

PHASES = ("hello", "round-1", "round-2", "last-round", "prepare", "commit", "running")
WHATS = ("cut", "kill-source", "kill-destination", "freeze-source", "freeze-destination")
SIMULATED = ("run", "bank", "--engine", "simulated", "--quiet")
Captured = pytest.CaptureFixture[str]


def migrations(*faults: str) -> dict[str, Any]:
    """By its faults, as the model has it."""
    plans = load("bank", overrides=[("faults", list(faults))]).plans()
    return {str(plan.faults[0]): run(plan) for plan in plans}


def test_before_running_the_guest_is_the_source_s_and_from_there_on_the_destination_s() -> None:
    seen = migrations(*[f"{phase}:{what}" for phase in PHASES for what in WHATS])
    assert len(seen) == len(PHASES) * len(WHATS)
    for name, record in seen.items():
        phase, _, what = name.partition(":")
        running = phase == "running"
        source = what.endswith("-source")
        assert record.runs_at == ("esx2" if running else "esx1"), name
        assert record.outcome == ("completed" if running else "failed" if source else "aborted"), name
        assert record.valid and [str(fault) for fault in record.faults] == [name], record.invalid_reasons
        doubted = "commit was sent and not answered" in record.reason
        assert doubted is (phase in ("commit", "running") and not source), (name, record.reason)
        assert (record.downtime_s, record.total_time_s) == (None, None)
        assert len(record.rounds) == {"hello": 0, "round-1": 0, "round-2": 1, "last-round": 2}.get(phase, 3), name


def test_a_lost_word_and_a_lost_answer_look_alike_to_the_source() -> None:
    seen = migrations("commit:cut", "running:cut")
    words = [record.reason.partition(";")[0] for record in seen.values()]
    assert words[0] == words[1] and len({record.runs_at for record in seen.values()}) == 2


def test_a_run_with_a_fault_is_a_run(tmp_path: Path) -> None:
    assert main([*SIMULATED, "--fault", "commit:kill-destination", "--out", str(tmp_path / "run")]) == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    (migration,) = summary["migrations"]
    assert (migration["name"], migration["runs_at"], migration["valid"]) == ("bank", "esx1", True)
    assert migration["faults"][0]["at_s"] > 0 and doubts(read(tmp_path / "run")) == []
    assert main(["report", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Broken by plan" in page and "kill-destination" in page
    again = tmp_path / "again"
    assert main(["run", str(tmp_path / "run" / "scenario.yaml"), *SIMULATED[2:], "--out", str(again)]) == 0
    assert json.loads((again / "summary.json").read_text())["migrations"][0]["faults"] == migration["faults"]


def test_a_fault_that_is_never_reached_makes_a_run_invalid(tmp_path: Path, capsys: Captured) -> None:
    assert main([*SIMULATED, "--fault", "round-40:cut", "--out", str(tmp_path / "run")]) == 1
    assert "the fault round-40:cut was never reached" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (
            ["commit:kill-destinatoin"],
            "--fault commit:kill-destinatoin: no fault is called 'kill-destinatoin'; did you",
        ),
        (["comit:cut"], "--fault comit:cut: no phase of a migration is called 'comit'; did you mean 'commit'?"),
        (["commit:mend"], "--fault commit:mend: commit:mend mends what is not cut; add commit:cut, or remove it"),
        (["hello:cut", "commit:cut"], "--fault hello:cut --fault commit:cut: commit:cut would never be reached, since"),
        (
            ["commit:cut", "commit:mend"],
            "engine 'simulated' has no TCP that says again what a cut link lost; leave out",
        ),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, capsys: Captured, faults: list[str], words: str) -> None:
    given = [part for fault in faults for part in ("--fault", fault)]
    assert main([*SIMULATED, *given, "--out", str(tmp_path / "run")]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"testbed: {words}") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ("{faults: [[], commit:cut, [commit:cut, commit:mend]]}", "leave out commit:mend"),
        ("{network.vmotion: [{goodput: 900Mbit}, {mtu: 1500}]}", "rate"),
    ],
)
def test_what_one_of_many_migrations_cannot_have_is_told_before_any_is_made(
    tmp_path: Path, capsys: Captured, matrix: str, said: str
) -> None:
    file, out = tmp_path / "mine.yaml", tmp_path / "run"
    link = "" if "network" in matrix else "network: {vmotion: {goodput: 900Mbit}}\n"
    file.write_text(f"vm: {{ram: 64MB}}\n{link}matrix: {matrix}\n")
    assert main(["run", str(file), "--engine", "simulated", "--out", str(out)]) == 2
    told = capsys.readouterr()
    assert said in told.err and "precopy" not in told.err + told.out and not out.exists()


def test_faults_stand_in_a_scenario_and_in_its_matrix(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "vm: {ram: 1GiB}\nfaults: running:cut\nmatrix: {faults: [[], [commit:cut, commit:mend], hello:cut]}\n"
    )
    plans = load(file).plans()
    assert [each.name for each in plans] == ["faults=none", "faults=commit:cut+commit:mend", "faults=hello:cut"]
    assert [[str(fault) for fault in each.faults] for each in plans] == [
        [],
        ["commit:cut", "commit:mend"],
        ["hello:cut"],
    ]
    file.write_text("vm: {ram: 1GiB}\nfaults: [running:cut, {a: 1}]\n")
    assert main(["predict", str(file)]) == 2
    assert "mine.yaml:2: 'faults': expected PHASE:WHAT" in capsys.readouterr().err
