"""A process that works in a folder which it does not keep, to be killed."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OWNER = """
from testbed.linux.files.scratch import scratch
with scratch("grade") as folder:
    (folder / "below").mkdir()
    (folder / "below" / "hand-in").write_text("somebody's")
    print(folder, flush=True)
    input()
"""


@contextmanager
def owner() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """The process, and its folder."""
    of = subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with of:
        assert of.stdout is not None
        try:
            yield of, Path(of.stdout.readline().strip())
        finally:
            of.kill()


def left() -> Path:
    """The folder of one that was killed."""
    with owner() as (_process, folder):
        """It is killed as soon as it has one."""
    return folder
