"""Whatever stands in a run's files, an audit ends with lines and an exit code, and soon."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from testbed.cli import main
from tests.unit.audited import Files

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, 7, 2**31, 10**18, 10**30, 0.0, -0.5, 1e-29, 1e17, 1e300]),
    st.sampled_from(["", "x", "x.py", "esx1", "link", "guest", "precopy", "phases", "9" * 50]),
    st.sampled_from([[], {}, [1], {"name": "x"}, [[]], {"index": 1}]),
)

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""It takes minutes, of files of this size."""


def places(known: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree."""
    parts = known.items() if isinstance(known, dict) else enumerate(known) if isinstance(known, list) else ()
    return [path, *(each for key, part in parts for each in places(part, (*path, key)))]


def spoilt(known: Any, path: tuple[Any, ...], value: Any) -> None:
    """Another value there."""
    for key in path[:-1]:
        known = known[key]
    known[path[-1]] = value


@settings(
    max_examples=150, deadline=None, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), value=ANYTHING)
def test_whatever_stands_anywhere_is_said_in_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: st.DataObject, value: Any
) -> None:
    files = Files.kept()
    parts = [files.summary, files.done, files.rounds, *files.samples[:40], *files.pages]
    for index in data.draw(st.lists(st.integers(0, len(parts) - 1), min_size=1, max_size=3)):
        if known := places(parts[index])[1:]:
            spoilt(parts[index], known[data.draw(st.integers(0, len(known) - 1))], copy.deepcopy(value))
    run = files.written(tmp_path)
    code = main(["audit", "--json", str(run)])
    said = capsys.readouterr()
    assert code in (0, 1, 2) and len(said.err.splitlines()) == (code == 2)
    (verdict,) = json.loads(said.out)
    assert ("fault" in verdict) == (code == 2)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 1), name=st.sampled_from(["summary.json", "samples.jsonl", "pages.jsonl", "scenario.yaml"]))
def test_a_file_that_was_cut_off_anywhere_is_said_in_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cut: float, name: str
) -> None:
    run = Files.kept().written(tmp_path)
    content = (run / name).read_bytes()
    (run / name).write_bytes(content[: round(len(content) * cut)])
    assert main(["audit", str(run)]) in (0, 1, 2)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("count", [200])
def test_very_many_migrations_end_soon(tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int) -> None:
    files = Files.kept()
    files.summary["migrations"] = [files.done | {"name": f"m{number}"} for number in range(count)]
    assert main(["audit", "--json", str(files.written(tmp_path))]) == 1
    assert len(json.loads(capsys.readouterr().out)[0]["agreements"]) > 10 * count
