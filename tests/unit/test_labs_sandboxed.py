"""Code that students hand in: it is tried in a sandbox alone, once for all checks, and what it does wrong is theirs."""

import subprocess
import sys
from pathlib import Path

import pytest

from testbed import arena
from testbed.arena import Board
from testbed.core.errors import PrerequisiteMissing
from testbed.labs.catalogue import find
from testbed.labs.graded import Graded
from testbed.labs.starting import start
from tests.unit.learning import ME, a_lab, answer, by_name, judged, started
from tests.unit.sandboxes import HEAD, POLICY, doing, needs_sandbox

TRACKER = """
class Mine:
    def __init__(self, pages):
        self.pages = pages

    def start(self):
        self.pages.protect()

    def collect(self):
        {doing}
        return self.pages.written()
"""
CODE = """
from testbed.labs import check as them
from testbed.labs.check import check


@check(1, "one")
def one(lab, run):
    assert lab.tried("mine.py", them.counted, "a key").standings


@check(1, "two")
def two(lab, run):
    one.asked(lab, run)
"""


def checked(folder: Path, *lines: str, before: str = "") -> Graded:
    """The arena's lab, with a policy that does this."""
    mine = started(folder / "mine", lab="arena")
    doing(folder, *lines, before=before).rename(mine / "mine.py")
    answer(mine, {"told": "the first"})
    return judged(mine, find("arena"))


def test_code_that_was_handed_in_runs_in_the_sandbox_alone(tmp_path: Path) -> None:
    needs_sandbox()
    ran = tmp_path / "ran"
    ran.mkdir(mode=0o777)
    result = by_name(checked(tmp_path, before=f"open({str(ran / 'it')!r}, 'w')\n"))
    assert "No such file" in result["decides"].reason and result["decides"].standing == "wrong"
    assert not list(ran.iterdir())


def test_what_it_does_wrong_is_told_with_its_line_and_the_rest_is_judged(tmp_path: Path) -> None:
    needs_sandbox()
    result = by_name(checked(tmp_path, "raise ValueError('no idea')"))
    assert result["decides"].reason.startswith("mine.py:8: ") and "no idea" in result["decides"].reason
    assert result["vmotion"].reason == "first 'decides' has to be right"
    assert result["told"].hint and result["price"].reason == "answers.yaml: 'price' is not answered yet"


def test_a_file_that_is_missing_or_a_link_is_not_tried(tmp_path: Path) -> None:
    mine = started(tmp_path / "mine", lab="arena")
    (mine / "mine.py").rename(tmp_path / "other.py")
    assert "mine.py: is not there" in by_name(judged(mine, find("arena")))["decides"].reason
    (mine / "mine.py").symlink_to(tmp_path / "other.py")
    assert by_name(judged(mine, find("arena")))["decides"].standing == "wrong"


def test_where_there_is_no_sandbox_it_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_words: object, **_options: object) -> None:
        raise PrerequisiteMissing("there is no bwrap", "apt-get install bubblewrap")

    monkeypatch.setattr("testbed.arena.match", none)
    result = by_name(checked(tmp_path))
    assert result["decides"].standing == result["scale"].standing == "not asked"
    assert result["decides"].reason == "there is no bwrap; apt-get install bubblewrap"


def test_however_many_checks_ask_it_is_tried_once_until_it_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_sandbox()
    tried: list[Path] = []

    def counted(file: Path, key: str) -> Board:
        tried.append(file)
        return arena.match(file, key, 2, rivals=())

    lab = a_lab(tmp_path / "lab", "lab: mine\ntitle: t\nminutes: 1\nruns: {}\nhand_in: [mine.py]\n", CODE)
    monkeypatch.setattr("testbed.labs.check.counted", counted, raising=False)
    mine = start(lab, ME, "", tmp_path / "mine")
    answer(mine, {})
    for decided in ("SWITCH_OVER", "SWITCH_OVER", "GO_ON"):
        (mine / "mine.py").write_text(f"{HEAD}{POLICY}".format(doing=f"'{decided}'"))
        result = by_name(judged(mine, lab))
        assert result["one"].standing == result["two"].standing == "right"
    assert tried == [mine / "mine.py"] * 2


@pytest.mark.parametrize(
    ("doing", "said", "hint"),
    [
        ("self.pages.protect()", "page 0 at the destination is as it was", "Protecting forgets"),
        ("return [self.pages.count]", "tracker.py:9: 'collect' is to return numbers of pages", ""),
        ("raise OSError('none')", "tracker.py:10: the tracker failed: OSError: none", ""),
        ("raise SystemExit(0)", "tracker.py:10: the tracker failed: SystemExit: 0", ""),
        ("while True: pass", "tracker.py:10: it took more than 2 s of processor time", ""),
        ("import os; os._exit(0)", "tracker.py: its process ended (exit code 0)", ""),
        ("open('/etc/hostname')", "tracker.py:10: the tracker failed: FileNotFoundError", ""),
    ],
)
def test_a_tracker_is_explored_in_its_sandbox(tmp_path: Path, doing: str, said: str, hint: str) -> None:
    needs_sandbox()
    mine = started(tmp_path / "mine", lab="build")
    (mine / "tracker.py").write_text(TRACKER.format(doing=doing))
    answer(mine, {})
    result = by_name(judged(mine, find("build")))
    assert result["loses"].reason.startswith(said) and result["loses"].earned <= 1
    assert result["loses"].hint.startswith(hint)
    assert result["needless"].reason == result["calls"].reason == "first 'loses' has to be right"


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("'g1'", "'waves' is to return a list of lists of names, none of them empty"),
        ("[[], ['g1']]", "'waves' is to return a list of lists of names, none of them empty"),
        ("[]", "nobody is in it"),
        ("[[['g1']]]", "there is a name in it that no guest has"),
        ("[['g9']]", "there is a name in it that no guest has"),
        ("[['g1'], ['g1']]", "a guest is in it twice"),
        ("{1j}", "what it answered cannot be said in JSON"),
        ("guests[8]", "plan.py:2: 'waves' failed: IndexError: list index out of range"),
    ],
)
def test_a_plan_is_asked_in_its_sandbox(tmp_path: Path, returned: str, said: str) -> None:
    needs_sandbox()
    mine = started(tmp_path / "mine", lab="evacuate")
    (mine / "plan.py").write_text(f"def waves(guests, link, cap, deadline):\n    return {returned}\n")
    answer(mine, {})
    result = by_name(judged(mine, find("evacuate")))
    assert said in result["waves"].reason and result["waves"].earned == 0
    assert result["yours"].reason == result["others"].reason == "first 'waves' has to be right"


def test_what_a_student_starts_with_runs_and_is_not_right_yet(tmp_path: Path) -> None:
    needs_sandbox()
    for lab, check in (("arena", "plain"), ("build", "loses"), ("evacuate", "yours")):
        mine = started(tmp_path / lab, lab=lab)
        answer(mine, {})
        result = by_name(judged(mine, find(lab)))
        assert result[check].earned < result[check].points / 2, lab


def test_what_becomes_of_each_guest_is_told_or_what_is_wrong_with_the_plan(tmp_path: Path) -> None:
    mine = started(tmp_path / "mine", lab="evacuate")

    def tried(returned: str) -> "subprocess.CompletedProcess[str]":
        (mine / "plan.py").write_text(f"def waves(guests, link, cap, deadline):\n    return {returned}\n")
        return subprocess.run([sys.executable, "try.py"], cwd=mine, capture_output=True, text=True, check=False)

    for wrong in ("None", "[]", "[['g9']]", "[['g1'], ['g1']]"):
        said = tried(wrong)
        assert said.returncode == 1 and said.stderr.startswith("plan.py: ") and said.stderr.count("\n") == 1, said
    told = tried("[('g1',), [guest['name'] for guest in guests[1:7]]]").stdout
    assert told.count("\n") == 8 and "g1 is over after" in told and "g8 stays behind: too late" in told
    assert "inf" not in tried("[[guest['name'] for guest in guests]]").stdout
