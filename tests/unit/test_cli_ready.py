"""What makes ready to work: a scenario to begin with, the shell's completion, the version, the parameters."""

import json
import os
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from testbed import scenarios
from testbed.cli import main, manual
from testbed.cli.app import app
from testbed.core.parameters import parameters_of
from testbed.core.version import __version__
from testbed.scenario import load
from testbed.scenario.schema.named_schema import registries
from testbed.scenarios import beginning
from testbed.sweeps.grid import load as load_grid
from tests.unit.documents import ROOT

Captured = pytest.CaptureFixture[str]


def test_a_new_scenario_is_valid_and_has_its_schema_beside_it(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "sub" / "mine.yaml"
    assert main(["new", str(file.with_suffix(""))]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    assert load(file).name == "mine"
    first = file.read_text().splitlines()[0]
    assert first == beginning.LINE
    schema = file.parent / first.partition("$schema=")[2]
    assert json.loads(schema.read_text()) == json.loads((scenarios.folder() / schema.name).read_text())


@pytest.mark.parametrize("name", scenarios.names())
def test_it_may_begin_as_any_other(name: str, tmp_path: Path) -> None:
    assert main(["new", str(tmp_path / "mine"), "--from", name]) == 0
    made, other = load(tmp_path / "mine.yaml"), load(name)
    assert made.name == "mine" and made.title == other.title
    assert [each.guest for each in made.plans()] == [each.guest for each in other.plans()]
    text = (tmp_path / "mine.yaml").read_text()
    assert text.startswith(f"{beginning.LINE}\n") and text.count("yaml-language-server") == 1


@pytest.mark.parametrize("source", [None, "policies", "one-vmknic", "below/mine.yaml"])
def test_a_grid_is_valid_stands_on_the_scenario_and_has_its_schema(
    source: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "below/mine"]) == 0
    assert main(["new", "grids/many", "--sweep", *(["--from", source] if source else [])]) == 0
    file = tmp_path / "grids" / "many.yaml"
    made, other = load_grid(file), load(source or "hello")
    assert made.name == "many" and len(made.arms) == 3 and made.arms[0].scenario.title == other.title
    assert file.read_text().splitlines()[0] == beginning.GRID_LINE
    shipped = scenarios.folder() / beginning.GRID_SCHEMA
    assert (file.parent / beginning.GRID_SCHEMA).read_bytes() == shipped.read_bytes()
    assert main(["sweep", str(file), "--dry-run"]) == 0 and "15 points" in capsys.readouterr().err


def test_a_grid_that_cannot_be_leaves_nothing(tmp_path: Path, capsys: Captured) -> None:
    assert main(["new", str(tmp_path / "many"), "--sweep", "--from", "helo"]) == 2
    assert "did you mean 'hello'" in capsys.readouterr().err and not (tmp_path / "many.yaml").exists()


def test_nothing_is_written_over(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "mine.yaml").write_text("mine")
    (tmp_path / beginning.SCHEMA).write_text("older")
    assert main(["new", str(tmp_path / "mine")]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["new", str(tmp_path / "other")]) == 0
    assert (tmp_path / "mine.yaml").read_text() == "mine"
    assert (tmp_path / beginning.SCHEMA).read_text() == "older"


def test_what_cannot_be_begun_with_leaves_nothing(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "bad.yaml").write_text("vm: {rma: 1GiB}\n")
    assert main(["new", str(tmp_path / "mine"), "--from", str(tmp_path / "bad.yaml")]) == 2
    assert "unknown key" in capsys.readouterr().err
    assert main(["new", str(tmp_path / "mine"), "--from", "helo"]) == 2
    assert "did you mean 'hello'" in capsys.readouterr().err
    assert not (tmp_path / "mine.yaml").exists()


@pytest.mark.parametrize("room", [100, 4096], ids=["none", "none for the schema"])
def test_without_room_nothing_half_made_stays_and_the_same_command_goes_on_later(
    room: int, tmp_path: Path, capsys: Captured
) -> None:
    """Whatever had been written by then, a scenario or a part of its schema, was "there already" the next time."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        assert main(["new", str(tmp_path / "mine")]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    (said,) = capsys.readouterr().err.splitlines()
    assert "mine.yaml cannot be written to" in said and "another folder" in said and "--out" not in said
    assert list(tmp_path.iterdir()) == []
    assert main(["new", str(tmp_path / "mine")]) == 0


def test_the_version_is_told_and_in_a_checkout_the_commit(capsys: Captured) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith(f"testbed {__version__}")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(shell: str, capsys: Captured) -> None:
    assert main(["completion", shell]) == 0
    assert "_TESTBED_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("testbed exp", "export"),
        ("testbed run opv", "opvizor"),
        ("testbed run ./mi", "./mine.yaml"),
        ("testbed predict --policy vmo", "vmotion"),
        ("testbed report a-r", "a-run"),
        ("testbed compare res", "results/last-run"),
        ("testbed list policies xe", "xen"),
    ],
)
def test_the_shell_is_offered_what_there_is(words: str, offered: str, tmp_path: Path) -> None:
    for folder in ("a-run", "a-rest", "results/last-run"):
        (tmp_path / folder).mkdir(parents=True)
    for run in ("a-run", "results/last-run"):
        (tmp_path / run / "summary.json").touch()
    (tmp_path / "mine.yaml").touch()
    asked = {"_TESTBED_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "testbed"],
        cwd=tmp_path,
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == [offered], done.stderr


def test_every_parameter_is_listed_with_its_default(capsys: Captured) -> None:
    for registry, kind in zip(registries(), ("workloads", "services", "policies"), strict=True):
        for name, entry in registry.items().items():
            assert main(["list", kind, name]) == 0
            lines = [line.split() for line in capsys.readouterr().out.splitlines()]
            for parameter in parameters_of(entry):
                assert any(line[:1] == [parameter] and len(line) > 1 for line in lines), (name, parameter)


def test_one_that_there_is_not_is_said_with_the_nearest(capsys: Captured) -> None:
    assert main(["list", "policies", "vmotoin"]) == 2
    assert "did you mean 'vmotion'" in capsys.readouterr().err
    assert main(["list", "throttles", "sdps"]) == 0
    assert capsys.readouterr().out.startswith("sdps  Stun During Page Send")


@pytest.mark.parametrize("command", sorted(get_command(app).commands))  # type: ignore[attr-defined]
def test_every_command_has_an_example_in_its_help(command: str, capsys: Captured) -> None:
    if command == "lab":
        return  # it has commands of its own
    assert main([command, "--help"]) == 0
    assert f"testbed {command}" in capsys.readouterr().out.partition("Example: ")[2].split("\n\n")[0]


def test_the_manual_page_is_made_from_the_parser() -> None:
    page = (ROOT / "testbed" / "cli" / "testbed.1").read_text(encoding="utf-8")
    assert page == manual.page(), "made anew by: .venv/bin/python -m testbed.cli.manual > testbed/cli/testbed.1"
    words = page.replace(r"\-", "-")
    for command in get_command(app).commands:  # type: ignore[attr-defined]
        assert f'.SS "testbed {command} ' in words
    assert all(not line.startswith("'") for line in page.splitlines())


SIMULATED = ("predict", "list", "schema", "completion", "new")
"""Whose example needs no root, no run that is there, no browser, and no minute."""


@pytest.mark.parametrize("command", SIMULATED)
def test_the_example_runs(command: str, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([command, "--help"]) == 0
    example = capsys.readouterr().out.partition("Example: ")[2].split("\n\n")[0]
    words = shlex.split(" ".join(example.split()).partition(" >")[0])
    assert words[:2] == ["testbed", command]
    assert main(words[1:]) == 0
