"""A record that was edited or damaged is noticed: figures told twice, figures that follow from others."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import testbed
from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.core.records.migration import ComparisonRecord, CpuRecord
from testbed.core.records.services import FaultRecord
from testbed.engines.simulated import run as simulate
from testbed.network.calibrate import TOLERANCE
from testbed.report.page import page
from testbed.runfiles import agreement, witnesses
from testbed.runfiles.folder import RunFolder, to_json
from testbed.runfiles.published import comparisons
from testbed.runfiles.summary_reader import doubts, from_json, read
from testbed.scenario import load
from testbed.scenarios import names
from tests.unit.records import a_migration, a_networked_migration, a_summary
from tests.unit.runs import KEPT, kept, made

MET = FaultRecord(phase="commit", what="cut", at_s=2.5)
MENDED = [MET, FaultRecord(phase="commit", what="mend", at_s=2.6)]
FREE = frozenset({"seed", "working_set_bytes", "rtt_s", "mtu", "drops", "memory_overhead_bytes", "guest_gap_begin_s"})
FREE_PARTS = frozenset(
    {"environment", "cpu", "predicted", "guest", "identity", "connections", "capture", "streams.index"}
)
"""What is said once, of this machine or by one witness alone, and so can be held against nothing here."""
LOOSE = frozenset({"rate", "goodput", "expected_goodput", "write_rate", "achieved_write_rate", "guest_gap_s"})
"""What is measured twice and has a tolerance."""


def numbers(known: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], float]]:
    """Every number of a summary, with where it stands."""
    parts = known.items() if isinstance(known, dict) else enumerate(known) if isinstance(known, list) else ()
    for key, part in parts:
        yield from numbers(part, (*path, key))
    if isinstance(known, int | float) and not isinstance(known, bool):
        yield path, known


def changed(known: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(known)
    part: Any = made
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return made


def core(known: dict[str, Any]) -> list[tuple[tuple[Any, ...], float]]:
    """The numbers that a record tells twice."""
    words = [
        (path, value, ".".join(str(each) for each in path if isinstance(each, str))) for path, value in numbers(known)
    ]
    return [
        (path, value)
        for path, value, word in words
        if path[-1] not in FREE and not any(f".{part}" in f".{word}" for part in FREE_PARTS)
    ]


@pytest.mark.parametrize("name", names())
def test_what_the_model_makes_agrees_with_itself(name: str) -> None:
    scenario = load(name)
    summary = a_summary(*(simulate(plan) for plan in scenario.plans()))
    summary.comparisons = comparisons(scenario.published, summary.migrations)
    found = [said for done in summary.migrations for said in agreement.of_migration(done, "simulated")]
    assert [*found, *agreement.of_summary(summary), *witnesses.of_comparisons(summary)] == []


def test_old_runs_agree_with_themselves() -> None:
    assert doubts(read(KEPT)) == [] and read(KEPT).valid
    assert doubts(read(Path("docs/fast-motion"))) == []


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_core_number_that_is_changed_is_noticed(data: st.DataObject, tmp_path: Path) -> None:
    """By a hundredth or more, and by a tenth where two measurements are held against each other."""
    folder = tmp_path / "run"
    known = json.loads((KEPT if folder.exists() else kept(folder)).joinpath("summary.json").read_text())
    path, value = data.draw(st.sampled_from(core(known)))
    least = 0.1 if path[-1] in LOOSE else 0.01
    factor = data.draw(st.floats(least, 5)) * data.draw(st.sampled_from([1, -1]) if not value else st.just(1))
    other = value * (1 + factor) if value else factor
    other = round(other) if isinstance(value, int) else other
    if isinstance(value, int) and abs(other - value) < 1:
        other = value + 1
    (folder / "summary.json").write_text(json.dumps(changed(known, path, other)))
    try:
        summary = read(folder)
    except ScenarioError:
        return  # a number below 0 where there can be none
    if path[-1] in ("scale", "size", "time") and not summary.migrations[0].full_scale:
        return  # a record of that time says nowhere else how it was scaled
    assert doubts(summary), f"{path} {value} -> {other}"
    assert not summary.valid and not summary.migrations[0].valid


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bytes_sent": 3}, "bytes_sent is 3, its rounds add up to 2,728,000,000"),
        ({"downtime_s": 0.06}, "downtime_s is 0.06, its phases add up to 0.07"),
        (
            {"total_time_s": 20.0, "rounds": a_migration().rounds},
            "total_time_s is 20, its last round ends after 21.3125",
        ),
        ({"client_blackout_s": 0.01}, "client_blackout_s is 0.01, its parts add up to"),
        ({"wire_bytes": 7}, "accounting.link_bytes is 2,728,000,099, wire_bytes is 7"),
        ({"outcome": "failed", "total_time_s": None}, "it is valid, and did not come to its end"),
        ({"faults": [FaultRecord(phase="commit", what="cut")]}, "it is valid, and a fault was not carried out"),
        ({"faults": [MET], "runs_at": None}, "it is valid, and after its faults no host runs the guest"),
        ({"faults": [MET], "outcome": "cancelled", "runs_at": "esx1"}, "it is valid, and did not come to its end"),
        ({"faults": MENDED, "outcome": "failed", "total_time_s": None}, "it is valid, and did not come to its end"),
        ({"faults": MENDED, "downtime_s": None}, "it completed, and rounds, total_time_s or downtime_s are missing"),
        ({"invalid_reasons": ["the link was slow"]}, "it is valid, and has invalid_reasons"),
        ({"full_scale": {"bytes_sent": 9.0}}, "full_scale.bytes_sent is 9.0, its figures say 2728000000.0"),
        ({"rounds": []}, "it completed, and rounds, total_time_s or downtime_s are missing"),
        ({"guest_gap_s": 0.01}, "guest_gap_s is 0.01, the downtime without its pause is 0.06"),
    ],
)
def test_what_does_not_agree_is_said_in_a_line(changes: dict[str, Any], said: str) -> None:
    found = list(agreement.of_migration(a_networked_migration(**changes), "native"))
    assert any(each.startswith(said) for each in found), found


def test_what_agrees_says_nothing_and_nor_does_what_was_not_measured() -> None:
    assert list(agreement.of_migration(a_networked_migration(), "native")) == []
    bare = a_migration(
        memory=None, accounting=None, guest=None, cpu=CpuRecord(source_s=None, destination_s=None, guest_s=None)
    )
    assert list(agreement.of_migration(bare, "native")) == []


def test_a_migration_that_met_its_fault_may_have_no_end_of_its_own() -> None:
    for outcome in ("failed", "aborted"):
        met = a_networked_migration(
            faults=[MET], outcome=outcome, runs_at="esx1", total_time_s=None, downtime_s=None, downtime_phases_s={},
            rounds=[], bytes_sent=0, blackout=None, client_blackout_s=None, accounting=None, streams=[], full_scale={},
            retransmits=None, throttle=None,
        )  # fmt: skip
        assert list(agreement.of_migration(met, "native")) == []


def test_a_run_is_no_better_than_its_migrations() -> None:
    summary = a_summary(a_migration(valid=False, invalid_reasons=["no"]), a_migration(repeat=2), a_migration(repeat=2))
    summary.valid = True
    assert list(agreement.of_summary(summary)) == ["the run is valid, one of its migrations not", "two have one name"]


def test_a_reduction_is_measured_anew(tmp_path: Path) -> None:
    claim = ComparisonRecord(
        name="total_time", over="ram", a="1GiB", b="2GiB", reduction=0.5, published=0.6, source="me", measured=0.5
    )
    both = [a_migration(name=ram, settings={"ram": ram}, total_time_s=t) for ram, t in (("1GiB", 20.0), ("2GiB", 10.0))]
    assert doubts(read(made(tmp_path / "a", a_summary(*both, comparisons=(claim,))))) == []
    both[1].total_time_s = 15.0
    (said,) = doubts(read(made(tmp_path / "b", a_summary(*both, comparisons=(claim,)))))[:1]
    assert "total_time: measured is 0.5, its migrations say 0.25" in said


@pytest.mark.parametrize("name", ["started_s", "duration_s", "sent_bytes", "dirtied_bytes", "bandwidth", "throttle"])
def test_rounds_are_held_against_the_samples(tmp_path: Path, name: str) -> None:
    folder = kept(tmp_path / "run")
    known = json.loads((folder / "summary.json").read_text())
    each = known["migrations"][0]["rounds"][1]
    each[name] += 1 if isinstance(each[name], int) else max(each[name] / 100, 0.1)
    (folder / "summary.json").write_text(json.dumps(known))
    assert any(f"round 2: {name} is " in each and "samples.jsonl says" in each for each in doubts(read(folder)))


def test_rounds_are_held_against_the_pages(tmp_path: Path) -> None:
    run = testbed.run("hello", engine="simulated", out=tmp_path / "run")
    done = run.migrations[0]
    line = {"migration": done.name, "repeat": 1, "round": 1, "pages": 10, "cell_pages": 1}
    (tmp_path / "run" / "pages.jsonl").write_text(json.dumps(line | {"sent": [1] * 10, "dirtied": [0] * 10}) + "\n")
    assert any("round 1: sent_bytes is 256,000,000, pages.jsonl says 40,960" in each for each in doubts(read(run.path)))


def test_an_edited_run_is_shown_as_not_valid_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``report``, its page, ``compare``, Python: each says what contradicts what."""
    said = "summary.json does not agree with itself: hello: downtime_s is 0.001, its phases add up to 0.0159757"
    folder, other = kept(tmp_path / "run"), made(tmp_path / "other")
    known = json.loads((folder / "summary.json").read_text())
    known["migrations"][0]["downtime_s"] = 0.001
    (folder / "summary.json").write_text(json.dumps(known))
    assert main(["report", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert out == f"{folder / 'report.html'}\n" and said in err
    text = (folder / "report.html").read_text()
    assert "not valid: edited or damaged" in text and said in text
    assert main(["compare", str(folder), str(other)]) == 2
    assert said in capsys.readouterr().err
    run = testbed.load(folder)
    assert not run.valid and any(said in each for each in run.summary.invalid_reasons)


def test_a_page_made_at_a_runs_end_says_what_the_run_says(tmp_path: Path) -> None:
    run = testbed.run("hello", engine="simulated", out=tmp_path / "run")
    assert (
        page.load(run.path).summary
        == RunFolder(run.path).read_summary()
        == from_json(json.loads(to_json(run.summary)), "here")
    )


def test_the_link_is_held_against_the_tolerance_it_was_proved_by() -> None:
    assert pytest.approx(TOLERANCE, rel=0.01) == agreement.LINK


def test_what_contradicts_itself_is_named_with_its_repeat(tmp_path: Path) -> None:
    run = made(tmp_path / "run", a_summary(a_migration(), a_migration(repeat=2, bytes_sent=1)))
    assert all(": opvizor (repeat 2): " in reason for reason in doubts(read(run)))
    assert doubts(read(run))
