"""The testbed from Python: a run's figures, its samples as arrays, its charts; and that importing it costs nothing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import testbed
from testbed.core.errors import ScenarioError
from tests.unit.runs import KEPT, kept


def test_importing_it_imports_nothing_else() -> None:
    heavy = "('numpy', 'altair', 'pydantic', 'typer', 'testbed.api')"
    script = f"import sys, testbed; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_from_python(tmp_path: Path) -> None:
    run = testbed.run("hello", engine="simulated", set=["vm.ram=512MB"], repeat=2, out=tmp_path / "run")
    assert len(run.migrations) == 2 and run.migrations[0].vm.ram_bytes == 512_000_000
    assert run.migrations[0].downtime_s is not None and run.samples == {} and run.pages == {}
    assert testbed.load(run.path).summary == run.summary
    assert "hello: 2 migrations" in repr(run)


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


def test_charts_show_themselves_in_a_notebook(tmp_path: Path) -> None:
    run = testbed.load(kept(tmp_path / "run"))
    assert set(run.charts) == {"timeline-hello", "switchover-hello", "memory-hello"}
    assert hasattr(run.charts["timeline-hello"], "_repr_mimebundle_")
    assert run.write_page() == tmp_path / "run" / "report.html"


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no run lies here"):
        testbed.load(tmp_path)
    with pytest.raises(AttributeError):
        testbed.nothing  # noqa: B018
