"""A scenario may run code: that is said before it happens, and what only reads a run's folder never does it."""

import os
import sys
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.scenario import load
from testbed.web.run_list import RunList
from tests.unit.runs import kept
from tests.unit.test_web_runs import serving

Captured = pytest.CaptureFixture[str]
SAID = "this scenario runs code of its own: "
LOUD = """
import sys
from dataclasses import dataclass
from beside import REASON
from testbed.core.rounds import Action, Decision

sys.stderr.write("it ran\\n")

@dataclass(frozen=True, kw_only=True)
class Loud:
    def decide(self, history):
        return Decision(action=Action.SWITCH_OVER, reason=REASON)
"""


@pytest.fixture
def loud(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text("REASON = 'as it lies beside it'\n")
    (tmp_path / "loud.py").write_text(LOUD)
    return tmp_path / "loud.py"


def scenario(folder: Path, more: str) -> str:
    file = folder / "theirs.yaml"
    file.write_text(f"name: theirs\nnetwork: {{vmotion: {{rate: 1Gbit}}}}\nvm: {{ram: 64MiB}}\n{more}\n")
    return str(file)


@pytest.mark.parametrize("what", ["migration.policy", "migration.tracker", "vm.workload"])
def test_a_home_that_nobody_has_and_a_link_to_itself_are_no_file(tmp_path: Path, capsys: Captured, what: str) -> None:
    (tmp_path / "loop.py").symlink_to("loop.py")
    for file in ("~nobody-is-called-so/mine.py", str(tmp_path / "loop.py")):
        assert main(["predict", "hello", "--set", f"{what}={file}"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "there is no such file to load a " in line and file in line


@pytest.mark.parametrize("written", ["migration: {policy: {name: %s}}", "migration: {policy: %s}"])
@pytest.mark.parametrize("command", [("predict",), ("run", "--engine", "simulated", "--quiet", "--out")])
def test_it_is_said_before_it_runs(
    loud: Path, capsys: Captured, tmp_path: Path, written: str, command: tuple[str, ...]
) -> None:
    out = (str(tmp_path / "out"),) if command[-1] == "--out" else ()
    assert main([command[0], scenario(tmp_path, written % loud), *command[1:], *out]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == [f"{SAID}{loud}", "it ran"]


@pytest.mark.parametrize(
    "matrix",
    [
        "{migration.policy: [plain, ./loud.py]}",
        "{migration.policy.name: [plain, ./loud.py]}",
        "{cases: [{migration.policy: plain}, {migration.policy: {name: ./loud.py}}]}",
    ],
)
def test_wherever_it_is_named(loud: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, matrix: str) -> None:
    monkeypatch.chdir(loud.parent)
    assert main(["predict", scenario(loud.parent, f"matrix: {matrix}")]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"{SAID}{loud}" and lines.count(lines[0]) == 1


def test_also_when_it_is_named_on_the_command_line(
    loud: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(loud.parent)
    assert main(["predict", "hello", "--policy", "./loud.py"]) == 0
    assert capsys.readouterr().err.splitlines() == [f"{SAID}{loud}", "it ran"]


def test_a_scenario_of_ours_says_nothing_and_a_file_that_is_not_there_is_no_code(
    capsys: Captured, tmp_path: Path
) -> None:
    assert main(["predict", "hello"]) == 0
    assert main(["predict", scenario(tmp_path, f"migration: {{policy: {tmp_path}/none.py}}")]) == 2
    assert SAID not in capsys.readouterr().err


TRACKER = """
import sys
sys.stderr.write("it ran\\n")

class Mine:
    def __init__(self, pages): ...
    def start(self): ...
    def collect(self): return []
"""
WORKLOAD = """
import sys
from dataclasses import dataclass
from testbed.core.units import ByteRate, Bytes
sys.stderr.write("it ran\\n")

@dataclass(frozen=True, kw_only=True)
class Mine:
    working_set: Bytes | None = None
    write_rate: ByteRate = 8e6
    def pages(self, operations, random, size): return operations % size
"""


@pytest.fixture
def codes(tmp_path: Path, loud: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tracker.py").write_text(TRACKER)
    (tmp_path / "work.py").write_text(WORKLOAD)
    monkeypatch.chdir(tmp_path)
    return loud.parent


PHASES = "{name: phases, phases: [{name: ./work.py, duration: 1s}, {name: idle, duration: 1s}]}"
NAMED = {
    "policy": ("loud.py", "migration.policy", "./loud.py"),
    "policy with parameters": ("loud.py", "migration.policy", "{name: ./loud.py}"),
    "tracker": ("tracker.py", "migration.tracker", "./tracker.py"),
    "workload": ("work.py", "vm.workload", "./work.py"),
    "workload with parameters": ("work.py", "vm.workload", "{name: ./work.py, write_rate: 1MB/s}"),
    "workload within another": ("work.py", "vm.workload", PHASES),
}


def stated(path: str, value: str, by: str) -> str:
    """A scenario's text that has that value at the path, in one of the ways there are."""
    part, key = path.split(".")
    parts = {"vm": "ram: 64MiB", "migration": "streams: 1"}
    if by == "itself":
        parts[part] += f", {key}: {value}"
    text = f"name: theirs\nseed: 1\nvm: {{{parts['vm']}}}\nmigration: {{{parts['migration']}}}\n"
    matrix = {"matrix": f"{{{path}: [{value}]}}", "cases": f"{{cases: [{{{path}: {value}}}]}}"}
    return text + (f"matrix: {matrix[by]}\n" if by in matrix else "")


@pytest.mark.parametrize("by", ["itself", "matrix", "cases"])
@pytest.mark.parametrize("named", NAMED)
def test_all_code_is_announced_in_one_place_and_what_refuses_it_there_is_obeyed(
    codes: Path, capsys: Captured, named: str, by: str
) -> None:
    """``own_code`` is the only seam: what it raises, before anything ran, is the end of it."""
    code, path, value = NAMED[named]
    file = codes / "theirs.yaml"
    file.write_text(stated(path, value, by))
    (codes / "standing.yaml").write_text("extends: ./theirs.yaml\n")

    def refuse(found: Path) -> None:
        raise ScenarioError(f"{found.name} is not run")

    for each in (file, codes / "standing.yaml"):
        with pytest.raises(ScenarioError, match=f"^{code} is not run$"):
            load(each, own_code=refuse)
    assert "it ran" not in capsys.readouterr().err
    seen: list[str] = []
    [plan] = load(file, own_code=lambda found: seen.append(found.name)).plans()
    beside = ["beside.py"] if code == "loud.py" else []
    assert seen == [code] and list(plan.own_code) == [f"./{code}", *beside]
    assert ("it ran" in capsys.readouterr().err) is (named != "tracker"), "a tracker runs in the source agent alone"


def test_a_tracker_is_told_of_and_not_run_by_a_prediction(codes: Path, capsys: Captured) -> None:
    assert main(["predict", "hello", "--set", "migration.tracker=./tracker.py"]) == 0
    assert capsys.readouterr().err.splitlines()[0] == f"{SAID}{codes / 'tracker.py'}"
    assert main(["predict", "hello", "--set", "migration.tracker=./none.py"]) == 2
    assert (
        "'migration.tracker': there is no such file to load a dirty tracker from: './none.py'"
        in capsys.readouterr().err
    )


def test_a_workload_of_ones_own_has_no_model(codes: Path, capsys: Captured) -> None:
    assert main(["predict", "hello", "--set", "vm.workload=./work.py"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == f"{SAID}{codes / 'work.py'}" and "there is no model of the workload './work.py'" in said[-1]


@pytest.mark.parametrize(
    ("path", "name"), [("migration.policy", "loud.py"), ("migration.tracker", "tracker.py"), ("vm.workload", "work.py")]
)
def test_an_audit_runs_none_of_it(codes: Path, capsys: Captured, path: str, name: str) -> None:
    run = kept(codes / "run")
    (codes / "theirs.yaml").write_text(stated(path, f"./{name}", "itself"))
    (codes / "theirs.yaml").replace(run / "scenario.yaml")
    main(["audit", str(run)])
    said = capsys.readouterr()
    assert "it ran" not in said.err
    assert (f"./{name} is a file of one's own" in said.out + said.err) is (path != "migration.tracker")


@pytest.mark.parametrize("migration", ["x.py", "[x.py]", "{policy: [x.py]}", "{policy: {name: [x.py]}}", "{policy: 3}"])
def test_what_is_no_policy_is_a_fault_of_the_scenario(tmp_path: Path, migration: str) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(f"vm: {{ram: 64MiB}}\nmigration: {migration}\n")
    with pytest.raises(ScenarioError):
        load(str(file), own_code=lambda found: pytest.fail(f"{found} is no policy's"))


def test_what_is_no_file_but_could_be_read_for_ever_is_not_read(capsys: Captured, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "zero.py").symlink_to("/dev/zero")
    for name in ("pipe.py", "zero.py"):
        assert main(["predict", "hello", "--policy", str(tmp_path / name)]) == 2
        assert "there is no such file to load a policy from" in capsys.readouterr().err


def test_a_name_that_is_not_printable_is_said_without_it(capsys: Captured, tmp_path: Path) -> None:
    file = tmp_path / "\x1b[2Jclear.py"
    file.write_text("raise RuntimeError")
    main(["predict", "hello", "--policy", str(file)])
    assert "\x1b[2J" not in capsys.readouterr().err


def test_what_reads_a_runs_folder_never_runs_it(loud: Path, capsys: Captured, tmp_path: Path) -> None:
    run = kept(tmp_path / "runs" / "theirs")
    scenario(run, f"migration: {{policy: {loud}}}")
    (run / "theirs.yaml").replace(run / "scenario.yaml")
    assert main(["report", str(run)]) == 0
    assert main(["compare", str(run), str(kept(tmp_path / "another")), "--anyway"]) == 0
    assert main(["audit", str(run)]) in (0, 1)
    (run / "report.html").unlink()
    assert [each.name for each in RunList(run.parent).runs()] == ["theirs"]
    with serving(run.parent) as url, build_opener(ProxyHandler({})).open(f"{url}/runs/theirs/report.html") as page:
        assert b"<html" in page.read()
    assert "it ran" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["predict", "run", "shell"])
def test_who_trusts_nothing_runs_none_of_it(loud: Path, capsys: Captured, tmp_path: Path, command: str) -> None:
    named = scenario(tmp_path, f"matrix: {{migration.policy: [plain, {loud}]}}")
    assert main([command, named, "--trust-nothing"]) == 2
    said = capsys.readouterr().err
    assert said == (
        f"testbed: {loud}: is code, which this scenario would run with your rights; --trust-nothing refuses it\n"
    )


def test_who_trusts_nothing_runs_all_that_is_ours(capsys: Captured) -> None:
    assert main(["predict", "hello", "--trust-nothing"]) == 0
    assert capsys.readouterr().err == ""


def test_a_record_that_names_code_is_audited_without_it(loud: Path, capsys: Captured, tmp_path: Path) -> None:
    """Also where the record itself says that a file decided."""
    run = tmp_path / "run"
    asked = ["run", scenario(tmp_path, f"migration: {{policy: {loud}}}"), "--engine", "simulated", "--quiet"]
    assert main([*asked, "--out", str(run)]) == 0
    canary = tmp_path / "canary"
    loud.write_text(f"open({str(canary)!r}, 'w')\n")
    sys.modules.pop(next(name for name in sys.modules if name.startswith("testbed_own_")))
    for command in (["audit", str(run)], ["report", str(run)], ["compare", str(run), str(run), "--anyway"]):
        main(command)
    assert not canary.exists()
