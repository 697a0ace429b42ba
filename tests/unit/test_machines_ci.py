"""What is tried in a machine is judged rightly: `machines/ci` with programs of these tests for those that it starts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

CI = Path(__file__).resolve().parents[2] / "machines" / "ci"
RATE = "not valid: keep-talking: the link delivered 40.1 Mbit/s instead of 100 Mbit/s"
PACE = "not valid: keep-talking: the guest reached 40.2% of its write rate before the migration"
SAMPLES = "not valid: keep-talking: 9 of 90 samples were lost"
MEMORY = "not valid: keep-talking: the destination's memory differs from the source's"


@pytest.fixture
def tried(tmp_path: Path) -> Path:
    """A folder of fakes: QEMU's own processors, and a sudo that says what `testbed` has to say."""
    fakes = {
        "systemd-detect-virt": "cat {folder}/virt",
        "nmcli": "",
        "systemctl": "",
        "sudo": 'case "$*" in *bootstrap*) cat {folder}/says; exit $(cat {folder}/code) ;; esac',
    }
    for name, does in fakes.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does.format(folder=tmp_path)}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "virt").write_text("qemu\n")
    return tmp_path


def ci(folder: Path, part: str, says: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    (folder / "says").write_text(f"{says}\n")
    (folder / "code").write_text(str(code))
    env = {"PATH": f"{folder}:/usr/bin:/bin"}
    return subprocess.run([str(CI), part], capture_output=True, text=True, check=False, env=env)


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ("tc                 ok        /usr/sbin/tc", True),
        ("tracker uffd-wp    (missing) [Errno 22]    another kernel: Debian 13's and Ubuntu 24.04's have it", True),
        ("netem              (missing) not here      apt-get install linux-modules-extra", False),
        ("tc                 missing   not here      apt-get install iproute2", False),
    ],
)
def test_every_line_of_doctor_is_ok_but_what_a_newer_kernel_has(tried: Path, said: str, passes: bool) -> None:
    done = ci(tried, "doctor", said)
    assert (done.returncode == 0) is passes
    assert done.stdout.splitlines()[-1] == ("1 passed, 0 failed" if passes else "0 passed, 1 failed")
    assert said in done.stdout


@pytest.mark.parametrize(("said", "code"), [("fine", 0), (RATE, 1), (PACE, 1), (f"{SAMPLES}\n{RATE}", 1)])
def test_a_run_beside_others_may_fall_short_of_rates_where_it_is_emulated(tried: Path, said: str, code: int) -> None:
    done = ci(tried, "desktop", said, code)
    assert (done.returncode, "too slow for rates" in done.stdout) == (0, code == 1), done.stdout


@pytest.mark.parametrize(("said", "code"), [(MEMORY, 1), (f"{RATE}\n{MEMORY}", 1), ("no run", 1), (RATE, 3)])
def test_and_of_nothing_else(tried: Path, said: str, code: int) -> None:
    done = ci(tried, "desktop", said, code)
    assert done.returncode == 1 and "ci: failed: desktop" in done.stderr


def test_nor_where_it_is_not_emulated(tried: Path) -> None:
    (tried / "virt").write_text("kvm\n")
    assert ci(tried, "desktop", RATE, 1).returncode == 1


def test_the_first_command_has_to_be_valid_everywhere(tried: Path) -> None:
    assert ci(tried, "hello", RATE, 1).returncode == 1
    assert ci(tried, "hello", "fine").returncode == 0
    assert ci(tried, "no-such-part", "").returncode == 2
