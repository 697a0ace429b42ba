"""`bootstrap test`: unit tests side by side, then the rest; what failed in either is told last and in the exit code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.test_bootstrap import CHECKOUT, lay_conftest, pretend, run

UNIT, MACHINE = "tests/unit", "tests/netns tests/browser"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of bootstrap alone, and an environment whose tools find nothing to complain about."""
    pretend(tmp_path, uid=0)
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    for tool in ("ruff", "mypy", "lint-imports"):
        (tools / tool).symlink_to("/bin/true")
    return tmp_path


def the_end_of(checkout: Path, *arguments: str, python: str) -> subprocess.CompletedProcess[str]:
    """`bootstrap test`, with this script for Python."""
    script = checkout / ".venv" / "bin" / "python"
    script.write_text(f"#!/bin/bash\n{python}\n")
    script.chmod(0o755)
    return run("/bin/bash", checkout / "bootstrap", "test", *arguments, PATH="/usr/bin:/bin", TMPDIR=str(checkout))


def ending(unit: int, machine: int) -> str:
    """A Python that says its arguments and ends so; where it fails it leaves the name of a test."""
    return f"""\
echo "$@"
case "$*" in *{UNIT}*) code={unit} name=u;; *) code={machine} name=m;; esac
((code != 1)) || echo "- tests/$name.py::test_$name" >>"$TESTBED_TEST_FAILED"
exit $code"""


@pytest.mark.parametrize(
    ("unit", "machine", "code", "told"),
    [
        (0, 0, 0, []),
        (1, 0, 1, ["the unit tests ended with exit code 1", "failed: tests/u.py::test_u"]),
        (0, 1, 1, ["the tests of hosts, links and pages ended with exit code 1", "failed: tests/m.py::test_m"]),
        (3, 1, 3, ["the unit tests ended with exit code 3", "the tests of hosts,", "failed: tests/m.py::test_m"]),
        (1, 4, 1, ["the unit tests ended", "the tests of hosts, links and pages ended with exit code 4", "test_u"]),
        (0, 5, 5, ["the tests of hosts, links and pages ended with exit code 5"]),
        (-9, 0, 247, ["the unit tests ended with exit code 247"]),
    ],
)
def test_both_run_and_what_failed_in_either_is_told_last(
    checkout: Path, unit: int, machine: int, code: int, told: list[str]
) -> None:
    ended = the_end_of(checkout, python=ending(unit, machine))
    assert ended.returncode == code
    first, second = ended.stdout.splitlines()
    workers = len(os.sched_getaffinity(0)) + 1
    assert first.startswith(f"-m pytest --numprocesses={workers} --maxprocesses=8 ") and first.endswith(UNIT)
    apart = f"--tx 2*popen//python={checkout}/tests/alone {checkout}/.venv/bin/python --dist=worksteal"
    assert second == f"-m pytest {apart} {MACHINE}", "two workers, each of which has a machine for itself"
    said = [line for line in ended.stderr.splitlines() if "test: " not in line and "would install" not in line]
    assert len(said) == len(told) and all(words in line for words, line in zip(told, said, strict=True)), said
    assert not list(checkout.glob("fast-motion-failed.*"))


def test_an_interrupt_in_the_first_ends_both(checkout: Path) -> None:
    ended = the_end_of(checkout, python=ending(2, 0))
    assert ended.returncode == 2 and len(ended.stdout.splitlines()) == 1


def test_who_gets_no_namespaces_is_told_what_is_left_out(checkout: Path) -> None:
    pretend(checkout, uid=1000)
    ended = the_end_of(checkout, python=ending(0, 0))
    assert ended.returncode == 0 and ended.stdout.splitlines()[1] == f"-m pytest {MACHINE}"
    assert "tests of hosts and links are left out" in ended.stderr and "testbed doctor" in ended.stderr


def test_arguments_go_to_one_pytest_as_they_are(checkout: Path) -> None:
    ended = the_end_of(checkout, UNIT, "-k", "wire or page", python='printf "<%s>" "$@"; exit 5')
    assert ended.returncode == 5 and ended.stdout == f"<-m><pytest><{UNIT}><-k><wire or page>"


HELD_BACK = f"""\
echo "$@"
case "$*" in *"{UNIT}"*) exit ;; *"{MACHINE}"*) first=1 ;; esac
fails() {{ echo "$1" >>"$TESTBED_TEST_FAILED" && code=1; }}
if [[ ${{first-}} ]]; then FIRST; else AGAIN; fi
exit "${{code-0}}"
"""


@pytest.mark.parametrize(
    ("first", "again", "runs", "code", "failed"),
    [
        ("fails '12.5% m::a[1 of 2]'", "true", [["m::a[1 of 2]"]], 0, []),
        ("fails '12.5% m::a'; fails '0.9% m::b'", "fails '- m::b'", [["m::a", "m::b"]], 1, ["m::b"]),
        ("fails '12.5% m::a'; fails '- m::b'", "true", [["m::a"]], 1, ["m::b"]),
        ("fails '12.5% m::a'", "fails '3.0% m::a'", [["m::a"], ["m::a"]], 1, ["m::a"]),
        ("fails '- m::a'", "true", [], 1, ["m::a"]),
        ("fails '12.5% m::a'; code=2", "true", [], 2, ["m::a"]),
    ],
)
def test_a_test_of_links_that_the_host_held_back_runs_again_by_itself(
    checkout: Path, first: str, again: str, runs: list[list[str]], code: int, failed: list[str]
) -> None:
    ended = the_end_of(checkout, python=HELD_BACK.replace("FIRST", first).replace("AGAIN", again))
    assert ended.returncode == code, ended
    apart = f"--tx 1*popen//python={checkout}/tests/alone {checkout}/.venv/bin/python --dist=worksteal"
    assert ended.stdout.splitlines()[2:] == [f"-m pytest {apart} {' '.join(each)}" for each in runs]
    told = ended.stderr.splitlines()
    assert [line.removeprefix("bootstrap: failed: ") for line in told if "failed: " in line] == failed
    assert len([line for line in told if "and runs again: " in line]) == sum(map(len, runs))
    assert "host kept 12.5% of its processors' time, and runs again: m::a" in ended.stderr or not runs


@pytest.mark.parametrize("arguments", [(), ("tests/unit", "-x")])
def test_after_a_failed_check_the_tests_run_and_the_code_is_1(checkout: Path, arguments: tuple[str, ...]) -> None:
    mypy = checkout / ".venv" / "bin" / "mypy"
    mypy.unlink()
    mypy.symlink_to("/bin/false")
    ended = the_end_of(checkout, *arguments, python=ending(0, 0))
    assert ended.returncode == 1 and "failed: mypy. The tests run all the same" in ended.stderr
    assert len(ended.stdout.splitlines()) == (1 if arguments else 2)


FAILING = """
import pytest

def test_failing(): assert "side" == "by side"

@pytest.fixture
def broken(): raise OSError("no such thing")

def test_broken(broken): pass
"""


def test_what_the_real_one_says(checkout: Path) -> None:
    """Failures and errors of a fixture, each by its name, whichever worker had it."""
    (checkout / "setup.cfg").write_text("[tool:pytest]\nmarkers = netns: needs root\n")
    for folder in (*MACHINE.split(), UNIT):
        (checkout / folder).mkdir(parents=True)
        (checkout / folder / f"test_{Path(folder).name}.py").write_text("def test_fine(): pass\n")
    for file in ("__init__.py", "conftest.py", "kernel.py", "alone"):
        shutil.copy(CHECKOUT / "tests" / file, checkout / "tests")
    (checkout / UNIT / "test_bad.py").write_text(FAILING)
    ended = the_end_of(checkout, python=f'exec {sys.executable} "$@" -p no:cacheprovider')
    assert ended.returncode == 1, ended
    failed = [line.removeprefix("bootstrap: failed: ") for line in ended.stderr.splitlines() if "failed: " in line]
    assert failed == ["tests/unit/test_bad.py::test_failing", "tests/unit/test_bad.py::test_broken"]
    assert "1 failed, 1 passed, 1 error" in ended.stdout, "of all workers"


@pytest.mark.needs_root("tests of hosts do not run at all without namespaces of one's own")
@pytest.mark.parametrize(("folder", "ticks", "kept"), [("netns", 9, True), ("netns", 0, False), ("unit", 9, False)])
def test_of_a_failed_test_of_links_is_told_what_the_host_kept(
    tmp_path: Path, folder: str, ticks: int, kept: bool
) -> None:
    """By each worker for its own tests: nine processors of one machine, where it has any of them."""
    keeps = f"def share_held_back(): return lambda: {ticks}"
    lay_conftest(tmp_path, "from testbed.linux.processes.virtual import share_held_back", keeps)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  netns: x\n")
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "test_it.py").write_text("def test_it(): assert False\n")
    command = (sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", tmp_path)
    run(*command, PATH=os.environ["PATH"], TESTBED_ALONE="1", TESTBED_TEST_FAILED=str(tmp_path / "failed"))
    share, test = (tmp_path / "failed").read_text().split()
    assert test == f"{folder}/test_it.py::test_it"
    assert float(share.removesuffix("%")) > 800 if kept else share == "-"


# ---- Side by side ----------------------------------------------------------------------------------------------------


def side_by_side(tmp_path: Path, folder: str, text: str, **environment: str) -> str:
    """What two workers say of this file."""
    (tmp_path / folder).mkdir(parents=True)
    lay_conftest(tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  netns: needs root\n  whole_machine: alone\n")
    (tmp_path / folder / "test_it.py").write_text(text)
    command = (sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", tmp_path)
    return run(*command, PATH=os.environ["PATH"], **environment).stdout


FOR_ROOT = """
import pytest

@pytest.mark.needs_root("a group is made")
def test_group(): assert False
"""


def test_what_is_for_root_alone_is_named_and_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "unit").mkdir()
    ours = "from testbed.linux.processes.caller import is_root"
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  netns: x\n  needs_root(what): x\n")
    (tmp_path / "unit" / "test_it.py").write_text(FOR_ROOT)
    command = (sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", tmp_path)
    for was, now, said in (
        (ours, "def is_root(): return False", "needs root: a group is made"),
        ("not is_root()", "False", "1 failed"),
    ):
        lay_conftest(tmp_path, was, now)
        assert said in run(*command, PATH=os.environ["PATH"], CI="true").stdout


SKIPS = "import pytest\ndef test_one(): pytest.skip('no mood')\ndef test_two(): pytest.skip('no mood')\n"


def test_no_worker_may_skip_either(tmp_path: Path) -> None:
    assert "2 failed" in side_by_side(tmp_path, "unit", SKIPS, CI="true")


@pytest.mark.needs_root("tests of hosts do not run at all without namespaces of one's own")
def test_who_needs_the_machine_for_himself_is_refused(tmp_path: Path) -> None:
    said = side_by_side(tmp_path, "netns", "def test_hosts(): pass\n")
    assert "1 error" in said and "is not for -n" in said
    assert "1 passed" in side_by_side(tmp_path / "alone", "netns", "def test_hosts(): pass\n", TESTBED_ALONE="1")


WHOLE = """
import os, pathlib, time
import pytest

@pytest.mark.parametrize("number", range(6))
@pytest.mark.whole_machine
def test_alone(number):
    here = pathlib.Path(__file__).with_name("here")
    here.touch(exist_ok=False)
    time.sleep(0.05)
    here.unlink()
"""


@pytest.mark.needs_root("tests of hosts do not run at all without namespaces of one's own")
def test_what_asks_for_the_whole_machine_has_no_other_beside_it(tmp_path: Path) -> None:
    assert "6 passed" in side_by_side(tmp_path, "netns", WHOLE, TESTBED_ALONE="1")


BADGES = """
import os, subprocess, sys
import pytest

@pytest.mark.parametrize("number", range(8))
def test_badge(number):
    worn = subprocess.run([sys.executable, "-c", "import os; print(os.environ['TESTBED_TEST_SESSION'])"],
                          capture_output=True, text=True)
    assert worn.stdout.strip() == str(os.getpid())
"""


def test_each_worker_knows_its_own_processes(tmp_path: Path) -> None:
    assert "8 passed" in side_by_side(tmp_path, "unit", BADGES)
