"""Options that may stand without their value: ``--live`` with and without its port, the files that ``grade`` writes."""

from pathlib import Path

import pytest

from testbed.cli.app import run_command, with_defaults
from testbed.cli.commands.course.grade import DEFAULTS
from testbed.core.errors import ScenarioError


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["run", "--live"], ["run", "--live", "8080"]),
        (["run", "--live", "9000"], ["run", "--live", "9000"]),
        (["run", "hello", "--live", "--json"], ["run", "hello", "--live", "8080", "--json"]),
        (["run", "--live", "hello"], ["run", "--live", "8080", "hello"]),
        (["run", "--live=7"], ["run", "--live=7"]),
        (["run", "--", "--live"], ["run", "--", "--live"]),
        ([], []),
    ],
)
def test_the_port_may_be_left_out(given: list[str], read: list[str]) -> None:
    assert with_defaults(given) == read


@pytest.mark.parametrize("option", list(DEFAULTS))
def test_a_file_is_named_behind_an_equals_sign(option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "class").mkdir()
    for after in ([], ["--lab", "rounds"], ["me.lab.zip"], ["ME.ZIP"], ["class"]):
        assert with_defaults(["grade", option, *after]) == ["grade", option, DEFAULTS[option], *after]
    for file in ("/run/set_output_7f3a", "a.zip", "class", "--lab"):
        assert with_defaults(["grade", f"{option}={file}"]) == ["grade", f"{option}={file}"]
    for file in ("results.json", "-", "out.txt"):  # as it was always read
        assert with_defaults(["grade", option, file]) == ["grade", option, file]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("/run/set_output_7f3a", "then: --classroom=/run/set_output_7f3a; hand-ins stand before it"),
        ("", "then: --classroom without a value; hand-ins stand before it"),
    ],
)
def test_what_may_be_a_file_or_a_hand_in_is_asked_for(word: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["grade", "class", "--lab", "rounds", "--classroom", word]) == 2
    error = capsys.readouterr().err
    assert error == f"testbed: --classroom: is it the file to write? {said}\n"


def test_the_file_of_an_actions_step_is_no_hand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", "/run/set_output_7f3a")
    assert with_defaults(["grade", "--classroom", "/run/set_output_7f3a"])[2:] == ["/run/set_output_7f3a"]
    monkeypatch.setenv("GITHUB_OUTPUT", "")
    with pytest.raises(ScenarioError, match="--classroom without a value"):
        with_defaults(["grade", "--classroom", ""])
