"""A migration's stages, with a mover that moves nothing: what each gives, what is undone when one fails, and that the
record says why.
"""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.core.errors import Interrupted, ScenarioError, TestbedError
from testbed.core.events import Controlled, RoundFinished
from testbed.core.records.migration import MemoryRecord, MigrationRecord
from testbed.core.rounds import Round, RoundKind
from testbed.engines.native.concluding import CUT_SHORT
from testbed.findings.ended import SOURCE, Ended
from testbed.findings.evidence import Condition
from testbed.findings.record import UNCHECKED
from testbed.linux.processes.interrupts import interruptible
from testbed.rig import stages
from testbed.rig.fake_mover import COMPLETED, FakeMover
from testbed.rig.orders import Order, Orders
from testbed.rig.stages import Built, Moved, Warm, build, carry_out
from tests.unit.fake_hosts import BrokenSource, FakeCrossing, FakeLink, a_plan
from tests.unit.rig_stand import Stand, interrupt

ABORTED = Ended(outcome="aborted", reason="no room", runs_at=SOURCE)
UNTOLD = "the source agent died: what it sent is not known"
"""Of a fake that completes, since its end has no facts."""


def of_it(record: MigrationRecord) -> list[str]:
    """The reasons that are not the fake's own, nor this machine's: a busy one loses samples."""
    return [each for each in record.invalid_reasons if each != UNTOLD and not each.endswith("samples were lost")]


def test_a_migration_from_nothing_to_nothing(tmp_path: Path) -> None:
    stand = Stand(folder=tmp_path)
    record = carry_out(stand.rig)
    assert (record.outcome, record.reason, record.runs_at) == (COMPLETED.outcome, COMPLETED.reason, "esx2")
    assert (record.tracker, record.tracker_reason) == ("none", "nothing is moved")
    assert record.memory and record.memory.match is None and record.memory.method.startswith("not compared: ")
    assert of_it(record) == []
    assert stand.phases == ["network", "guest", "calibrate", "warmup", "cooldown", "verify"]
    assert [row["name"] for row in stand.sampled("mark")] == ["running", "migrate", "ended", "cooled"]
    assert [row["phase"] for row in stand.sampled("phase")] == ["cooldown", "verify"]


def test_it_is_undone_in_the_opposite_order(tmp_path: Path) -> None:
    stand = Stand(folder=tmp_path)
    carry_out(stand.rig)
    built = ["up", "shape", "start", "prove link", "foresee", "run"]
    moved = ["migrate", "announced", "freeze", "counter closed", "counter closed", "prove"]
    assert stand.asked == [*built, *moved, "end", "down"]


def test_each_stage_gives_the_next_one_and_has_what_exists_by_then(tmp_path: Path) -> None:
    stand = Stand(folder=tmp_path)
    with stand.stack:
        built = build(stand.rig)
        warm = built.warm_up()
        moved = warm.migrate()
        assert (type(built), type(warm), type(moved)) == (Built, Warm, Moved)
        assert built.set_up.link.available == pytest.approx(built.set_up.link.goodput)
        assert not hasattr(built, "measurement") and not hasattr(warm, "ended")
        assert not hasattr(moved, "migrate") and not hasattr(warm, "warm_up")
        assert "end" not in stand.asked
        assert moved.conclude().outcome == "completed"


def test_the_end_is_kept_before_anything_else_is_asked(tmp_path: Path) -> None:
    stand = Stand(folder=tmp_path)
    asked: list[list[str]] = []
    stand.rig = replace(
        stand.rig, context=replace(stand.rig.context, decided=lambda _record: asked.append([*stand.asked]))
    )
    carry_out(stand.rig)
    assert [each[-1] for each in asked] == ["migrate"]


def test_what_is_kept_first_is_unchecked_and_has_the_end_and_the_link(tmp_path: Path) -> None:
    stand = Stand(folder=tmp_path, mover=FakeMover(ended=ABORTED))
    record = carry_out(stand.rig)
    (first,) = stand.decided
    assert (first.outcome, first.reason, first.runs_at) == (record.outcome, record.reason, record.runs_at)
    assert first.invalid_reasons == [UNCHECKED] and first.link == record.link


@pytest.mark.parametrize(
    ("part", "what", "undone"),
    [
        ("hosts", "up", ["up"]),
        ("hosts", "shape", ["up", "shape", "down"]),
        ("mover", "start", ["up", "shape", "start", "down"]),
        ("hosts", "prove link", ["up", "shape", "start", "prove link", "end", "down"]),
        ("mover", "foresee", ["up", "shape", "start", "prove link", "foresee", "end", "down"]),
        ("mover", "run", ["run", "counter closed", "counter closed", "end", "down"]),
    ],
)
@pytest.mark.parametrize("fault", [TestbedError("no"), ScenarioError("no"), Interrupted("no"), OSError("no")])
def test_what_fails_before_the_word_is_raised_and_all_is_undone(
    tmp_path: Path, part: str, what: str, undone: list[str], fault: BaseException
) -> None:
    stand = Stand(folder=tmp_path)
    getattr(stand, part).faults = {what: fault}
    with pytest.raises(type(fault), match="no"):
        carry_out(stand.rig)
    assert stand.asked[-len(undone) :] == undone
    assert stand.decided == [] and "migrate" not in stand.asked


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_in_the_warm_up_breaks_it_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    stand = Stand(folder=tmp_path)
    monkeypatch.setattr(stages, "sleep", lambda _seconds: os.kill(os.getpid(), number))
    with interruptible(), pytest.raises(Interrupted, match=number.name):
        carry_out(stand.rig)
    assert stand.asked[-4:] == ["counter closed", "counter closed", "end", "down"]
    assert "migrate" not in stand.asked


def test_ctrl_c_while_it_migrates_cancels_and_it_is_followed_to_its_end(tmp_path: Path) -> None:
    mover = FakeMover(meanwhile=lambda: signal.raise_signal(signal.SIGINT))
    with interruptible():
        record = carry_out(Stand(folder=tmp_path, mover=mover).rig)
    assert (record.outcome, record.reason, record.runs_at) == ("cancelled", "interrupted by SIGINT", "esx1")
    assert record.interrupted and "prove" in mover.asked and mover.asked[-2:] == ["end", "down"]
    assert CUT_SHORT not in record.invalid_reasons, "there was no cool-down to cut short"


def test_ctrl_c_in_the_cool_down_cuts_it_short_and_memory_is_compared_all_the_same(tmp_path: Path) -> None:
    stand = Stand(
        folder=tmp_path, plan=replace(a_plan(), cooldown_s=3600.0), watch=interrupt("cooldown")
    )  # fmt: skip
    with interruptible():
        record = carry_out(stand.rig)
    assert record.interrupted and record.outcome == "completed"
    assert CUT_SHORT in record.invalid_reasons and "prove" in stand.asked


@pytest.mark.parametrize(
    ("ended", "host"),
    [
        (ABORTED, "esx1"),
        (replace(ABORTED, outcome="failed", reason="the mover died before commit"), "esx1"),
        (replace(ABORTED, outcome="failed", reason="where the guest is could not be decided", runs_at=None), None),
    ],
)
def test_however_it_ends_the_record_says_so(tmp_path: Path, ended: Ended, host: str | None) -> None:
    record = carry_out(Stand(folder=tmp_path, mover=FakeMover(ended=ended)).rig)
    assert (record.outcome, record.reason, record.runs_at) == (ended.outcome, ended.reason, host)
    assert any(ended.reason in reason for reason in record.invalid_reasons), "it was to complete, and did not"


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        ({"announced": TestbedError("no word")}, "announcements: no word"),
        ({"freeze": TimeoutError("process 7 did not stop")}, "both guests at rest: process 7 did not stop"),
        ({"prove": OSError("no memory")}, "the proof of memory: no memory"),
    ],
)
def test_a_step_after_the_end_that_fails_is_a_reason_and_the_next_is_taken(
    tmp_path: Path, faults: dict[str, BaseException], reason: str
) -> None:
    stand = Stand(folder=tmp_path, mover=FakeMover(faults=faults))
    record = carry_out(stand.rig)
    assert record.outcome == "completed" and not record.valid
    assert of_it(record) == [reason]
    assert record.memory == MemoryRecord(match=None, method="not compared") or "prove" not in faults
    assert ("prove" in stand.asked) is ("freeze" not in faults), "nothing is compared that still changes"
    assert stand.asked[-2:] == ["end", "down"]


def test_an_end_that_cannot_be_kept_is_a_reason(tmp_path: Path) -> None:
    def full(_record: MigrationRecord) -> None:
        raise OSError(28, "No space left on device")

    record = carry_out(Stand(folder=tmp_path, more={"decided": full}).rig)
    assert of_it(record) == ["its end could not be kept: No space left on device"]


def test_samples_that_cannot_be_read_are_a_reason(tmp_path: Path) -> None:
    stand = Stand(folder=tmp_path)
    source = BrokenSource("the link is gone")
    stand.hosts.more_sources = [source]
    stand.mover.meanwhile = source.asked.wait
    record = carry_out(stand.rig)
    assert record.outcome == "completed"
    (reason,) = of_it(record)
    assert reason.startswith("samples: ") and "the link is gone" in reason


def test_samples_that_cannot_be_written_end_it_before_the_word(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").mkdir()
    stand = Stand(folder=tmp_path)
    with pytest.raises((TestbedError, OSError)):
        carry_out(stand.rig)
    assert stand.asked[-2:] == ["end", "down"] and "run" not in stand.asked


def test_a_log_that_cannot_be_written_ends_it_before_there_are_hosts(tmp_path: Path) -> None:
    (tmp_path / "log.txt").mkdir()
    stand = Stand(folder=tmp_path)
    with pytest.raises((TestbedError, OSError)):
        carry_out(stand.rig)
    assert stand.asked == []


def test_a_counter_that_goes_while_it_migrates_stands_still(tmp_path: Path) -> None:
    stand = Stand(folder=tmp_path)
    stand.mover.meanwhile = stand.hosts.break_counters
    record = carry_out(stand.rig)
    assert record.outcome == "completed" and record.wire_bytes == 0
    assert [row["name"] for row in stand.sampled("mark")] == ["running", "migrate"], "no others were read"


def test_hosts_that_do_not_go_down_are_a_reason_and_no_fault_of_the_migration(tmp_path: Path) -> None:
    stand = Stand(folder=tmp_path)
    stand.hosts.faults = {"down": OSError("busy")}
    record = carry_out(stand.rig)
    assert record.outcome == "completed" and not record.valid
    assert record.invalid_reasons[-1] == "its hosts were not taken down in order: busy"


def test_how_the_guest_was_found_is_its_runners(tmp_path: Path) -> None:
    mover = FakeMover(condition=Condition(errors=2, fault="the guest at the source was dead at the end"))
    record = carry_out(Stand(folder=tmp_path, mover=mover).rig)
    assert record.guest and record.guest.errors == 2
    assert "the guest at the source was dead at the end" in record.invalid_reasons


def test_cross_traffic_ends_with_the_migration_and_may_fail_to(tmp_path: Path) -> None:
    stand = Stand(folder=tmp_path)
    with stand.stack:
        stand.hosts.traffic = FakeCrossing(OSError("stuck"))
        warm = build(stand.rig).warm_up()
        assert warm.crossing is not None and stand.hosts.traffic.stopped == 0
        moved = warm.migrate()
        assert stand.hosts.traffic.stopped == 1
        assert moved.steps.faults == ["cross traffic: stuck"]
    assert stand.hosts.traffic.stopped == 2


def test_packets_are_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    started: list[int] = []
    stand = Stand(folder=tmp_path, more={"capture": True, "started": started.append})
    record = carry_out(stand.rig)
    assert record.capture and (record.capture.file, record.capture.packets) == ("packets/01-1.pcapng", 7)
    assert stand.asked.index("run") < stand.asked.index("capture") < stand.asked.index("migrate")
    assert stand.asked[-3:] == ["capture ended", "end", "down"]
    assert started == [*stand.hosts.pids, 1]


def test_no_packets_no_word(tmp_path: Path) -> None:
    stand = Stand(folder=tmp_path, more={"capture": True})
    stand.hosts.faults = {"capture": TestbedError("packets cannot be kept")}
    with pytest.raises(TestbedError, match="packets cannot be kept"):
        carry_out(stand.rig)
    assert "migrate" not in stand.asked and stand.asked[-2:] == ["end", "down"]


@pytest.mark.parametrize("fault", [None, "there is no such link"])
def test_what_was_done_to_the_link_before_the_word_is_recorded_before_it(tmp_path: Path, fault: str | None) -> None:
    stand = Stand(folder=tmp_path)
    stand.hosts.link = FakeLink(fault)
    with stand.stack:
        warm = build(stand.rig).warm_up()
        assert warm.obey(Order(what="rate", value=5e8)) == fault
        record = warm.migrate().conclude()
    (done,) = record.controls
    assert (done.what, done.value, done.fault) == ("rate", 5e8, fault) and done.at_s <= 0
    assert [event.what for event in stand.events if isinstance(event, Controlled)] == ["rate"]
    assert [row["what"] for row in stand.sampled("control")] == ["rate"]
    assert ("changed by hand: rate 500 Mbit/s" in record.invalid_reasons) is (fault is None)


def test_orders_by_hand_reach_the_mover_and_no_other_word_does(tmp_path: Path) -> None:
    controls, answers = Orders(), list[str | None]()
    stand = Stand(folder=tmp_path, more={"controls": controls})
    stand.mover.meanwhile = lambda: answers.extend(
        controls.give(Order(what=what, migration=stand.plan.key)) for what in ("throttle", "cancel")
    )
    record = carry_out(stand.rig)
    assert answers == ["what moves this guest cannot be told 'throttle'", None]
    assert (record.outcome, [each.what for each in record.controls]) == ("cancelled", ["cancel"])
    assert controls.give(Order(what="cancel")) == "no migration is under way"


def test_what_the_mover_tells_is_told_on_and_is_among_the_samples(tmp_path: Path) -> None:
    copied = Round(index=1, kind=RoundKind.PRECOPY, started_s=0.0, duration_s=1.0, sent_bytes=4096, dirtied_bytes=0)
    event = RoundFinished(at=1.0, migration=a_plan().key, round=copied, decision=None)
    stand = Stand(folder=tmp_path, mover=FakeMover(events=[event]))
    carry_out(stand.rig)
    assert event in stand.events
    (row,) = stand.sampled("round")
    assert (row["round"]["index"], row["round"]["sent_bytes"]) == (1, 4096)
