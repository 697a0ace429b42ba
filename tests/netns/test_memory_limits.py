"""A run in a control group with a limit: it is refused with the largest guest that fits, which then runs."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns.launching import ROOT

pytestmark = pytest.mark.needs_root("a control group is made")

MIB = 1 << 20
GROUPS = Path("/sys/fs/cgroup")


@pytest.fixture
def group() -> Iterator[Path]:
    """A group of its own with 700 MiB, of whichever version has the memory controller here."""
    first = (GROUPS / "memory/cgroup.procs").exists()
    if not first:
        (GROUPS / "cgroup.subtree_control").write_text("+memory")
    folder = (GROUPS / "memory" if first else GROUPS) / "fast-motion-test"
    folder.mkdir()
    (folder / ("memory.limit_in_bytes" if first else "memory.max")).write_text(str(700 * MIB))
    yield folder
    folder.rmdir()


def run(group: Path, out: Path, *settings: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "testbed", "run", "hello", *settings, "--quiet", "--out", str(out)]
    enter = f'echo $$ > {group}/cgroup.procs; exec "$@"'
    return subprocess.run(["sh", "-c", enter, "sh", *argv], capture_output=True, text=True, cwd=ROOT, check=False)


def test_a_guest_that_the_control_group_has_no_room_for_is_refused_and_what_is_advised_runs(
    group: Path, tmp_path: Path
) -> None:
    refused = run(group, tmp_path / "1")
    assert refused.returncode == 3, refused.stderr
    assert f"the control group {group} leaves" in refused.stderr
    found = re.search(r"what fits: --set (scale\.size=\d+)$", refused.stderr.strip())
    assert found is not None, refused.stderr
    done = run(group, tmp_path / "2", "--set", found[1])
    assert done.returncode in (0, 1) and (tmp_path / "2" / "summary.json").exists(), (done.returncode, done.stderr)
    assert "completed" in (tmp_path / "2" / "summary.json").read_text()
