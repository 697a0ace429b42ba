"""What docs/own-code.md shows is what happens: its files, its story, its figures."""

import re
from pathlib import Path

import pytest

from guest_agent.workloads import build
from testbed.dirty.interleavings import explore
from testbed.dirty.own_file import OWN_TRACKER
from testbed.scenario import load

TEXT = (Path(__file__).parents[2] / "docs" / "own-code.md").read_text()
TRACKER, EXPLORING, WORKLOAD = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tracker.py").write_text(TRACKER)
    (tmp_path / "work.py").write_text(WORKLOAD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_tracker_loses_nothing_in_as_many_interleavings(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(EXPLORING, "own-code.md", "exec"), {})  # noqa: S102 - the page's own lines
    [number] = re.findall(r"\n([0-9,]+) with the tracker above", TEXT)
    assert capsys.readouterr().out == f"nothing is lost in {number} interleavings\n"


def test_the_story_is_that_of_protecting_too_late(here: Path) -> None:
    late = TRACKER.replace("for page in found:\n            self.pages.protect(page, 1)", "self.pages.protect()")
    (here / "late.py").write_text(late)
    assert f"```\n{explore(OWN_TRACKER.load('./late.py')).wrong}\n```" in TEXT


def test_the_workload_is_one(here: Path) -> None:
    assert build({"name": "./work.py", "stride": 4}).write_rate == 100e6


def test_the_scenario_loads(here: Path) -> None:
    (here / "mine").mkdir()
    for name in ("tracker.py", "work.py"):
        (here / name).rename(here / "mine" / name)
    policy = re.findall(
        r"```python\n(.*?)```", (Path(__file__).parents[2] / "docs" / "policies.md").read_text(), re.DOTALL
    )[0]
    (here / "mine" / "policy.py").write_text(policy)
    [text] = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    (here / "mine.yaml").write_text(text)
    seen: list[str] = []
    [plan] = load("./mine.yaml", own_code=lambda file: seen.append(file.name)).plans()
    assert seen == ["policy.py", "tracker.py", "work.py"] and len(plan.own_code) == 3
