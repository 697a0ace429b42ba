"""The documents' blocks that make hosts run as they stand, in a fresh shell."""

from pathlib import Path

import pytest

from tests.unit.documents import Block, blocks, fresh_shell

BEGIN = ("sudo testbed run hello --capture", "printf ")
"""What takes seconds and ends by itself."""
NATIVE = [block for block in blocks() if block.language == "sh" and block.text.startswith(BEGIN)]


@pytest.mark.parametrize("block", NATIVE, ids=lambda block: block.place)
def test_it_runs_as_it_stands(block: Block, tmp_path: Path) -> None:
    done = fresh_shell(block.text, tmp_path)
    # Beside other work a run may be invalid for want of processors: that is no fault of what was written.
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr, done.stderr
    assert (tmp_path / "home" / "results").is_dir()


def test_there_are_some() -> None:
    assert len(NATIVE) == 2
