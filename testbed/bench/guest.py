"""What tracking costs on this machine: a scan, the guest's lost time, and the most a tracked guest can write.

Every figure comes from one run of real processes here; they are for a table to read, not for tests to assert.
"""

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from guest_agent.config import GuestConfig
from guest_agent.control import GuestClient
from testbed.core.errors import TestbedError
from testbed.core.units import PAGE_SIZE
from testbed.dirty import GuestPorts, Tracker
from testbed.dirty.choice import choose
from testbed.linux.files.scratch import scratch
from testbed.rig.guests import local_guest


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowdown:
    """``share`` of the guest's time that tracking takes; ``rate`` it reached while tracked, as a share of that asked
    for.
    """

    share: float
    rate: float


def scan_cost(ram_bytes: int = 1 << 30, dirty_share: float = 0.01, scans: int = 15, tracker: str = "auto") -> float:
    """Seconds that one ``collect`` takes (median), of a guest that stands with so many scattered pages dirty."""
    with _guest(ram_bytes, 1.0, batch_s=1.0) as (_, ports):
        return statistics.median(_scans(choose(ports, tracker).tracker, ports, dirty_share, scans))


def slowdown(rate: float = 100e6, ram_bytes: int = 1 << 30, seconds: float = 2.0, round_s: float = 0.5) -> Slowdown:
    """A guest that writes ``rate`` bytes per second, never the same page twice in a round: the worst case for tracking.

    The share is the CPU time of its batches per second, tracked less untracked: what the program would lose if it had
    no time to spare. At this rate it has, so the rate itself is held.
    """
    with _guest(ram_bytes, rate, batch_s=0.001) as (client, ports):
        client.run()
        untracked, _ = _watch(client, seconds, None, round_s)
        tracker = choose(ports).tracker
        tracker.start()
        tracked, achieved = _watch(client, seconds, tracker, round_s)
        tracker.close()
    return Slowdown(share=tracked - untracked, rate=achieved / rate)


def peak_rate(ram_bytes: int = 1 << 30, seconds: float = 2.0, round_s: float = 0.1) -> float:
    """Bytes of distinct pages per second that a guest can write while it is tracked, collected every ``round_s``."""
    with _guest(ram_bytes, 1e12, batch_s=1e-5) as (client, ports):
        client.run()
        tracker = choose(ports).tracker
        tracker.start()
        began, until, dirtied = time.monotonic(), time.monotonic() + seconds, 0
        while (now := time.monotonic()) < until:
            time.sleep(round_s)
            dirtied += tracker.collect().size
        now = time.monotonic()
        tracker.close()
        client.stop()
    return dirtied / (now - began)


def _scans(tracker: Tracker, ports: GuestPorts, dirty_share: float, scans: int) -> list[float]:
    random, times, pages = np.random.default_rng(1), list[float](), ports.ram_bytes // PAGE_SIZE - 1
    dirty = round(pages * dirty_share)
    tracker.start()
    for scan in range(scans):
        _write(ports, 1 + random.choice(pages, dirty, replace=False), 1 + scan)  # the first has the guest's state
        began = time.perf_counter()
        found = tracker.collect()
        times.append(time.perf_counter() - began)
        if found.pages != dirty:
            raise TestbedError(f"{tracker.name} found {found.pages} pages written, not {dirty}: it does not work here")
    tracker.close()
    return times


def _write(ports: GuestPorts, pages: np.ndarray[tuple[int], np.dtype[np.int64]], number: int) -> None:
    """By way of the guest's own page tables, in which a tracker looks."""
    with Path(f"/proc/{ports.pid}/mem").open("r+b", buffering=0) as memory:
        for page in pages.tolist():
            os.pwrite(memory.fileno(), number.to_bytes(8, "little"), ports.ram_address + page * PAGE_SIZE)


@contextmanager
def _guest(ram_bytes: int, rate: float, batch_s: float) -> Iterator[tuple[GuestClient, GuestPorts]]:
    workload = {"name": "sequential", "write_rate": rate}
    with scratch("bench") as folder:
        config = GuestConfig(ram_bytes=ram_bytes, workload=workload, batch_s=batch_s)
        with local_guest(config, folder / "guest") as guest:
            ports = guest.client.ports()
            try:
                yield (
                    guest.client,
                    GuestPorts(
                        pid=ports.pid,
                        ram_address=ports.ram_address,
                        ram_bytes=ports.ram_bytes,
                        ram_fd=ports.ram_fd,
                        new_userfaultfd=guest.client.userfaultfd,
                    ),
                )
            finally:
                os.close(ports.ram_fd)
                os.close(ports.journal_fd)


def _watch(client: GuestClient, seconds: float, tracker: Tracker | None, round_s: float) -> tuple[float, float]:
    """CPU seconds in batches per second, and bytes per second written."""
    before = client.status()
    until = before.at + seconds
    while time.monotonic() < until:
        time.sleep(round_s)
        if tracker:
            tracker.collect()
    after = client.status()
    time_s = after.at - before.at
    return (after.busy_s - before.busy_s) / time_s, (after.operations - before.operations) * PAGE_SIZE / time_s
