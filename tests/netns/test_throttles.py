"""Throttles on a real guest: the rate is held, nothing is lost, who rewrites is spared, and release is at once."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import sleep
from typing import Any

import pytest

from guest_agent.config import GuestConfig
from testbed.core.extents import Extents
from testbed.core.rounds import Throttle
from testbed.dirty.uffd_wp import UffdWp
from testbed.migration.agents.attached import AttachedGuest
from testbed.migration.cancel import Cancel
from testbed.migration.source import SourceAgent
from testbed.rig.guests import GuestProcess, local_guest
from tests.netns.launching import launch, testbed

GUEST = "{name: uniform, working_set: 60MB, write_rate: 60MB/s}"
"""Dirties at first more than a link of 30 MB/s carries."""
REWRITER = (
    "{name: phases, phases: [{name: sequential, working_set: 60MB, write_rate: 24MB/s, duration: 3s}, "
    "{name: hot-cold, working_set: 60MB, write_rate: 24MB/s, hot_share: 0.02, hot_rate_share: 0.999, duration: 1h}]}"
)
"""Dirties all of its set in round 1; while that is sent it rewrites a fiftieth of it over and over."""
ONCE = """
from dataclasses import dataclass

from testbed.core.rounds import Action, Decision, Throttle


@dataclass(frozen=True, kw_only=True)
class Once:
    def decide(self, history):
        if len(history) > 1:
            return Decision(action=Action.SWITCH_OVER, reason="one throttled round was made")
        return Decision(action=Action.GO_ON, reason="now throttled", throttle=Throttle({throttle}))
"""


def scenario(tmp_path: Path, policy: str, workload: str = GUEST) -> str:
    file = tmp_path / "one.yaml"
    file.write_text(
        f"name: one\ntitle: one\nnetwork: {{vmotion: {{goodput: 30MB/s}}}}\nwarmup: 500ms\n"
        f"vm: {{ram: 80MB, workload: {workload}}}\nmigration: {{policy: {policy}, strict: true}}\n"
    )
    return str(file)


def migrate(tmp_path: Path, policy: str, workload: str = GUEST) -> dict[str, Any]:
    done = testbed(
        "run",
        scenario(tmp_path, policy, workload),
        "--json",
        "--quiet",
        "--out",
        str(tmp_path / f"run-{len(list(tmp_path.iterdir()))}"),
    )
    (migration,) = json.loads(done.stdout)["migrations"]
    assert migration["outcome"] == "completed", done.stderr
    assert migration["memory"]["match"]
    return dict(migration)


def test_sdps_holds_the_dirty_rate_and_converges(tmp_path: Path) -> None:
    found = migrate(tmp_path, "{name: vmotion, downtime_goal: 100ms}")
    throttle = found["throttle"]
    assert "answered late" in throttle["mechanism"]
    assert throttle["dirty_rate"] == pytest.approx(0.5 * found["link"]["goodput"] / 8, rel=0.1)
    assert throttle["guest_slowdown"] > 0.2
    sent = [each["sent_bytes"] for each in found["rounds"] if each["throttle"] > 0]
    assert sent == sorted(sent, reverse=True)


def test_auto_converge_takes_its_share(tmp_path: Path) -> None:
    found = migrate(tmp_path, "{name: qemu, downtime_goal: 400ms, initial: 0.5, increment: 0.2}")
    assert "10 ms slices" in found["throttle"]["mechanism"]
    first = next(each for each in found["rounds"] if each["throttle"] > 0)
    assert first["throttle"] == 0.5
    assert found["throttle"]["guest_slowdown"] > 0.4


def test_a_guest_that_rewrites_is_spared_by_sdps_and_not_by_auto_converge(tmp_path: Path) -> None:
    """One long round under each throttle, in which the guest first writes few pages and then rewrites them."""
    slowed = []
    for name, throttle in (("sdps", "kind='sdps', dirty_rate=15e6"), ("share", "kind='auto_converge', level=0.5")):
        policy = tmp_path / f"{name}.py"
        policy.write_text(ONCE.format(throttle=throttle))
        slowed.append(migrate(tmp_path, str(policy), REWRITER)["throttle"]["guest_slowdown"])
    by_sdps, by_share = slowed
    assert by_share > 0.4
    assert by_sdps < by_share / 2


def test_a_cancel_releases_at_once(tmp_path: Path) -> None:
    file = scenario(tmp_path, "{name: vmotion, downtime_goal: 1ms}")
    with launch(tmp_path / "run", file) as run:
        run.wait_for("sdps holds")
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 130
        assert run.migration["outcome"] == "cancelled"


@pytest.fixture
def exerciser(tmp_path: Path) -> Iterator[GuestProcess]:
    """Reads 64 KiB at a time, 16 in flight: each read's end writes to 16 pages."""
    disk = os.open(tmp_path, os.O_TMPFILE | os.O_RDWR | os.O_DIRECT, 0o600)
    os.posix_fallocate(disk, 0, 16 << 20)
    iometer = {"name": "iometer", "block": 64 << 10, "outstanding": 16, "read": 1.0, "size": 16 << 20}
    with local_guest(GuestConfig(ram_bytes=32 << 20, services=[iometer], disk_fd=disk), tmp_path / "guest") as guest:
        yield guest
    os.close(disk)


def test_a_stun_under_a_deep_throttle_waits_for_no_delays(exerciser: GuestProcess) -> None:
    """Delayed at this rate, the 256 pages in flight would take ten seconds. Each is noted still, which costs some 20 us
    and is behind a guest without a throttle: hence twenty times as long, and not thousands of times.
    """
    channel: Any = None
    took: dict[float, list[float]] = {1e12: [], 1e5: []}
    with AttachedGuest(str(exerciser.socket)) as attached:
        tracker = UffdWp(attached.ports())
        tracker.start()
        source = SourceAgent(
            guest=attached, tracker=tracker, channel=channel, cancel=Cancel(), strict=False, progress=lambda *_: None
        )
        exerciser.client.run()
        for rate in 5 * (*took,):
            source.throttle(Throttle(kind="sdps", dirty_rate=rate))
            source.memory.collect(Extents.none())
            source.throttling.begin_round()
            while not source.throttling.taken():
                sleep(0.001)
            source.stun_guest()
            took[rate].append((source.stamps.paused or 0.0) - (source.stamps.asked or 0.0))
            source.resume_guest()
            source.throttle(None)
        source.memory.close()
    assert median(took[1e5]) < 200 * median(took[1e12]), took
