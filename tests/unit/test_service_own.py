"""A service of one's own: one folder among the others, and it is served, talked to, moved and verified."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from guest_agent import services
from guest_agent.client.common import clients
from guest_agent.client.conversation import ClientFinished, ClientReady
from guest_agent.ring import Rows
from guest_agent.services import build, registry
from testbed.core.registry import Registry
from tests.unit.service_machine import Clients, SmallMachine, evidence, free_port

START = """
import runpy
from guest_agent import services
services.__path__.append({folder!r})
runpy.run_module("guest_agent.client", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """With the example, copied as its documentation says, as the service ``parrot``; all forget it afterwards."""
    copied = shutil.copytree(Path(services.__file__).parent / "echo", tmp_path / "parrot")
    for file in copied.glob("*.py"):
        text = file.read_text().replace("services.echo", "services.parrot").replace('"echo"', '"parrot"')
        file.write_text(text.replace("= 7\n", f"= {free_port()}\n"))
    monkeypatch.setattr(services, "__path__", [*services.__path__, str(tmp_path)])
    known: list[Registry[object]] = [registry, clients]  # type: ignore[list-item]  # they are not put into
    for each in known:
        monkeypatch.setattr(each, "_entries", dict(each._entries))
        monkeypatch.setattr(each, "_loaded", False)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("guest_agent.services.parrot")]:
        del sys.modules[name]
    del services.parrot  # type: ignore[attr-defined]


def answered(talkers: Clients, machine: SmallMachine) -> list[Rows]:
    """What they see on that machine."""
    rows: list[Rows] = []

    def came() -> bool:
        rows.append(talkers.rows())
        return len(rows[-1]) > 0

    machine.run(came)
    return rows


def test_one_folder_is_all_that_a_service_needs(folder: Path) -> None:
    spec = {"name": "parrot", "connections": 5, "interval": 0.002}
    service = build(spec)
    assert "parrot" in registry.items() and type(service).__module__ == "guest_agent.services.parrot.service"
    machines = [SmallMachine(service, str(folder / "store")).start()]
    rows: list[Rows] = []
    with Clients(service.port or 0, spec, start=("-c", START.format(folder=str(folder)))) as talkers:
        talkers.hear(machines[0], ClientReady)
        for _ in range(2):
            rows += answered(talkers, machines[-1])
            machines.append(machines[-1].move())
        talkers.say()
        said = talkers.hear(machines[-1], ClientFinished)
        rows.append(talkers.rows())
    verdict = service.verify(evidence(*machines, client=np.concatenate(rows), said=said))
    for machine in machines:
        machine.close()
    assert verdict.ok and verdict.operations == said.answered > 0, verdict


def test_its_clients_are_found_by_its_name(folder: Path) -> None:
    assert clients.get("parrot").__module__ == "guest_agent.services.parrot.client"
    assert clients.get("oltp").__module__ == "guest_agent.services.oltp.client"
