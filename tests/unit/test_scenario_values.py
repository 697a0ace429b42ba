"""Values are values: equal ones of the matrix are one however they are spelt, and what is set is set whole."""

from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import testbed
from testbed.core.errors import ScenarioError
from testbed.scenario import Scenario, load
from testbed.scenario.values import meaning

MATRIX = "vm: {ram: 1GiB}\nnetwork: {vmotion: {rate: 1Gbit}}\nmatrix:\n"


def of(tmp_path: Path, text: str, *overrides: Any, name: str = "s.yaml") -> Scenario:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return load(file, overrides=overrides)


def refused(tmp_path: Path, text: str, *overrides: Any) -> str:
    with pytest.raises(ScenarioError) as caught:
        of(tmp_path, text, *overrides)
    return str(caught.value)


@pytest.mark.parametrize(
    ("axis", "one", "other"),
    [
        ("network.vmotion.rate", "1Gbit", "1000Mbit"),
        ("network.vmotion.rate", "1Gbit", "1e9"),
        ("network.vmotion.rate", "1.1Gbit", "1100Mbit/s"),
        ("network.vmotion.goodput", "128MB/s", "1.024Gbit"),
        ("vm.ram", "128MiB", "131072KiB"),
        ("vm.workload.write_rate", "1Gbit", "125MB/s"),
        ("vm.workload", "uniform", "{name: uniform, write_rate: 100MB/s}"),
        ("vm.services", "echo", "[{name: echo, size: 512}]"),
        ("migration.policy.downtime_goal", "0.5s", "500ms"),
        ("migration.policy", "plain", "{name: plain, downtime_goal: 500ms}"),
        ("warmup", "1s", "1000ms"),
        ("migration.streams", "2", "2.0"),
    ],
)
def test_equal_values_of_an_axis_are_refused_with_both_spellings(
    tmp_path: Path, axis: str, one: str, other: str
) -> None:
    said = refused(tmp_path, f"{MATRIX}  {axis}:\n    - {one}\n    - {other}\n")
    assert said.startswith(f"{tmp_path}/s.yaml:6: 'matrix.{axis}' lists ") and "which are the same; remove one" in said


def test_equal_cases_are_refused_however_they_are_spelt(tmp_path: Path) -> None:
    cases = "  cases:\n    - {vm.ram: 1GiB, warmup: 1s}\n    - {vm.ram: 1024MiB, warmup: 1000ms}\n"
    assert "s.yaml:6: this case stands here a second time" in refused(tmp_path, MATRIX + cases)


def test_a_claim_finds_its_migrations_however_they_are_spelt(tmp_path: Path) -> None:
    claim = "published:\n  - {where: {vm.ram: 131072KiB}, total_time: 3s, source: me}\n"
    (found,) = of(tmp_path, f"{MATRIX}  vm.ram: [128MiB, 256MiB]\n{claim}").published
    assert found.where == {"vm.ram": "128MiB"}
    assert "'vm.ram' is never 131072KiB" in refused(tmp_path, f"{MATRIX}  vm.ram: [1GiB, 2GiB]\n{claim}")


def test_cases_that_spell_one_value_twice_are_one_value_to_a_claim(tmp_path: Path) -> None:
    cases = "  cases:\n    - {vm.ram: 1GiB, warmup: 1s}\n    - {vm.ram: 1024MiB, warmup: 2s}\n"
    scenario = of(tmp_path, MATRIX + cases)
    assert scenario.axes["vm.ram"] == ["1GiB"]
    assert {plan.settings["vm.ram"] for plan in scenario.plans()} == {"1GiB"}


@pytest.mark.parametrize(("path", "value"), [("vm.ram", "lots"), ("vm.other", "x"), ("elsewhere", 1), ("vm.ram", [])])
def test_what_means_nothing_is_itself(path: str, value: Any) -> None:
    assert meaning(path, value) == meaning(path, value)


@pytest.mark.parametrize(
    "title",
    [
        "a #1 and more",
        "# 1",
        "a: b",
        "{x",
        "[draft] of mine",
        "- item",
        "& co",
        "*",
        "1984",
        "true",
        "100%",
        '"so" he said',
    ],
)
def test_a_text_is_never_cut(title: str) -> None:
    assert load("hello", overrides=[f"title={title}"]).title == title
    assert load("hello", overrides=[("title", title)]).title == title


def test_quotes_around_a_whole_value_are_taken_off() -> None:
    assert load("hello", overrides=['title="a #1"']).title == "a #1"
    assert load("hello", overrides=["vm.ram='1GiB'"]).plans()[0].guest.ram_bytes == 2**30


@pytest.mark.parametrize("setting", ["vm.ram=[1GiB, 2GiB] # both", "vm.ram=[1GiB] 2GiB", "vm.ram=[1GiB #, 2GiB]"])
def test_a_list_is_never_cut(setting: str) -> None:
    with pytest.raises(ScenarioError, match=r"--set vm\.ram="):
        load("hello", overrides=[setting])


class Unit(StrEnum):
    RAM = "512MB"


@pytest.mark.parametrize(
    "value",
    [512_000_000, 512e6, np.int64(512_000_000), np.uint32(512_000_000), np.float64(512e6), np.array(512_000_000),
     "512MB", Unit.RAM, np.str_("512MB")],
)  # fmt: skip
def test_values_of_python_are_values(value: Any) -> None:
    (plan,) = load("hello", overrides=[("vm.ram", value)]).plans()
    assert plan.guest.ram_bytes == 512_000_000
    assert testbed.predict("hello", set={"vm.ram": value}).migrations[0].vm.ram_bytes == 512_000_000


def test_lists_mappings_paths_and_truths_of_python_are_values(tmp_path: Path) -> None:
    axis = load("hello", overrides=[("migration.streams", np.array([1, 2, 4]))])
    assert [plan.migration.streams for plan in axis.plans()] == [1, 2, 4]
    made = load("hello", overrides=[("vm.workload", {"name": "uniform", "write_rate": np.float32(1e6)})])
    assert made.plans()[0].guest.workload["write_rate"] == 1e6
    assert load("hello", overrides=[("migration.strict", np.bool_(True))]).plans()[0].migration.strict is True
    mine = tmp_path / "mine.py"
    source = Path(testbed.__file__).parent / "policies" / "plain.py"
    mine.write_text(source.read_text().replace('@register("plain")\n', ""))
    (plan,) = load("hello", overrides=[("migration.policy", mine)]).plans()
    assert plan.migration.policy["name"] == str(mine)
    for scenario in (axis, made):
        assert of(tmp_path, scenario.resolved_yaml()).plans() == scenario.plans()


@pytest.mark.parametrize("value", [object(), {1, 2}, 1j, b"1GiB", 10**30, float("nan"), float("inf")])
def test_what_is_no_value_is_one_line(value: Any) -> None:
    with pytest.raises(ScenarioError) as caught:
        load("hello", overrides=[("vm.ram", value)])
    assert str(caught.value).startswith("set vm.ram=") and "\n" not in str(caught.value)


def test_seeds_and_repeats_of_numpy_are_numbers(tmp_path: Path) -> None:
    counts: dict[str, Any] = {"seed": np.int64(7), "repeat": np.int64(2)}
    run = testbed.run("hello", engine="simulated", **counts, out=tmp_path / "run")
    assert run.summary.seed == 7 and len(run.migrations) == 2


def test_a_path_is_a_file_and_a_word_a_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hello").write_text("vm: {ram: 3GiB}\nnetwork: {vmotion: {rate: 1Gbit}}\n")
    assert testbed.predict(Path("hello")).migrations[0].vm.ram_bytes == 3 * 2**30
    assert testbed.predict("hello").migrations[0].vm.ram_bytes == 256_000_000


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("hello (1).yaml", "hello-1"),
        ("my scenario.yaml", "my-scenario"),
        ("migración.yaml", "migracion"),
        ("測試.yaml", "scenario"),
        (".hidden.yaml", "hidden"),
        ("a" * 80 + ".yaml", "a" * 64),
        ("x#1;rm.yaml", "x-1-rm"),
    ],
)
def test_a_files_name_makes_a_scenarios(tmp_path: Path, file: str, name: str) -> None:
    assert of(tmp_path, "vm: {ram: 1GiB}", name=file).name == name


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("10\u00a0Gbit", "character 3 is a no-break space (U+00A0)"),
        ("a\u202eb", "character 2 is a right-to-left override (U+202E)"),
        ("\u200bx", "character 1 is a zero width space (U+200B)"),
        ("a\tb", "character 2 is a control character (U+0009)"),
        ("x" * 201, "must be at most 200 characters long, not 201"),
    ],
)
def test_a_character_that_cannot_be_is_named(title: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load("hello", overrides=[("title", title)])
    assert message in str(caught.value)


@pytest.mark.parametrize("title", ["é ✓ 日本語 😀", "10 → 40 Gbit/s", "µs – “so”"])
def test_every_letter_may_stand_in_a_title(title: str) -> None:
    assert load("hello", overrides=[("title", title)]).title == title


def test_what_the_matrix_replaces_is_held_against_the_reference_too(tmp_path: Path) -> None:
    assert "s.yaml:1: 'vm.ram': expected a size" in refused(tmp_path, "vm: {ram: lots}\nmatrix: {vm.ram: [1GiB]}")
    said = refused(tmp_path, "vm:\n  ram: 1GiB\n  workload: {working_set: 1s}\nmatrix: {vm.workload: [idle]}")
    assert "s.yaml:3: 'vm.workload.working_set': expected a size" in said
    assert of(
        tmp_path, "vm: {workload: {write_rate: 1MB/s}}\nmatrix: {vm.ram: [1GiB], vm.workload.name: [zipf]}"
    ).plans()


def test_a_bare_goal_is_not_of_minutes(tmp_path: Path) -> None:
    text = "vm: {ram: 1GiB}\nmigration: {policy: {name: qemu, downtime_goal: 300}}\n"
    assert "300 without a unit is 300 s; did you mean '300ms'?" in refused(tmp_path, text)
    assert "did you mean '10ms'" in refused(tmp_path, "vm: {ram: 1GiB}\nnetwork: {vmotion: {delay: 10}}")
