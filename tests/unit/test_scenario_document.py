"""YAML that is no scenario is refused in one line with its place; what is one remembers its lines."""

import contextlib
import re
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import testbed
from testbed import scenarios
from testbed.core.errors import ScenarioError
from testbed.core.text import yaml_text
from testbed.core.text.yaml_text import MAX_BYTES, MAX_NODES, scalar, tree_of
from testbed.report.side.runs import load as load_runs
from testbed.scenario.document import dotted, parse, parts, read
from testbed.scenario.scenario import load

REFUSED = {
    "an alias": ("a: &x 1\nb: *x\n", "s.yaml:1: anchors"),
    "a bomb": ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "s.yaml:1: anchors"),
    "a tag": ("a: 1\nb: !!python/object/apply:os.system ['id']\n", "s.yaml:2: tags"),
    "a repeated key": ("vm:\n  ram: 1\n  ram: 2\n", "s.yaml:3: the key 'ram' stands here a second time"),
    "a list": ("- a\n- b\n", "s.yaml:1: every scenario is a mapping"),
    "a word": ("hello\n", "s.yaml:1: every scenario is a mapping"),
    "nothing": ("# only a comment\n", "s.yaml: is empty"),
    "two documents": ("a: 1\n---\nb: 2\n", "s.yaml:2: a second document"),
    "deep nesting": ("[" * 5000, "nested more than"),
    "very many values": (f"a: [{'1,' * (MAX_NODES + 1)}]", "more than"),
    "an open bracket": ("a: [1, 2\n", "not valid YAML"),
    "a tab": ("a:\n\tb: 1\n", "s.yaml:2: not valid YAML"),
    "a list as a key": ("a: 1\n? [x, y]\n: 2\n", "s.yaml:2: a key must be a word"),
    "a control character": ("a: 1\nb: \x00\n", "s.yaml:2: holds a character"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    text, message = REFUSED[case]
    with pytest.raises(ScenarioError) as caught:
        parse(text, "s.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ScenarioError, match="larger than 256 KiB"):
        read(large)


def test_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"name: a\ntitle: M\xfcnchen\n")
    with pytest.raises(ScenarioError, match=r"latin\.yaml:2: is not UTF-8"):
        read(latin)


@pytest.mark.parametrize("path", ["/nowhere/at/all.yaml", "/dev/zero", "/", "x\x00y.yaml"])
def test_what_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(ScenarioError):
        read(Path(path))


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    marked = tmp_path / "marked.yaml"
    marked.write_bytes(b"\xef\xbb\xbfname: a\n")
    assert read(marked).tree == {"name": "a"}


def test_every_value_knows_its_line() -> None:
    document = parse("vm:\n  ram: 1GiB\n  workload:\n    - {name: idle}\n    - name: uniform\n", "s.yaml")
    assert document.place(("vm", "ram")) == "s.yaml:2"
    assert document.place(("vm", "workload", 1)) == "s.yaml:5"
    assert document.place(("vm", "workload", 1, "name", "deeper")) == "s.yaml:5"
    assert document.place(("elsewhere",)) == "s.yaml"


SCALARS: list[tuple[str, Any]] = [
    *((text, text) for text in ("no", "010", "1:30", "2015-06-26", "1e3", ".inf", "9" * 5000)),
    *(("true", True), ("~", None), ("", None), ("1500", 1500), ("0.5", 0.5)),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalars_mean_what_they_look_like(text: str, value: Any) -> None:
    assert scalar(text) == value


def test_a_value_is_put_in_and_taken_away() -> None:
    document = parse("vm: {ram: 1GiB, workload: idle}\n", "s.yaml")
    changed = document.with_value(("vm", "ram"), "2GiB", "--set")
    assert changed.tree["vm"]["ram"] == "2GiB"
    assert changed.place(("vm", "ram")) == "--set"
    assert document.tree["vm"]["ram"] == "1GiB"
    assert "ram" not in document.with_value(("vm", "ram"), None, "--set").tree["vm"]
    named = document.with_value(("vm", "workload", "write_rate"), "1MB/s", "--set")
    assert named.tree["vm"]["workload"] == {"name": "idle", "write_rate": "1MB/s"}


def test_a_path_through_a_value_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"--set: 'vm\.ram' is '1GiB' and has no part 'x'"):
        parse("vm: {ram: 1GiB}", "s.yaml").with_value(("vm", "ram", "x"), 1, "--set")


@given(st.lists(st.text("abz_", min_size=1) | st.integers(0, 9999), min_size=1))
def test_paths_round_trip(path: list[str | int]) -> None:
    assert parts(dotted(tuple(path))) == tuple(path)


@given(st.text())
def test_any_text_is_a_document_or_a_scenario_error(text: str) -> None:
    with contextlib.suppress(ScenarioError):
        parse(text, "s.yaml")


def test_half_a_character_is_refused_where_it_stands() -> None:
    with pytest.raises(ScenarioError, match=r"s\.yaml:2: holds half a character"):
        parse('vm: {ram: 1GiB}\nname: "\\ud800"\n', "s.yaml")
    assert parse('name: "\\U00010000"\n', "s.yaml").tree == {"name": "\U00010000"}


# ---- One reader for all ----------------------------------------------------------------------------------------------


LAUGHS = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
"""Some three hundred bytes that are 400 million numbers."""


def test_no_other_reader_of_yaml_is_used_anywhere() -> None:
    root = Path(testbed.__file__).parent
    found = [
        path.relative_to(root).as_posix()
        for path in sorted(root.rglob("*.py"))
        if re.search(r"yaml\.(safe_load|load|compose|full_load|unsafe_load)", path.read_text(encoding="utf-8"))
    ]
    assert found == ["core/text/yaml_text.py"]


AMISS = [*"\t\r\n :,-[]{}#&*!|>'\"%?\\\x85\u2028\ufeff\ud800", "\r\n", "\\x41"]


@given(st.sampled_from(scenarios.names()), st.lists(st.tuples(st.floats(0, 1), st.sampled_from(AMISS))))
def test_both_readers_of_yaml_read_the_same(name: str, put_in: list[tuple[float, str]]) -> None:
    """The quick one reads what Python's cannot (a tabulator, a question mark within a list), and nothing otherwise."""
    text = scenarios.path_of(name).read_text(encoding="utf-8")
    for where, what in put_in:
        text = text[: int(where * len(text))] + what + text[int(where * len(text)) :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_text, "_QUICK", yaml.SafeLoader)
        slow = tree_or_words(text)
    quick = tree_or_words(text)
    assert quick == slow or (isinstance(slow, str) and "not valid YAML" in slow and "not valid YAML" not in quick)


def tree_or_words(text: str) -> Any:
    try:
        return tree_of(text, "s.yaml")
    except ScenarioError as error:
        return str(error)


def test_a_run_whose_scenario_has_aliases_is_refused_by_compare(tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(Path(__file__).parents[1] / "data" / "run-schema-1", run)
    (run / "scenario.yaml").write_text(LAUGHS)
    tracemalloc.start()
    with pytest.raises(ScenarioError, match=r"scenario.yaml:1: anchors and aliases"):
        load_runs([run, run])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


@pytest.mark.parametrize("name", scenarios.names())
def test_what_a_run_keeps_of_its_scenario_can_be_read_again(name: str) -> None:
    resolved = load(name).resolved_yaml()
    tree, _ = tree_of(resolved, name)
    assert tree["name"] == yaml.safe_load(resolved)["name"]
