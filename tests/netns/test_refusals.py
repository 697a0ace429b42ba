"""What this machine cannot do is refused by name: one line, the right exit code, and nothing built or left."""

import subprocess
from pathlib import Path

import pytest

from testbed.dirty.choice import works_here
from tests.netns.launching import launch, testbed


def refused(tmp_path: Path, *settings: str, scenario: str = "hello") -> tuple[int, str]:
    """Exit code and the last line; before it may be told that the scenario does not fit this machine."""
    words = [word for each in settings for word in ("--set", each)]
    done = testbed("run", scenario, *words, "--quiet", "--out", str(tmp_path / "run"))
    assert done.stdout == ""
    *warned, line = done.stderr.strip().splitlines()
    assert all("scale.size" in each for each in warned), warned
    assert line.startswith("testbed: ")
    return done.returncode, line


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("network.vmotion.goodput=900Gbit", "cannot shape a goodput of 900 Gbit/s: ask for at most"),
        ("network.vmotion.goodput=0", "network.vmotion.goodput"),
        ("network.vmotion.mtu=200", "mtu"),
        ("vm.workload.working_set=2GiB", "does not fit"),
        ("migration.streams=17", "streams"),
        ("migration.tracker=magic", "magic"),
        ("migration.polcy=plain", "did you mean 'policy'"),
        ("network.topology=three-hosts", "did you mean 'two-hosts'"),
    ],
)
def test_wrong_scenarios_end_with_2(tmp_path: Path, setting: str, words: str) -> None:
    code, line = refused(tmp_path, setting)
    assert code == 2, line
    assert words in line


def test_a_guest_that_this_machine_has_no_memory_for_ends_with_3(tmp_path: Path) -> None:
    code, line = refused(tmp_path, "vm.ram=64TiB")
    assert code == 3, line
    assert "two copies of 70.4 TB of RAM" in line and "what fits is a guest of" in line


def test_a_tracker_that_this_kernel_lacks_ends_with_3(tmp_path: Path) -> None:
    works, reason = works_here()["soft-dirty"]
    if works:
        return  # tests/netns/test_tracking.py tries it there
    code, line = refused(tmp_path, "migration.tracker=soft-dirty")
    assert code == 3, line
    assert reason in line


def test_delay_without_netem_ends_with_3(tmp_path: Path) -> None:
    tried = subprocess.run(
        ["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"],
        capture_output=True,
        check=False,
    )
    if tried.returncode == 0:
        with launch(tmp_path / "run", "hello", "--set", "network.vmotion.delay=1ms") as run:
            run.valid()
        return
    code, line = refused(tmp_path, "network.vmotion.delay=1ms")
    assert code == 3, line
    assert "netem" in line


def test_a_full_disk_ends_with_1_and_one_line(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(disk)], check=True)
    try:
        done = testbed("run", "hello", "--set", "vm.ram=64MB", "--set", "vm.workload.working_set=16MB", "--quiet",
                       "--out", str(disk / "run"))  # fmt: skip
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert done.returncode == 1
    assert "space" in done.stderr
    assert "Traceback" not in done.stderr
