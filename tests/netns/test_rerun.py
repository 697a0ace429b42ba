"""``grade --rerun`` with root: records of real hosts are made again on such, by a process that reads no hand-in."""

import csv
import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.experiment.run import run_scenario
from testbed.labs import find, handin
from testbed.labs.answers import ANSWERS
from testbed.labs.running import carried_out, prepared
from testbed.labs.starting import start
from testbed.labs.workbook import Workbook
from testbed.linux.processes.caller import is_root
from testbed.scenario import load
from tests.netns.launching import testbed

pytestmark = pytest.mark.timeout(420)


@pytest.fixture
def anybodys() -> Iterator[Path]:
    """A folder that nobody may read, too, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


def handed_in(where: Path, student: str, *, slower: bool = False, tries: int = 3) -> None:
    """A run on real hosts; ``slower``: of a link with 3/4 of the rate, under the scenario of the right one."""
    book, lab = where / "work" / student, find("hello")
    book.parent.mkdir(exist_ok=True)
    start(lab, student, "net-2026", book)
    answers = book / ANSWERS
    answers.write_text(re.sub(r"(?m)^stops:.*", "stops: milliseconds", answers.read_text()))
    made = prepared(lab, Workbook.read(book), "main")
    if slower:
        right = (book / "scenario.yaml").read_text()
        other = where / "slower.yaml"
        other.write_text(re.sub(r"goodput: (\d+)Mbit", lambda rate: f"goodput: {int(rate[1]) * 3 // 4}Mbit", right))
        summary = run_scenario(load(other), out=made.out, engine="native", lab=made.record, page=False)
        shutil.copy(book / "scenario.yaml", made.out / "scenario.yaml")
    else:
        summary = carried_out(made, engine="native", page=False)
    if not summary.valid and tries > 1:
        shutil.rmtree(book)
        handed_in(where, student, slower=slower, tries=tries - 1)
        return
    assert summary.valid, summary.invalid_reasons
    handin.pack(book, where).chmod(0o644)


def test_of_two_records_the_one_that_was_made_otherwise_is_found(anybodys: Path) -> None:
    handed_in(anybodys, "honest@uni.example")
    handed_in(anybodys, "forger@uni.example", slower=True)
    table = anybodys / "grades.csv"
    given = [str(each) for each in sorted(anybodys.glob("*.zip"))]
    done = testbed("grade", *given, "--lab", "hello", "--rerun", "100%", "--csv", str(table), timeout_s=400)
    assert " of 2 hand-ins" in done.stderr, done.stderr
    assert ("hand-ins are not read as root" in done.stderr) is is_root(), "who has namespaces of their own never was"
    rows = {row["student"]: row["flags"] for row in csv.DictReader(io.StringIO(table.read_text()))}
    assert rows["honest@uni.example"] == "run again: agrees (main)"
    said = rows["forger@uni.example"]
    assert "does not agree with itself" in said or re.search(
        r"^run again: differs \(main\): .*total .* was recorded", said
    )
    assert not list(Path(tempfile.gettempdir()).glob("fast-motion-again-*"))
