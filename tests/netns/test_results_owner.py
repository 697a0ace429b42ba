"""What a real run leaves, however it ends, is its caller's: packets and operations too."""

import os
import pwd
import signal
import stat
from pathlib import Path

import pytest

from tests.netns.launching import Launched, launch

pytestmark = pytest.mark.needs_root("what a run leaves goes to who called sudo")

SMALL = (
    "hello",
    "--set",
    "vm.ram=64MB",
    "--set",
    "vm.workload.working_set=16MB",
    "--set",
    "vm.workload.write_rate=4MB/s",
)


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> pwd.struct_passwd:
    known = next(each for each in pwd.getpwall() if each.pw_uid and each.pw_gid)
    monkeypatch.setenv("SUDO_UID", str(known.pw_uid))
    monkeypatch.setenv("SUDO_GID", str(known.pw_gid))
    return known


def check(run: Launched, user: pwd.struct_passwd, *names: str) -> None:
    found = [run.out, *run.out.rglob("*")]
    assert {each.name for each in found} >= {"summary.json", "samples.jsonl", "log.txt", "scenario.yaml", *names}
    for each in found:
        known = each.lstat()
        assert (known.st_uid, known.st_gid) == (user.pw_uid, user.pw_gid), each
        assert stat.S_IMODE(known.st_mode) == (0o750 if each.is_dir() else 0o640), each


def test_a_whole_run_with_packets_and_operations_is_its_callers(tmp_path: Path, user: pwd.struct_passwd) -> None:
    with launch(tmp_path / "run", *SMALL, "--capture", "--set", "vm.services=echo", page=True) as run:
        run.end()
        assert run.migration["outcome"] == "completed"
        check(run, user, "packets", "01-1.pcapng", "operations", "pages.jsonl", "report.html", "figures")


def test_a_run_that_was_interrupted_is_its_callers(tmp_path: Path, user: pwd.struct_passwd) -> None:
    with launch(tmp_path / "run", *SMALL, "--set", "network.vmotion.goodput=100Mbit", "--capture") as run:
        run.wait_for("precopy")
        os.kill(run.process.pid, signal.SIGINT)
        assert run.end() == 130
        check(run, user, "01-1.pcapng")


def test_a_run_that_failed_and_one_that_was_killed_are_their_callers(tmp_path: Path, user: pwd.struct_passwd) -> None:
    with launch(tmp_path / "failed", *SMALL, "--set", "network.vmotion.goodput=100Mbit") as run:
        run.wait_for("precopy")
        run.child("migration.agent", '"role": "source"').kill()
        assert run.end() == 1
        check(run, user)
    with launch(tmp_path / "killed", *SMALL, "--set", "network.vmotion.goodput=100Mbit") as run:
        run.wait_for("precopy")
        run.process.kill()
        run.end()
        assert {each.lstat().st_uid for each in [run.out, *run.out.rglob("*")]} == {user.pw_uid}
