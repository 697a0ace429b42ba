"""The testbed from Python: a run's figures, its samples as arrays, its charts; and that importing it costs nothing."""

import json
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import testbed
from testbed.core.errors import Interrupted, ScenarioError
from testbed.report.drawing import theme
from tests.unit.runs import KEPT, kept

DOCS = Path(__file__).parents[2] / "docs" / "report.md"


def test_importing_it_imports_nothing_else() -> None:
    heavy = "('numpy', 'altair', 'pydantic', 'typer', 'testbed.api')"
    script = f"import sys, testbed; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_from_python(tmp_path: Path) -> None:
    run = testbed.run("hello", engine="simulated", set=["vm.ram=512MB"], repeat=2, out=tmp_path / "run", page=False)
    assert len(run.migrations) == 2 and run.migrations[0].vm.ram_bytes == 512_000_000
    assert run.migrations[0].downtime_s is not None and run.samples == {} and run.pages == {}
    assert testbed.load(run.path).summary == run.summary
    assert "hello: 2 migrations" in repr(run) and not (run.path / "report.html").exists()
    assert run.write_page() == run.path / "report.html"


def test_samples_are_arrays() -> None:
    run = testbed.load(KEPT)
    link = run.samples["link"]
    assert link["tx_bytes"].dtype == np.int64 and set(link["migration"]) == {"hello"} and set(link["repeat"]) == {1}
    assert {len(column) for column in link.values()} == {len(link["t"])}
    assert run.recordings[0].mark("migrate") is not None
    assert run.valid and run.comparisons == [] and ("hello", 1) in run.pages


def test_a_frame_of_the_users_choice() -> None:
    run = testbed.load(KEPT)
    assert run.frame("guest", dict) == run.samples["guest"]
    with pytest.raises(ScenarioError, match="no samples of kind 'gest'; did you mean 'guest'"):
        run.frame("gest", dict)


def plain(drawn: str) -> str:
    """Without the numbers that each picture counts on from the one before, so that two can stand in one notebook."""
    return re.sub(r"clip\d+", "clip", drawn)


def test_charts_show_themselves_in_a_notebook(tmp_path: Path) -> None:
    run = testbed.load(kept(tmp_path / "run"))
    assert set(run.charts) == {"timeline-hello", "switchover-hello", "memory-hello"}
    chart = run.charts["timeline-hello"]
    shown = chart._repr_mimebundle_()["image/svg+xml"]
    assert theme.LIGHT_COLOURS[0] in shown and "http" not in shown.replace("http://www.w3.org", "")
    saved = chart.save(tmp_path / "x.svg").read_text(encoding="utf-8")
    assert plain(shown) == plain(saved) == plain(chart.svg()) == plain(chart._repr_svg_())
    assert chart.save(tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert run.write_page() == tmp_path / "run" / "report.html"


def test_what_altairs_charts_have_can_be_asked_of_them(tmp_path: Path) -> None:
    chart = testbed.load(KEPT).charts["switchover-hello"]
    assert chart.to_dict() == chart.chart.to_dict() and chart.properties(width=10).to_dict()["width"] == 10
    chart.save(tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["$schema"]
    with pytest.raises(AttributeError):
        chart._repr_html_  # noqa: B018


@pytest.mark.parametrize("given", ["vm.ram=512MB", ["vm.ram=512MB"], {"vm.ram": "512MB"}, {"vm.ram": 512_000_000}])
def test_settings_are_taken_as_they_come(given: Any) -> None:
    assert testbed.predict("hello", set=given).migrations[0].vm.ram_bytes == 512_000_000


def test_less_than_one_repeat_is_refused_before_there_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="repeat is at least 1, not 0"):
        testbed.run("hello", engine="simulated", repeat=0, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "given", [{"repeat": value} for value in ("3", 1.5, None, True)] + [{"seed": "7"}, {"seed": 1.5}]
)
def test_what_is_no_whole_number_is_refused_by_its_name(tmp_path: Path, given: dict[str, Any]) -> None:
    ((name, _),) = given.items()
    with pytest.raises(ScenarioError, match=f"^{name} is a whole number, not "):
        testbed.run("hello", engine="simulated", out=tmp_path / "run", **given)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"jobs": "2"}, "jobs is a whole number, not '2'"),
        ({"jobs": 1.5}, "jobs is a whole number, not 1.5"),
        ({"jobs": 0}, "jobs is a whole number from 1 to 256, not 0"),
        ({"limit": "all"}, "limit is a whole number, not 'all'"),
        ({"limit": -1}, "limit is at least 0, not -1"),
    ],
)
def test_a_sweep_is_asked_for_whole_numbers_too(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=f"^{re.escape(said)}$"):
        testbed.sweep("hello", axes={"vm.ram": ["64MB"]}, engine="simulated", out=tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_no_repeat_goes_beyond_the_largest_seed(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"engine": "simulated", "out": tmp_path / "run", "set": {"seed": 2**63 - 2}}
    said = f"^seed {2**63 - 2} is too large for 3 repeats: the last one's would be above 2\\^63 - 1$"
    with pytest.raises(ScenarioError, match=said):
        testbed.run("hello", repeat=3, **asked)
    assert not (tmp_path / "run").exists()
    assert [each.repeat for each in testbed.run("hello", repeat=2, page=False, **asked).migrations] == [1, 2]


def test_a_run_from_another_thread(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        done = pool.submit(testbed.run, "hello", engine="simulated", out=tmp_path / "run", page=False)
        assert done.result().valid


def test_who_watches_sees_every_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events: list[Any] = []
    testbed.run("hello", engine="simulated", out=tmp_path / "a", observer=events.append, page=False)
    assert {"MigrationStarted", "RoundFinished", "MigrationFinished"} <= {type(each).__name__ for each in events}
    out, err = capsys.readouterr()
    assert out == err == ""
    testbed.run("hello", engine="simulated", out=tmp_path / "b", quiet=False, page=False)
    out, err = capsys.readouterr()
    assert out == "" and "[1/1] hello" in err and "round 1 (precopy)" in err and "completed" in err


def test_an_interrupted_run_says_where_its_files_are(tmp_path: Path) -> None:
    def stop(_event: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match=r"the files of what was done are in .*run") as stopped:
        testbed.run("hello", engine="simulated", out=tmp_path / "run", observer=stop)
    assert isinstance(stopped.value, Interrupted) and (tmp_path / "run" / "summary.json").exists()


def test_a_simulated_run_has_no_samples(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="a simulated run has no samples"):
        testbed.run("hello", engine="simulated", out=tmp_path / "run", page=False).frame("link", dict)


def test_comparing_what_is_not_comparable_names_pythons_own_way(tmp_path: Path) -> None:
    simulated = testbed.run("hello", engine="simulated", out=tmp_path / "run", page=False)
    with pytest.raises(ScenarioError, match=r"differ in engine.*anyway=True"):
        testbed.compare(KEPT, simulated)
    assert testbed.compare(str(KEPT), simulated, anyway=True).not_comparable
    with pytest.raises(ScenarioError, match="no run was given"):
        testbed.compare()


def test_the_examples_of_the_documentation_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kept(tmp_path / "results" / "hello-20260101-120000")
    examples = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    known: dict[str, Any] = {}
    for example in examples:
        exec(compile(example, str(DOCS), "exec"), known)  # noqa: S102 - our own text
    assert len(examples) == 5 and (tmp_path / "comparison.html").exists() and (tmp_path / "total-time.png").exists()


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no run lies here"):
        testbed.load(tmp_path)
    with pytest.raises(AttributeError):
        testbed.nothing  # noqa: B018
