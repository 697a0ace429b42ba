"""A tracker and a workload of the user's own in real migrations: believed where they are right, found out where not."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.hostile import hostile_folder
from tests.unit.test_dirty_own_file import MINE as TRACKER
from tests.unit.test_guest_own_workload import MINE as WORKLOAD

MISSES = TRACKER.replace("return found", "return found[:-1]")  # of the first, the guest's state, commit would tell
BREAKS = TRACKER.replace("return found", "raise KeyError('seven')")
TESTBED = str(Path(sys.executable).with_name("testbed"))
pytestmark = pytest.mark.needs_kernel("UFFD_FEATURE_WP_ASYNC")


def ran(folder: Path, *settings: str) -> tuple[int, str, dict[str, Any]]:
    """The exit code, what was said, and the record of the one migration."""
    given = [word for setting in settings for word in ("--set", setting)]
    done = subprocess.run(
        [TESTBED, "run", "./own.yaml", *given, "--quiet", "--out", "out"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    [record] = json.loads((folder / "out" / "summary.json").read_text())["migrations"]
    return done.returncode, done.stderr, record


def prepared(folder: Path, tracker: str) -> Path:
    (folder / "tracker.py").write_text(tracker)
    (folder / "work.py").write_text(WORKLOAD)
    (folder / "own.yaml").write_text(
        "extends: hello\nwarmup: 200ms\ncooldown: 200ms\n"
        "vm: {ram: 64MB, workload: {name: ./work.py, working_set: 32MB, write_rate: 40MB/s}}\n"
        "migration: {tracker: ./tracker.py, policy: xen}\n"
    )
    return folder


def test_both_of_them_where_every_other_module_lies(tmp_path: Path) -> None:
    folder = prepared(hostile_folder(tmp_path / "hostile"), TRACKER)
    code, said, record = ran(folder)
    assert "HOSTILE" not in said + (folder / "out" / "log.txt").read_text()
    assert said.splitlines()[:2] == [
        f"this scenario runs code of its own: {folder / name}" for name in ("tracker.py", "work.py")
    ]
    assert record["outcome"] == "completed" and record["memory"]["match"] is True, (code, said)
    digests = {
        f"./{name}": hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("tracker.py", "work.py")
    }
    assert record["own_code"] == digests and record["tracker"] == "./tracker.py"
    assert digests["./tracker.py"] in record["tracker_reason"] and record["vm"]["workload"] == "./work.py"
    audited = subprocess.run([TESTBED, "audit", "out"], cwd=folder, capture_output=True, text=True, check=False)
    assert "./work.py is a file of one's own, and is not run" in audited.stdout
    assert "failed" not in audited.stdout


def test_a_tracker_that_misses_pages_is_found_out_and_they_are_named(tmp_path: Path) -> None:
    code, said, record = ran(prepared(tmp_path, MISSES))
    assert record["outcome"] == "completed" and code == 1
    assert record["memory"]["match"] is False
    assert "the destination's memory differs from the source's in " in said and " pages: " in said


@pytest.mark.parametrize(
    ("tracker", "outcome", "reason"),
    [
        (BREAKS, "aborted", "tracker.py:12: the tracker failed in 'collect': KeyError: 'seven'"),
        ("class Mine: ...", "failed", "./tracker.py: expected one dirty tracker in it (a class with methods 'start'"),
    ],
)
def test_its_fault_is_the_migrations_end_and_the_guest_stays(
    tmp_path: Path, tracker: str, outcome: str, reason: str
) -> None:
    code, said, record = ran(prepared(tmp_path, tracker))
    assert code == 1 and reason in said and record["outcome"] == outcome
    assert record["runs_at"] in (None, "esx1")
