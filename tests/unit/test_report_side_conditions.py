"""compare --fail-if: what is shown to be worse fails, what is shown not to be holds, what is not known is neither."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.core.records.migration import MigrationRecord
from testbed.report.side.conditions import condition
from testbed.report.side.measures import MEASURES, THROTTLED
from tests.unit.records import a_migration, a_service, a_summary
from tests.unit.runs import SCENARIO, made

OTHER = SCENARIO.replace("2048MB", "1024MB")
BASE = [20.0, 20.2, 20.1, 19.9, 20.05]
MUCH, LITTLE, UNSURE = ([each * by for each in BASE] for by in (1.2, 1.01, 1.05))
Captured = pytest.CaptureFixture[str]


def a_run(folder: Path, migrations: list[MigrationRecord], scenario: str, **changes: Any) -> str:
    summary = a_summary(*migrations)
    for name, value in changes.items():
        setattr(summary, name, value)
    return str(made(folder, summary, scenario))


def two(folder: Path, first: list[float], second: list[float], **changes: Any) -> list[str]:
    """Two groups with these total times, seeds apart so that they are no pairs."""
    return [
        a_run(
            folder / name,
            [a_migration(total_time_s=total, repeat=n, **changes) for n, total in enumerate(totals, 1)],
            scenario,
            seed=seed,
        )
        for name, totals, scenario, seed in (("a", first, SCENARIO, 1), ("b", second, OTHER, 100))
    ]


def cases(file: Path) -> list[tuple[str, str, str]]:
    """Name, what became of it, and why, of each case."""
    suite = ET.parse(file).getroot().find("testsuite")  # noqa: S314 - our own
    assert suite is not None
    kinds = [("passed" if not len(case) else case[0].tag, case) for case in suite]
    for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[name]) == sum(each == kind for each, _ in kinds)
    assert int(suite.attrib["tests"]) == len(kinds)
    return [(case.attrib["name"], kind, "" if not len(case) else case[0].attrib["message"]) for kind, case in kinds]


@pytest.mark.parametrize(
    ("second", "code", "kind", "words"),
    [
        (MUCH, 1, "failure", "failed: +20.0%"),
        (LITTLE, 0, "passed", "held: +1.0%"),
        (UNSURE, 0, "skipped", "not known: +5.0%"),
        ([25.0], 0, "skipped", "too few repeats"),
        ([25.0, 25.0, 25.0], 0, "skipped", "the noise is not known"),
        ([each * 0.5 for each in BASE], 0, "passed", "held: -50.0%"),
    ],
)
def test_a_bound_is_broken_kept_or_neither(
    tmp_path: Path, capsys: Captured, second: list[float], code: int, kind: str, words: str
) -> None:
    first = BASE if len(second) == len(BASE) else BASE[: len(second)]
    if kind == "skipped" and "noise" in words:
        first = [20.0, 20.0, 20.0]
    report = tmp_path / "x" / "compare.xml"
    runs = two(tmp_path, first, second)
    assert main(["compare", *runs, "--fail-if", "slower=5%", "--junit", str(report)]) == code
    out, err = capsys.readouterr()
    ((name, became, why),) = cases(report)
    assert (became, name.startswith("slower=5%: ")) == (kind, True)
    assert words in err and (why == "" or words in why) and "total time" in out


def test_each_condition_is_a_case_and_one_that_fails_fails_all(tmp_path: Path) -> None:
    runs = two(tmp_path, BASE, MUCH)
    report = tmp_path / "compare.xml"
    options = [word for each in ("total_time=50%", "total_time_s=5%", "rounds=0%") for word in ("--fail-if", each)]
    assert main(["compare", *runs, *options, "--junit", str(report)]) == 1
    assert [(name.partition(":")[0], became) for name, became, _ in cases(report)] == [
        ("total_time=50%", "passed"), ("total_time_s=5%", "failure"), ("rounds=0%", "skipped"),
    ]  # fmt: skip


def test_who_does_not_complete_is_not_within_any_bound(tmp_path: Path, capsys: Captured) -> None:
    whole = [a_migration(name=name, repeat=n) for name in ("x", "y") for n in (1, 2)]
    broken = [a_migration(name=each.name, repeat=each.repeat) for each in whole]
    for each in broken[2:]:
        each.outcome = "failed"
    runs = [a_run(tmp_path / "a", whole, SCENARIO), a_run(tmp_path / "b", broken, OTHER)]
    assert main(["compare", *runs, "--anyway", "--fail-if", "slower=5%"]) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("slower=5%")]
    assert len(said) == 2 and "x in" in said[0] and "y in" in said[1] and "none of its migrations completed" in said[1]


def test_of_a_model_without_chance_the_means_decide(tmp_path: Path) -> None:
    runs = [
        a_run(tmp_path / name, [a_migration(total_time_s=total)], scenario, engine="simulated")
        for name, total, scenario in (("a", 20.0, SCENARIO), ("b", 21.0, OTHER))
    ]
    assert main(["compare", *runs, "--anyway", "--fail-if", "slower=4.9%"]) == 1
    assert main(["compare", *runs, "--anyway", "--fail-if", "slower=5.1%"]) == 0


def test_a_services_halt_is_a_figure_too(tmp_path: Path) -> None:
    service = a_service()
    runs = two(tmp_path, BASE, MUCH, services=[service])
    assert main(["compare", *runs, "--fail-if", f"longest_halt_s {service.name}=5%"]) == 0
    assert main(["compare", *runs, "--fail-if", "longest_halt_s nobody=5%"]) == 2


@pytest.mark.parametrize(
    "text",
    [
        "slower",
        "slower=5",
        "slower=%",
        "slower=-5%",
        "slower=1e3%",
        "=5%",
        "faster=5%",
        "slower=5%;x",
        "slower=\u0665%",
    ],
)
def test_what_is_no_condition_is_one_line_that_says_how(tmp_path: Path, capsys: Captured, text: str) -> None:
    assert main(["compare", *two(tmp_path, BASE, MUCH), "--fail-if", text]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and ("slower" in err)


def test_junit_alone_or_one_group_alone_says_what_is_missing(tmp_path: Path, capsys: Captured) -> None:
    first, second = two(tmp_path, BASE, MUCH)
    assert main(["compare", first, second, "--junit", str(tmp_path / "x.xml")]) == 2
    assert "add --fail-if" in capsys.readouterr().err
    assert main(["compare", first, "--fail-if", "slower=5%"]) == 2
    assert "nothing is held against it" in capsys.readouterr().err


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    try:
        made_of = condition(text)
    except ScenarioError:
        return
    assert 0 <= made_of.share < 1e5


def test_every_figure_can_be_named() -> None:
    for measure in (*MEASURES, THROTTLED):
        assert condition(f"{measure.key}=5%").figure == measure.key


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--page", "one/summary.json"], "--page: one/summary.json is a run's record; name another file"),
        (["--junit", "./two/scenario.yaml"], "--junit: two/scenario.yaml is a run's record; name another file"),
        (["--page", "same", "--junit", "./same"], "--junit: same is the file of --page, too; name another file"),
    ],
)
def test_no_record_is_written_over_nor_one_output_over_the_other(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    made(Path("one"), a_summary(a_migration()))
    made(Path("two"), a_summary(a_migration(total_time_s=9.0)))
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert main(["compare", "one", "two", "--fail-if", "slower=5%", *options]) == 2
    assert capsys.readouterr().err == f"testbed: {said}\n"
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before
