"""What a notebook, pandas and polars have of a run: names, tables, markup, charts over one another, examples."""

import csv
import doctest
import importlib
import inspect
import io
import json
import pydoc
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import testbed
from testbed import api
from testbed.core import errors
from testbed.core.errors import ScenarioError
from testbed.exports.export import Form, export
from testbed.outcomes.compared import Compared
from testbed.outcomes.predictions import Predictions
from testbed.outcomes.run import Run
from testbed.outcomes.swept import SweepPoint, Swept
from testbed.outcomes.table import RunTable
from testbed.report.drawing.shown import Shown
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import KEPT, SCENARIO, kept, made

HOSTILE = "<script>alert(1)</script><img src=http://a.example/x>"
PUBLIC: dict[str, Any] = {
    **{name: getattr(api, name) for name in ("run", "load", "predict", "compare", "sweep")},
    **{each.__name__: each for each in (Run, Predictions, Compared, Swept, SweepPoint, RunTable, Shown)},
}


def members() -> Iterator[tuple[str, Any, str]]:
    """Every public name by its path, with its docstring."""
    for name, known in PUBLIC.items():
        yield name, known, inspect.getdoc(known) or ""
        for part, value in vars(known).items() if inspect.isclass(known) else ():
            made = getattr(value, "func", None) or getattr(value, "fget", None) or value
            if not part.startswith("_") and inspect.isfunction(made):
                yield f"{name}.{part}", value, inspect.getdoc(made) or ""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> testbed.Run:
    folder = tmp_path_factory.mktemp("notebook") / "run"
    given = {
        "chance": True,
        "migration.policy": ["vmotion", "qemu"],
        "vm.ram": "1GiB",
        "vm.workload.working_set": "512MB",
    }
    return testbed.run("policies", engine="simulated", set=given, repeat=3, out=folder, page=False)


class Reader(HTMLParser):
    """Elements, and the texts between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= {"class", "style", "scope"}
        assert not re.search("#|url|rgb", dict(attrs).get("style") or "")
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


# ---- Names -----------------------------------------------------------------------------------------------------------


def test_what_there_is_is_seen_before_it_is_loaded() -> None:
    assert {"run", "load", "predict", "compare", "sweep", "Run", *testbed.__all__} <= set(dir(testbed))
    told = pydoc.plain(pydoc.render_doc(testbed))
    assert (
        all(name in told for name in testbed.__all__ if not name.startswith("_"))
        and "Runs a scenario, by name or file" in told
    )


def test_every_name_that_is_offered_is_there_and_documented() -> None:
    offered = {name for name in testbed.__all__ if not name.startswith("_")}
    raised = {"Stopped", *(name for name in offered if getattr(testbed, name) is getattr(errors, name, None))}
    assert offered - raised <= set(PUBLIC) and all(getattr(testbed, name) is PUBLIC[name] for name in offered - raised)


def test_what_a_call_raises_can_be_caught_by_a_name_of_testbeds_own(tmp_path: Path) -> None:
    with pytest.raises(testbed.ScenarioError, match="helo"):
        testbed.predict("helo")
    with pytest.raises(testbed.TestbedError, match="no run lies here"):
        testbed.load(tmp_path)
    for call in (testbed.run, testbed.load, testbed.predict, testbed.compare, testbed.sweep):
        raised = re.findall(r"^    (\w+): ", (inspect.getdoc(call) or "").partition("Raises:")[2], re.MULTILINE)
        assert raised and set(raised) <= set(testbed.__all__), (call, raised)


@pytest.mark.parametrize(("name", "value", "words"), list(members()))
def test_every_public_name_says_what_it_takes_gives_and_raises(name: str, value: Any, words: str) -> None:
    assert "Example:\n    >>> " in words, name
    if inspect.isfunction(value):
        taken = [each for each in inspect.signature(value).parameters if each != "self"]
        assert not taken or all(f"\n    {each}: " in words.partition("Args:")[2] for each in taken), name
        assert "Returns:\n" in words


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs that examples speak of."""
    folder = tmp_path_factory.mktemp("examples")
    kept(folder / "results" / "hello-20260101-120000")
    for name, goodput in (("a", "900Mbit"), ("b", "300Mbit")):
        given = {"network.vmotion.goodput": goodput}
        testbed.run("hello", engine="simulated", set=given, out=folder / "results" / name, page=False)
    return folder


@pytest.mark.parametrize(("name", "words"), [(name, words) for name, _, words in members()])
def test_every_example_gives_what_it_says(name: str, words: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    example = doctest.DocTestParser().get_doctest(words, {"testbed": testbed}, name, None, 0)
    said = io.StringIO()
    done = doctest.DocTestRunner().run(example, out=said.write)
    assert done.attempted and not done.failed, said.getvalue()


# ---- Tables ----------------------------------------------------------------------------------------------------------


def test_a_table_is_the_one_that_is_exported(tmp_path: Path) -> None:
    run = testbed.load(kept(tmp_path / "run"))
    export(run.path, tmp_path / "out", (Form.CSV,))
    for name in ("migrations", "rounds", "services", "streams", "events", "samples_link"):
        heads, *rows = csv.reader(io.StringIO((tmp_path / "out" / f"{name}.csv").read_text(encoding="utf-8")))
        table = run.table(name)
        assert heads == list(table) and {table.rows, *(len(each) for each in table.values())} == {len(rows)}
    described = json.loads((tmp_path / "out" / "datapackage.json").read_text(encoding="utf-8"))
    (rounds,) = (each for each in described["resources"] if each["name"] == "rounds")
    units = {each["name"]: each["unit"] for each in rounds["schema"]["fields"] if "unit" in each}
    assert run.table("rounds").units == units and units["sent_bytes"] == "byte"


def test_a_simulated_run_has_tables_too(simulated: testbed.Run) -> None:
    rounds = simulated.table("rounds")
    assert rounds.rows == sum(len(each.rounds) for each in simulated.migrations)
    sent = rounds["sent_bytes"]
    assert isinstance(sent, np.ndarray) and sent.dtype == np.int64
    assert sent.sum() == sum(each.bytes_sent for each in simulated.migrations)
    assert simulated.table().rows == 6 and simulated.table("services").rows == 0
    with pytest.raises(ScenarioError, match="there is no table 'round'; did you mean 'rounds'"):
        simulated.table("round")


def test_what_was_not_measured_is_none_and_never_nought(simulated: testbed.Run) -> None:
    blackouts = simulated.table("migrations")["client_blackout_s"]
    assert blackouts == [None] * 6


@pytest.mark.parametrize("frame", ["pandas", "polars"])
def test_frames_take_it_as_it_is(simulated: testbed.Run, frame: str) -> None:
    made = importlib.import_module(frame).DataFrame(simulated.table("rounds"))
    assert made["sent_bytes"].sum() == sum(each.bytes_sent for each in simulated.migrations)
    assert made["duration_s"].mean() > 0 and len(made.columns) == len(simulated.table("rounds"))


def test_arrow_has_the_kind_of_each_column(simulated: testbed.Run) -> None:
    pyarrow = importlib.import_module("pyarrow")
    schema = pyarrow.RecordBatchReader.from_stream(simulated.table("migrations")).schema
    assert str(schema.field("client_blackout_s").type) == "double"


def test_a_comparison_is_a_table_too(simulated: testbed.Run) -> None:
    compared = testbed.compare(simulated)
    table = compared.table()
    assert table.rows == len(compared.lines) and table["group"][:2] == ["policy=vmotion", "policy=qemu"]
    assert table["p_holm"][1] == compared.lines[1].adjusted and table["p_holm"][0] is None
    ends = [table["mean_95_t_low"][0], table["mean_95_t_high"][0]]
    assert ends == [compared.lines[0].spread.low, compared.lines[0].spread.high]


# ---- What a notebook shows -------------------------------------------------------------------------------------------


def test_what_a_notebook_shows_asks_nobody_and_names_no_colour(simulated: testbed.Run) -> None:
    shown: list[Any] = [simulated, testbed.predict("hello"), testbed.compare(simulated), simulated.table("rounds")]
    for each in shown:
        text = each._repr_html_()
        read = Reader(text)
        assert set(read.elements) <= {"div", "strong", "table", "thead", "tbody", "tr", "th", "td"}
        assert "http" not in text and len(text) < 60_000
    assert "policy=vmotion" in Reader(simulated._repr_html_()).text
    assert "beyond the noise" in Reader(testbed.compare(simulated)._repr_html_()).text


def test_hostile_names_are_texts(tmp_path: Path) -> None:
    summary = a_summary(a_migration(name=HOSTILE), a_migration(name=HOSTILE, repeat=2))
    summary.scenario, summary.invalid_reasons, summary.valid = HOSTILE, [HOSTILE], False
    run = testbed.load(made(tmp_path / "a", summary))
    for each in (run, testbed.compare(run, anyway=True), run.table("migrations"), run.table("rounds")):
        read = Reader(each._repr_html_())
        assert "img" not in read.elements and "script" not in read.elements and "<script>" in read.text


def test_many_rows_are_counted_and_not_shown(simulated: testbed.Run) -> None:
    rounds = simulated.table("rounds")
    assert f"and {rounds.rows - 8:,} more rows" in rounds._repr_html_()
    assert repr(rounds) == f"<RunTable rounds: {rounds.rows} rows of {len(rounds)} columns>"


def test_a_text_has_no_colours_in_a_kernel_either(simulated: testbed.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    for each in (testbed.predict("hello"), testbed.compare(simulated)):
        assert "downtime" in str(each) and "\x1b" not in str(each)


# ---- Several runs over one another -----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["throughput", "bandwidth", "dirty_rate", "dirtied", "throttle"])
def test_rounds_over_one_another(simulated: testbed.Run, what: str) -> None:
    chart = testbed.compare(simulated).overlay(what)
    (rows,) = chart.to_dict()["datasets"].values()
    assert {row["group"] for row in rows} == {"policy=vmotion", "policy=qemu"}
    assert len({row["line"] for row in rows}) == 6 and min(row["t"] for row in rows) == 0


def test_samples_over_one_another(tmp_path: Path) -> None:
    other = kept(tmp_path / "other")
    summary = (other / "summary.json").read_text(encoding="utf-8").replace("2026-11-22", "2026-11-23")
    (other / "summary.json").write_text(summary, encoding="utf-8")
    compared = testbed.compare(KEPT, other, anyway=True)
    (rows,) = compared.overlay("operations").to_dict()["datasets"].values()
    assert len({row["line"] for row in rows}) == 2 and max(row["value"] for row in rows) > 1
    page = compared.write_page(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "overlay-throughput" in page and "overlay-operations" in page


def test_a_series_that_there_is_not_is_said(simulated: testbed.Run, tmp_path: Path) -> None:
    compared = testbed.compare(simulated)
    with pytest.raises(ScenarioError, match="there is no series 'thruput'; did you mean 'throughput'"):
        compared.overlay("thruput")
    with pytest.raises(ScenarioError, match="no run has samples of 'operations'; simulated runs have bandwidth"):
        compared.overlay("operations")
    scaled = [a_migration(name=str(size), scale={"size": size, "time": 1.0}) for size in (1.0, 2.0)]
    mixed = made(tmp_path / "mixed", a_summary(*scaled), SCENARIO)
    with pytest.raises(ScenarioError, match="different scales have no time axis in common"):
        testbed.compare(mixed, anyway=True).overlay()
