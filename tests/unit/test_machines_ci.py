"""What is tried in a machine is judged rightly: `machines/ci` with programs of these tests for those that it starts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

CI = Path(__file__).resolve().parents[2] / "machines" / "ci"
INVALID = "not valid: keep-talking: the link delivered 40.1 Mbit/s instead of 100 Mbit/s"


@pytest.fixture
def tried(tmp_path: Path) -> Path:
    """A folder of fakes, of which sudo says what `testbed` has to say."""
    fakes = {
        "nmcli": "",
        "systemctl": "",
        "sudo": 'case "$*" in *bootstrap*) cat {folder}/says; exit $(cat {folder}/code) ;; esac',
    }
    for name, does in fakes.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does.format(folder=tmp_path)}\n")
        (tmp_path / name).chmod(0o755)
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


@pytest.mark.parametrize("part", ["hello", "desktop"])
def test_a_run_has_to_be_valid(tried: Path, part: str) -> None:
    assert ci(tried, part, "fine").returncode == 0
    refused = ci(tried, part, INVALID, 1)
    assert refused.returncode == 1 and f"ci: failed: {part}" in refused.stderr


def test_a_part_that_is_not_there_is_refused(tried: Path) -> None:
    assert ci(tried, "no-such-part", "").returncode == 2
