"""Throttles on a real guest: the rate is held, nothing is lost, who rewrites is spared, and release is at once."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.netns.launching import launch, testbed

GUEST = "{name: uniform, working_set: 60MB, write_rate: 60MB/s}"
"""Dirties at first more than a link of 30 MB/s carries."""
REWRITER = "{name: hot-cold, working_set: 60MB, write_rate: 24MB/s, hot_share: 0.02, hot_rate_share: 0.95}"


def scenario(tmp_path: Path, policy: str, workload: str = GUEST) -> str:
    file = tmp_path / "one.yaml"
    file.write_text(
        f"name: one\ntitle: one\nnetwork: {{vmotion: {{goodput: 30MB/s}}}}\nwarmup: 500ms\n"
        f"vm: {{ram: 80MB, workload: {workload}}}\nmigration: {{policy: {policy}, strict: true}}\n"
    )
    return str(file)


def migrate(tmp_path: Path, policy: str, workload: str = GUEST) -> dict[str, Any]:
    done = testbed(
        "run", scenario(tmp_path, policy, workload), "--json", "--quiet", "--out", str(tmp_path / policy[7:11])
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
    """Both are made to act from the first pass on, on a guest that rewrites a few pages."""
    sdps = migrate(tmp_path, "{name: vmotion, downtime_goal: 20ms, passes: 1, progress: 0.01}", REWRITER)
    share = migrate(tmp_path, "{name: qemu, downtime_goal: 20ms, threshold: 0.01, initial: 0.5}", REWRITER)
    assert sdps["throttle"]["active_s"] > 0
    assert share["throttle"]["guest_slowdown"] > 0.3
    assert sdps["throttle"]["guest_slowdown"] < share["throttle"]["guest_slowdown"] / 2


def test_a_cancel_releases_at_once(tmp_path: Path) -> None:
    file = scenario(tmp_path, "{name: vmotion, downtime_goal: 1ms}")
    with launch(tmp_path / "run", file) as run:
        run.wait_for("sdps holds")
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 130
        assert run.migration["outcome"] == "cancelled"
