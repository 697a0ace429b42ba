"""The documents' blocks that make hosts run as they stand, in a fresh shell, with what stands around them."""

from pathlib import Path

import pytest

from tests.unit.documents import Block, blocks, steps

pytestmark = pytest.mark.timeout(600)
COMMANDS = [block for block in blocks() if block.language == "sh" and not block.not_run]
NATIVE = sorted({block.document for block in COMMANDS if not block.quick})


def up_to_hosts(document: str) -> list[Block]:
    """Its blocks, to the last that makes hosts: what follows is run by the unit tests."""
    of_it = [block for block in COMMANDS if block.document == document]
    while of_it[-1].quick:
        of_it.pop()
    return of_it


@pytest.mark.parametrize("document", NATIVE)
def test_it_runs_as_it_stands(document: str, tmp_path: Path) -> None:
    for block, done in steps(up_to_hosts(document), tmp_path):
        # Beside other work a run may be invalid for want of processors: that is no fault of what was written.
        assert done.returncode in (0, 1) and "Traceback" not in done.stderr, f"{block.place}\n{done.stderr}"


def test_there_are_some() -> None:
    assert {"docs/capture.md", "docs/shell.md"} <= set(NATIVE)
