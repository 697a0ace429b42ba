"""The sampler with sources that do as they are told: its schedule, its file, and what it does when things go wrong."""

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from testbed.core.errors import TestbedError
from testbed.core.records.sampler import SamplerReport
from testbed.linux.files import owned
from testbed.linux.memory import memfd
from testbed.linux.processes import virtual
from testbed.linux.processes.virtual import held_back_s
from testbed.metrics.guest import GuestSource
from testbed.metrics.host import ProcessSource, cpu_seconds, pss_bytes
from testbed.metrics.link import LinkSource
from testbed.metrics.sampler import Sampler, fitting
from testbed.metrics.source import Row, Seldom

PERIOD = 0.005


class Counting:
    """Numbers its samples, and says when there are ``enough``."""

    def __init__(self, enough: int = 5) -> None:
        self.taken, self.closed = 0, False
        self._enough, self.reached = enough, threading.Event()

    def sample(self) -> list[Row]:
        self.taken += 1
        if self.taken >= self._enough:
            self.reached.set()
        return [{"kind": "count", "n": self.taken}]

    def close(self) -> None:
        self.closed = True


class Slow(Counting):
    """Its first sample takes as long as several ticks."""

    def sample(self) -> list[Row]:
        if not self.taken:
            end = time.monotonic() + 6.5 * PERIOD
            while time.monotonic() < end:
                pass
        return super().sample()


class Broken(Counting):
    def sample(self) -> list[Row]:
        raise OSError(19, "No such device")


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_sample_is_kept_in_order_with_its_time(tmp_path: Path) -> None:
    source = Counting()
    with Sampler(tmp_path / "samples.jsonl", (source,), PERIOD) as sampler:
        assert source.reached.wait(10)
    rows = _rows(tmp_path / "samples.jsonl")
    assert [row["n"] for row in rows] == list(range(1, source.taken + 1))
    assert sampler.taken == source.taken
    assert source.closed
    times = [row["t"] for row in rows]
    assert times == sorted(times)


def test_the_schedule_does_not_drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks stay on the grid of the first, however late each is: every one that was due is taken, or counted lost. The
    grid of a slow machine is another one from the twelfth on, so none is slow here.
    """
    monkeypatch.setattr("testbed.metrics.sampler.fitting", lambda period_s, _cpu_s: period_s)
    source = Counting(40)
    with Sampler(tmp_path / "samples.jsonl", (source,), PERIOD) as sampler:
        assert source.reached.wait(20)
    rows = _rows(tmp_path / "samples.jsonl")
    due = (rows[-1]["t"] - rows[0]["t"]) / PERIOD
    over = sampler.report().elapsed_s / PERIOD  # who was held up in the last one has lost ticks behind its time
    assert due - 1 <= sampler.taken + sampler.lost <= over + 2


def test_ticks_that_could_not_be_kept_are_counted(tmp_path: Path) -> None:
    source = Slow(3)
    with Sampler(tmp_path / "samples.jsonl", (source,), PERIOD) as sampler:
        assert source.reached.wait(10)
    assert sampler.lost >= 5
    assert sampler.report().lost == sampler.lost


def test_events_from_other_threads_are_rows_too(tmp_path: Path) -> None:
    source = Counting()
    with Sampler(tmp_path / "samples.jsonl", (source,), PERIOD) as sampler:
        threads = [threading.Thread(target=sampler.event, args=("round",), kwargs={"index": n}) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    rows = [row for row in _rows(tmp_path / "samples.jsonl") if row["kind"] == "event"]
    assert sorted(row["index"] for row in rows if row["event"] == "round") == list(range(20))
    assert {row["event"] for row in rows} <= {"round", "sampling"}, "of a slow machine"


def test_a_source_can_come_later(tmp_path: Path) -> None:
    late = Counting()
    with Sampler(tmp_path / "samples.jsonl", (), PERIOD) as sampler:
        sampler.add(late)
        assert late.reached.wait(10)
    assert late.closed


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file on a disk without room."""
    monkeypatch.setattr(owned, "append", lambda path, buffering: path.open("ab", buffering))
    return Path("/dev/full")


def test_a_full_disk_is_said_at_the_end_and_stops_nobody(full: Path) -> None:
    source = Counting(40)  # more than one batch
    sampler = Sampler(full, (source,), PERIOD, remedy="make room, or go")
    with pytest.raises(TestbedError, match=r"No space left on device; make room, or go$"), sampler:
        assert source.reached.wait(20)
    assert source.closed
    assert sampler.taken >= 40


def test_a_file_that_cannot_be_opened_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="No such file"), Sampler(tmp_path / "no" / "folder"):
        pass


def test_a_source_that_breaks_is_said_at_the_end_and_the_others_go_on(tmp_path: Path) -> None:
    broken, source = Broken(), Counting()
    sampler = Sampler(tmp_path / "samples.jsonl", (broken, source), PERIOD)
    with pytest.raises(TestbedError, match=r"^a Broken could not be read: No such device$"), sampler:
        assert source.reached.wait(10)
    assert broken.closed
    assert source.closed


def test_what_failed_first_is_what_is_raised(full: Path) -> None:
    with pytest.raises(ZeroDivisionError), Sampler(full, (Counting(),), PERIOD) as sampler:
        sampler.event("then")
        raise ZeroDivisionError


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    with Sampler(tmp_path / "samples.jsonl", (Counting(),), PERIOD) as sampler:
        sampler.close()
    sampler.close()


def test_its_own_cost_is_measured(tmp_path: Path) -> None:
    source = Slow(3)
    with Sampler(tmp_path / "samples.jsonl", (source,), PERIOD) as sampler:
        assert source.reached.wait(10)
    report = sampler.report()
    assert 0 < report.cpu_s <= report.elapsed_s * 1.01
    assert report.cpu_share > 0


def test_what_a_host_keeps_from_this_machine_is_a_share_of_all_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    processors = os.cpu_count() or 1
    monkeypatch.setattr(virtual, "held_back_s", lambda: 7.0 + processors * (time.monotonic() - began) / 4)
    with Sampler(tmp_path / "samples.jsonl", (Slow(0),), PERIOD) as sampler:
        time.sleep(0.05)
    assert sampler.report().held_back == pytest.approx(0.25, rel=0.05)
    assert held_back_s() == pytest.approx(psutil.cpu_times().steal, abs=1.0)


def test_a_report_of_nothing_divides_by_nothing() -> None:
    report = SamplerReport(taken=0, lost=0, cpu_s=0.0, elapsed_s=0.0)
    assert report.cpu_share == 0.0


def test_processes_are_read_until_they_end() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        source = ProcessSource({"child": child.pid, "self": os.getpid()})
        child_row, own_row = source.sample()
        child.communicate(b"\n")
        (left,) = source.sample()
    assert (child_row["kind"], child_row["name"], child_row["pid"]) == ("process", "child", child.pid)
    assert left["name"] == own_row["name"] == "self"
    assert isinstance(own_row["rss_bytes"], int)
    assert own_row["rss_bytes"] > 1 << 20
    assert cpu_seconds(child.pid) is None
    assert pss_bytes(child.pid, "guest-ram") is None


def test_cpu_and_memory_of_a_process_on_request() -> None:
    assert (cpu_seconds(os.getpid()) or 0.0) > 0
    pss = pss_bytes(os.getpid(), "guest-ram")
    assert pss is not None
    assert pss > 1 << 20


def test_memory_beside_a_guests_ram_does_not_swing_with_who_has_mapped_it() -> None:
    """Its RAM is no part of it, whether it is this process's alone or shared with one that may end any time."""
    size = 64 << 20
    before = pss_bytes(os.getpid(), "guest-ram") or 0
    fd = memfd.create("guest-ram", size)
    with memfd.map_shared(fd, size, populate=True):
        with_it, all_of_it = pss_bytes(os.getpid(), "guest-ram") or 0, pss_bytes(os.getpid(), "another") or 0
    os.close(fd)
    assert abs(with_it - before) < size // 4
    assert all_of_it - with_it >= size * 0.9


def test_a_process_that_is_not_there_is_refused() -> None:
    with pytest.raises(TestbedError, match="is not there"):
        ProcessSource({"nobody": 2**22 + 1})


def test_the_guests_counter_is_a_row_while_somebody_can_say() -> None:
    said: list[int | None] = [5, None]
    source = GuestSource(itertools.cycle(said).__next__, "esx1")
    assert source.sample() == [{"kind": "guest", "operations": 5, "host": "esx1"}]
    assert source.sample() == []


def test_a_link_is_two_rows_with_a_qdisc() -> None:
    source = LinkSource("here", os.getpid(), "lo")
    try:
        link, *qdisc = source.sample()
    finally:
        source.close()
    assert link["kind"] == "link"
    assert {"rx_bytes", "tx_bytes", "rx_packets", "tx_packets", "rx_dropped", "tx_dropped"} <= set(link)
    assert all(row["kind"] == "qdisc" for row in qdisc)


def test_a_seldom_source_is_asked_at_every_nth_tick_the_first_included() -> None:
    seldom = Seldom(Counting(), 3)
    asked = [bool(seldom.sample()) for _ in range(7)]
    assert asked == [True, False, False, True, False, False, True]


@pytest.mark.parametrize(
    ("tick_ms", "period_ms"),
    [(0.6, 20), (1.6, 20), (1.7, 40), (5.4, 120), (30.0, 200)],
)
def test_a_machine_that_takes_long_over_a_tick_is_asked_less_often(tick_ms: float, period_ms: float) -> None:
    assert fitting(0.02, tick_ms / 1000) == pytest.approx(period_ms / 1000)
    assert fitting(3600.0, tick_ms / 1000) == 3600.0, "as seldom as that was asked for"


class Dear(Counting):
    """Every sample takes a quarter of a period of the processor's time."""

    def sample(self) -> list[Row]:
        end = time.thread_time() + PERIOD / 4
        while time.thread_time() < end:
            pass
        return super().sample()


def test_the_period_is_made_to_fit_once_and_that_is_told(tmp_path: Path) -> None:
    source = Dear(20)
    with Sampler(tmp_path / "samples.jsonl", (source,), PERIOD) as sampler:
        assert source.reached.wait(20)
    told = [row for row in _rows(tmp_path / "samples.jsonl") if row["kind"] == "event"]
    (only,) = told
    assert only["event"] == "sampling" and only["period_s"] >= 5 * PERIOD
    seen = [row["t"] for row in _rows(tmp_path / "samples.jsonl") if row["kind"] == "count" and row["t"] > only["t"]]
    assert sampler.taken + sampler.lost >= len(seen)
    assert (seen[-1] - seen[0]) / only["period_s"] >= len(seen) - 1.5
