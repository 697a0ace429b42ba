"""A scenario may run code: that is said before it happens, and what only reads a run's folder never does it."""

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


@pytest.mark.parametrize("migration", ["x.py", "[x.py]", "{policy: [x.py]}", "{policy: {name: [x.py]}}", "{policy: 3}"])
def test_what_is_no_policy_is_a_fault_of_the_scenario(tmp_path: Path, migration: str) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(f"vm: {{ram: 64MiB}}\nmigration: {migration}\n")
    with pytest.raises(ScenarioError):
        load(str(file), own_code=lambda found: pytest.fail(f"{found} is no policy's"))


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
    (run / "report.html").unlink()
    assert [each.name for each in RunList(run.parent).runs()] == ["theirs"]
    with serving(run.parent) as url, build_opener(ProxyHandler({})).open(f"{url}/runs/theirs/report.html") as page:
        assert b"<html" in page.read()
    assert "it ran" not in capsys.readouterr().err
