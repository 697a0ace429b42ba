"""docs/python.md as a new researcher reads it: the wheel in a fresh account, a kernel, and each block as it stands."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from testbed.report.drawing import paper
from tests.unit.documents import ROOT, Block, blocks
from tests.unit.wheels import fonts, media_box

DRIVER = """
import json, sys
import nbclient, nbformat
cells = [nbformat.v4.new_code_cell(text) for text in json.load(sys.stdin)]
book = nbformat.v4.new_notebook(cells=cells)
nbclient.NotebookClient(book, timeout=100, kernel_name="python3").execute()
json.dump([cell["outputs"] for cell in book["cells"]], sys.stdout)
"""
TAB = """
from IPython.core.completer import provisionalcompleter
with provisionalcompleter():
    print([each.text for each in get_ipython().Completer.completions("testbed.pre", len("testbed.pre"))])
"""
ASKED = ["print(dir(testbed))", TAB, "run", "seen"]
pytestmark = pytest.mark.timeout(300)  # all of it is done before the first test
MOST_LINES, MINUTES, WORDS_A_MINUTE = 5, 10, 200
OF_IT = [each for each in blocks() if each.document == "docs/python.md"]


def runs(block: Block) -> bool:
    return block.language == "python" and not block.not_run


class Fresh:
    """An account with nothing in it, and what a notebook gave there, cell by cell."""

    def __init__(self, elsewhere: Path, folder: Path) -> None:
        self.work, home = folder / "work", folder / "home"
        self.work.mkdir()
        home.mkdir()
        done = subprocess.run(
            [elsewhere / "venv" / "bin" / "python", "-I", "-W", "ignore", "-c", DRIVER],
            cwd=self.work,
            env={"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"},
            input=json.dumps([*(each.text for each in OF_IT if runs(each)), *ASKED]),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        self.outputs: list[list[dict[str, Any]]] = json.loads(done.stdout)

    def said(self, cell: int) -> str:
        """What that cell printed."""
        return "".join(each["text"] for each in self.outputs[cell] if each["output_type"] == "stream")


@pytest.fixture(scope="module")
def fresh(elsewhere: Path, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    return Fresh(elsewhere, tmp_path_factory.mktemp("account"))


def test_thirty_repeats_of_two_policies_have_a_verdict_and_a_figure(fresh: Fresh) -> None:
    said = fresh.said(0)
    assert re.search(r"total time +policy=qemu +30 .*less, beyond the noise", said), said
    pdf = (fresh.work / "policies.pdf").read_bytes()
    assert media_box(pdf)[2] == pytest.approx(paper.INCHES["column"] * paper.POINTS, abs=0.01)
    assert fonts(pdf) == {"TrueType, embedded"}


def test_it_is_five_lines_and_less_than_ten_minutes() -> None:
    first = next(each.text for each in OF_IT if runs(each))
    assert len([line for line in first.splitlines() if line and not line.startswith("import ")]) <= MOST_LINES
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert len(text.split()) < MINUTES * WORDS_A_MINUTE


def test_the_readme_begins_the_same_way() -> None:
    (theirs,) = (each.text for each in blocks() if each.document == "README.md" and each.language == "python")
    first = next(each.text for each in OF_IT if runs(each)).splitlines()
    ours = [line.partition("  #")[0] for line in theirs.splitlines()]
    assert ours == [line for line in first if line != "print(seen)"]


def test_the_table_that_is_shown_is_the_one_that_is_printed(fresh: Fresh) -> None:
    (shown,) = (each.text for each in OF_IT if each.text.startswith("policy=qemu is faster"))
    printed = [line.rstrip() for line in fresh.said(0).splitlines()]
    assert [line for line in shown.splitlines() if line.rstrip() not in printed] == []


def test_what_a_cell_ends_with_shows_itself(fresh: Fresh) -> None:
    for cell, words in ((-2, "hello"), (-1, "policy=qemu")):
        (result,) = fresh.outputs[cell]
        assert words in result["data"]["text/html"] and "<table" in result["data"]["text/html"]
    assert (fresh.work / "dirty.svg").read_text(encoding="utf-8").startswith("<svg")


def test_tab_and_dir_know_the_names_and_no_rooms(fresh: Fresh) -> None:
    assert "'compare', 'load', 'predict', 'run', 'sweep']" in fresh.said(-4) and "'arena'" not in fresh.said(-4)
    assert fresh.said(-3) == "['predict']\n"
