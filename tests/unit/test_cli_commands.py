"""Commands end with the contract's exit codes, one line on stderr, and data alone on stdout."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from testbed import scenarios
from testbed.cli import main
from testbed.cli.commands.listing import PACKAGES, Kind
from testbed.cli.commands.run import default_scenario
from testbed.core.errors import PrerequisiteMissing
from testbed.core.names import catalogue
from testbed.core.registry import Registry
from testbed.experiment.machine import check_fits_all
from testbed.linux.memory.room import Room
from testbed.scenario import load
from testbed.scenario.schema.scenario_schema import scenario_schema, summary_schema
from testbed.sweeps.schema import sweep_schema

ROOT = Path(__file__).parents[2]
Captured = pytest.CaptureFixture[str]


def fails(capsys: Captured, code: int, *argv: str) -> str:
    """The one line of a command that ends with ``code``."""
    assert main(argv) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1 and err.startswith("testbed: ")
    return err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["rnu"], "did you mean 'run'?"),
        ([], "see: testbed --help"),
        (["run", "--sett", "x=1"], "did you mean '--set'?"),
        (["run", "--repeat", "0"], "--repeat"),
        (["run", "--repeat", "many"], "--repeat"),
        (["run", "hello", "opvizor"], "see: testbed run --help"),
        (["run", "helo"], "no scenario is called 'helo'; did you mean 'hello'?"),
        (["run", "./nowhere.yaml"], "nowhere.yaml"),
        (["run", "hello", "--set", "vm.rma=1GiB"], "--set vm.rma=1GiB: unknown key 'vm.rma'; did you mean 'ram'?"),
        (["run", "hello", "--set", "migration.streams=17"], "from 1 to 16"),
        (["run", "hello", "--engine", "nativ"], "no engine is called 'nativ'"),
        (["list", "scenario"], "scenarios"),
        (["schema"], "see: testbed schema --help"),
        (["schema", "figures"], "'scenario', 'summary'"),
        (["run", ""], "the argument after 'run': is empty"),
        (["run", "--", ""], "the argument after '--': is empty"),
        (["new", ""], "the argument after 'new': is empty"),
        (["run", "hello", "--policy", ""], "--policy: is empty"),
        (["run", "hello", "--engine="], "--engine: is empty"),
        (["sweep", "grid.yaml", "--out", ""], "--out: is empty"),
        (["compare", "a", "b", "--fail-if", ""], "--fail-if: is empty"),
    ],
)
def test_wrong_usage(capsys: Captured, argv: list[str], message: str) -> None:
    assert message in fails(capsys, 2, *argv)


def test_a_guest_larger_than_the_machine_is_refused_with_a_scale_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testbed.experiment.machine.room", lambda: Room(size=2 << 30, of="this machine has"))
    with pytest.raises(
        PrerequisiteMissing, match=r"and this machine has 2\.1 GB available; what fits: --set scale\.size="
    ):
        check_fits_all(load("hello", overrides=["vm.ram=1TiB"]).plans())


def test_control_characters_do_not_reach_the_terminal(capsys: Captured) -> None:
    assert "\x1b" not in fails(capsys, 2, "run", "\x1b[31mred\n\x07")


def test_help_goes_to_stdout_and_is_no_fault(capsys: Captured) -> None:
    assert main(["run", "--help"]) == 0
    out, err = capsys.readouterr()
    assert "--repeat" in out and err == ""


def test_list_names_every_kind(capsys: Captured) -> None:
    assert main(["list"]) == 0
    out, _ = capsys.readouterr()
    for word in (
        "scenarios",
        "hello",
        "policies",
        "plain",
        "workloads",
        "uniform",
        "topologies",
        "two-hosts",
        "engines",
    ):
        assert word in out.split()


def test_list_of_one_kind_is_a_line_a_name(capsys: Captured) -> None:
    assert main(["list", "scenarios"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [each.name for each in scenarios.in_order()]
    assert all(len(line.split()) > 7 for line in lines)


@pytest.mark.parametrize("kind", ["policies", "workloads", "topologies", "engines"])
def test_everything_listed_says_what_it_is(capsys: Captured, kind: str) -> None:
    assert main(["list", kind]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines and all(len(line.split()) > 2 for line in lines)


@pytest.mark.parametrize("kind", list(PACKAGES))
def test_what_is_listed_is_what_is_registered(kind: Kind) -> None:
    registry: Registry[Any] = importlib.import_module(PACKAGES[kind]).registry
    assert list(catalogue.registered(PACKAGES[kind])) == list(registry.items())


def test_schemas_are_json(capsys: Captured) -> None:
    assert main(["schema", "scenario"]) == 0
    assert json.loads(capsys.readouterr().out) == scenario_schema()
    assert main(["schema", "sweep"]) == 0
    assert json.loads(capsys.readouterr().out) == sweep_schema()
    assert main(["schema", "summary"]) == 0
    assert json.loads(capsys.readouterr().out) == summary_schema()


def test_schemas_hold_every_key() -> None:
    scenario, summary = scenario_schema(), summary_schema()
    assert {"name", "network", "vm", "migration", "matrix", "published"} <= set(scenario["properties"])
    assert {"Link", "VirtualMachine", "Migration", "Reduction", "Figures"} <= set(scenario["$defs"])
    assert {"schema", "migrations", "comparisons", "environment"} <= set(summary["properties"])
    assert {"MigrationRecord", "RoundRecord"} <= set(summary["$defs"])


def test_doctor_lists_what_there_is(capsys: Captured) -> None:
    code = main(["doctor"])
    out, err = capsys.readouterr()
    assert (code == 0) == (err == "")
    assert code in (0, 3)
    for word in ("root", "mnexec", "tbf", "netem", "uffd-wp", "checksum", "memory", "cores", "TCP_REPAIR"):
        assert word in out
    assert "cgroup" not in out, "nothing here uses one"
    for line in out.splitlines():
        assert "missing" not in line or len(line.split()) > 2, "what is missing has a remedy"


def test_without_a_name_the_first_scenario_there_is_runs() -> None:
    assert default_scenario() in ("fast-motion", "hello")
