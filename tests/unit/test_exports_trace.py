"""A trace has what the record has, where it was, and no two slices of a track overlap."""

from dataclasses import asdict
from pathlib import Path

import pytest

from testbed.exports import trace
from testbed.runfiles import samples
from tests.unit.records import a_migration, a_networked_migration, a_round, a_summary
from tests.unit.runs import made, with_samples
from tests.unit.test_exports import HOSTILE, a_run
from tests.unit.traces import events_of, overlapping


def test_a_trace_has_the_records_rounds_and_phases_where_they_were(tmp_path: Path) -> None:
    summary = a_summary(a_networked_migration())
    run = with_samples(made(tmp_path / "run", summary), summary.migrations[0], 25.0)
    events = events_of(summary, samples.read(run / "samples.jsonl"))
    assert overlapping(events) == []
    slices = {each["name"]: each for each in events if each["ph"] == "X" and each["tid"] <= len(trace.TRACKS)}
    for each in summary.migrations[0].rounds:
        shown = slices["stop-and-copy" if each.kind == "stop_and_copy" else f"round {each.index}"]
        assert shown["ts"] == pytest.approx((1.0 + each.started_s) * 1e6)
        assert shown["dur"] == pytest.approx(each.duration_s * 1e6, abs=0.01)
        assert shown["args"] == asdict(each)
    phases = summary.migrations[0].downtime_phases_s
    assert [slices[name]["dur"] for name in phases] == [pytest.approx(s * 1e6, abs=0.01) for s in phases.values()]
    last = slices["stop-and-copy"]
    ends = slices["last_round"]["ts"] + slices["last_round"]["dur"]
    assert ends == pytest.approx(last["ts"] + last["dur"], abs=0.01)
    decisions = [each["name"] for each in events if each["ph"] == "i"]
    assert decisions == [each.decision for each in summary.migrations[0].rounds]
    curves = {each["name"] for each in events if each["ph"] == "C"}
    assert {"sent: esx1 vmotion", "sent: esx2 vmotion", "guest", "rounds: bandwidth"} <= curves


def test_several_migrations_are_processes_on_one_axis() -> None:
    summary = a_run()
    events = events_of(summary, [])
    named = {each["pid"]: each["args"]["name"] for each in events if each["name"] == "process_name"}
    assert named == {1: "opvizor", 2: HOSTILE}
    assert overlapping(events) == []
    assert [each["name"] for each in events if each["ph"] == "i"][-2:] == ["order: throttle", "fault: commit:cut"]


def test_a_migration_of_which_nobody_knows_when_it_was_is_left_out_and_named(tmp_path: Path) -> None:
    summary = a_summary(a_migration(), a_migration(name="other"))
    run = with_samples(made(tmp_path / "run", summary), summary.migrations[0], 1.0)
    text, lost = trace.text(summary, samples.read(run / "samples.jsonl"))
    assert [str(each) for each in lost] == ["other"] and '"pid":2' not in text


def test_edges_that_cross_by_a_digit_do_not_overlap() -> None:
    rounds = [a_round(1, 2048, 512, 0.1), a_round(2, 512, 128, 0.1 + 16 - 1e-9), a_round(5, 128, 0, 20.1 - 1e-9)]
    assert overlapping(events_of(a_summary(a_migration(rounds=rounds)), [])) == []
