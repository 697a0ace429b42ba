"""Each law of imports has teeth: the tree is kept, and what is planted in a copy of it breaks the law it should."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from configparser import ConfigParser
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest

from tests.laws import calls

ROOT = Path(__file__).parents[2]
Broken: TypeAlias = Mapping[str, str]
"""What import-linter says of each contract that is broken, by the contract's name."""
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"
KINDS = {
    "text": "import {0}",
    "function": "def planted() -> None:\n    import {0}",
    "types": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import {0}",
    "name": "from testbed.core.names.by_name import imported\nimported('{0}')",
    "process": "from testbed.linux.processes.module import module\nmodule('{0}')",
    "registry": "from testbed.core.registry import Registry\nRegistry('kind', '{0}')",
}


class Plant(NamedTuple):
    """An import that a law forbids. ``how``: one of ``KINDS``, or the text itself."""

    law: str
    file: str
    how: str
    imported: str
    said: str


PLANTS = [
    Plant("rooms", "testbed/wire/pages.py", "text", "testbed.metrics.link", "wire.pages -> testbed.metrics.link"),
    Plant("rooms", "testbed/model/laws.py", "function", "testbed.runfiles.pages", "laws -> testbed.runfiles.pages"),
    Plant("rooms", "testbed/packets/pcapng.py", "types", "testbed.rig.logs", "packets.pcapng -> testbed.rig.logs"),
    Plant("rooms", "testbed/metrics/tcp.py", "name", "testbed.rig.orders", "metrics.tcp -> testbed.rig.orders"),
    Plant("rooms", "testbed/linux/aio.py", "process", "testbed.cli.app", "linux.aio -> testbed.cli.app"),
    Plant("rooms", "testbed/wire/running.py", "registry", "testbed.dirty", "wire.running -> testbed.dirty.soft_dirty"),
    Plant("rooms", "testbed/dirty/checksum.py", "text", "testbed.outcomes", "dirty.checksum -> testbed.outcomes"),
    Plant("rooms", "testbed/attic/__init__.py", "", "", "testbed.attic"),
    Plant("front", "testbed/report/convergence.py", "from testbed import run", "", "report.convergence -> testbed"),
    Plant("by_name", "testbed/doctor/abilities.py", "import importlib as i\ni.import_module('x')", "", "import_module"),
    Plant("by_name", "testbed/network/hosts.py", "def planted() -> None:\n    __import__('json')", "", "__import__"),
    Plant("by_name", "testbed/rig/clients.py", "from runpy import run_module", "", "uses runpy.run_module"),
    Plant("by_name", "testbed/rig/logs.py", "import sys\nrun = [sys.executable, '-m']", "", "uses sys.executable"),
    Plant("by_name", "testbed/rig/datastore.py", KINDS["name"].replace("'{0}'", "str(1)"), "", "cannot be read"),
    Plant("inside_guest", "guest_agent/ring.py", "text", "guest_agent.loop", "guest_agent.ring -> guest_agent.loop"),
    Plant("inside_linux", "testbed/linux/net/bpf.py", "function", "testbed.linux.aio", "net.bpf -> testbed.linux.aio"),
    Plant("inside_core", "testbed/core/text/label.py", "text", "testbed.core.plan", "text.label -> testbed.core.plan"),
    Plant("inside_migration", "testbed/migration/precopy.py", "types", "testbed.migration.source", "precopy -> "),
    Plant("inside_scenario", "testbed/scenario/words.py", "text", "testbed.scenario.values", "words -> testbed"),
    Plant("inside_report", "testbed/report/axis/bands.py", "text", "testbed.report.words.page", "bands -> testbed"),
    Plant("inside_cli", "testbed/cli/commands/clean.py", "function", "testbed.cli.app", "clean -> testbed.cli.app"),
    Plant("circles", "testbed/packets/frames.py", "function", "testbed.packets.story", "allowed in testbed.packets."),
    Plant("core", "testbed/core/units.py", "function", "socket", "testbed.core.units -> socket"),
    Plant("core", "testbed/core/plan.py", "types", "pathlib", "testbed.core.plan -> pathlib"),
    Plant("policies", "testbed/policies/xen.py", "text", "testbed.throttles", "policies.xen -> testbed.throttles"),
    Plant("policies", "testbed/policies/qemu.py", "text", "random", "testbed.policies.qemu -> random"),
    Plant("wire", "testbed/wire/messages.py", "function", "socket", "testbed.wire.messages -> socket"),
    Plant("interleavings", "testbed/dirty/interleavings.py", "text", "random", "testbed.dirty.interleavings -> random"),
    Plant("precopy", "testbed/migration/precopy.py", "text", "time", "testbed.migration.precopy -> time"),
    Plant("fit", "testbed/fit/judging.py", "text", "time", "testbed.fit.judging -> time"),
    Plant("model", "testbed/model/link.py", "text", "testbed.migration.channel", "link -> testbed.migration.channel"),
    Plant("findings", "testbed/findings/blackout.py", "text", "os", "testbed.findings.blackout -> os"),
    Plant("feed", "testbed/sweeps/feed.py", "text", "time", "testbed.sweeps.feed -> time"),
    Plant("guest", "guest_agent/gate.py", "text", "testbed.wire.limits", "guest_agent.gate -> testbed.wire.limits"),
    Plant("guest", "guest_agent/disk.py", "name", "testbed.cli", "guest_agent.disk -> testbed.cli"),
    Plant("guests", "testbed/model/writes.py", "text", "guest_agent.workloads", "writes -> guest_agent.workloads"),
    Plant("topologies", "topologies/two_hosts.py", "text", "testbed.core", "topologies.two_hosts -> testbed.core"),
    Plant("topology", "testbed/network/links.py", "name", "topologies.two_hosts", "links -> topologies.two_hosts"),
    Plant("packages", "testbed/rig/guests.py", "text", "pydantic", "testbed.rig.guests -> pydantic"),
    Plant("packages", "testbed/migration/source.py", "function", "scapy.all", "testbed.migration.source -> scapy"),
    Plant("packages", "testbed/network/fabric.py", "text", "requests", "testbed.network.fabric -> requests"),
    Plant("packages", "testbed/sweeps/points.py", "function", "distributed", "sweeps.points -> distributed"),
    Plant("packages", "testbed/bench/rows.py", "name", "mininet.cli", "testbed.bench.rows -> mininet"),
]


def names() -> dict[str, str]:
    """The contracts of ``setup.cfg``: their names by their short ones."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    sections = [name for name in config.sections() if name.startswith("importlinter:contract:")]
    return {name.rpartition(":")[2]: config[name]["name"] for name in sections}


def linted(tree: Path) -> tuple[int, str]:
    """How import-linter ends in a tree, and what it says."""
    env = os.environ | {"COLUMNS": "500"}
    argv = [sys.executable, "-c", LINT, "--no-logo", "--no-cache"]
    done = subprocess.run(argv, cwd=tree, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def copied(to: Path) -> Path:
    """What the laws are about, and the laws."""
    for part in (*calls.PACKAGES, "tests/laws"):
        shutil.copytree(ROOT / part, to / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", to)
    return to


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    """All that is planted stands in one copy; a law's words name what broke it."""
    tree = copied(tmp_path_factory.mktemp("planted"))
    for plant in PLANTS:
        file = tree / plant.file
        file.parent.mkdir(exist_ok=True)
        with file.open("a", encoding="utf-8") as text:
            text.write("\n" + KINDS.get(plant.how, plant.how).format(plant.imported) + "\n")
    code, said = linted(tree)
    assert code == 1, said
    whole = said.partition("Broken contracts")[2].splitlines()
    found: dict[str, str] = {}
    title = ""
    for line, under in zip(whole, [*whole[1:], ""], strict=True):
        title = line.strip() if line.strip() and set(under.strip()) == {"-"} else title
        found[title] = found.get(title, "") + line + "\n"
    return found


def test_the_tree_keeps_its_laws() -> None:
    code, said = linted(ROOT)
    assert code == 0, said


def test_every_law_is_tried() -> None:
    assert {plant.law for plant in PLANTS} == set(names())


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.law}: {plant.file}")
def test_what_a_law_forbids_breaks_it(broken: Broken, plant: Plant) -> None:
    assert plant.said in broken.get(names()[plant.law], "")


def test_a_list_keeps_nothing_that_is_not_imported(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    config = tree / "setup.cfg"
    text = config.read_text(encoding="utf-8")
    for before, unused in (("room = testbed.wire\nallowed =", "secrets"), ("\nuses =", "rich_tables: testbed.cli")):
        text = text.replace(before, f"{before}\n    {unused}")
    config.write_text(text, encoding="utf-8")
    code, said = linted(tree)
    assert code == 1
    assert "rich_tables is listed for testbed.cli, which does not import it" in said
    assert "secrets is listed, and testbed.wire does not import it" in said
