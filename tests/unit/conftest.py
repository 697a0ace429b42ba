"""What every unit test leaves as it found it, and what several files of them have in common."""

import fcntl
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from testbed.policies import registry
from testbed.report.page import page
from tests.conftest import WORKER
from tests.unit.memories import OwnMemory

# Machines differ in speed, and are never idle.
settings.register_profile("shared", settings(), deadline=None)
settings.load_profile("shared")


@pytest.fixture(autouse=True)
def policies_of_ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A policy that a test's own file has registered is not there for the next one, nor in the schema."""
    monkeypatch.setattr(registry, "_entries", dict(registry.items()))
    yield


@pytest.fixture(autouse=True)
def stays_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary user's command that a test calls becomes no root of namespaces: it would take this process along, of
    which pytest's other half, a thread, stays behind, and hears of no further test.
    """
    if os.geteuid():
        monkeypatch.setattr("testbed.experiment.rootless.enter", lambda *_: None)


@pytest.fixture
def hung_up_it_ends() -> Iterator[None]:
    """For tests that send SIGHUP: where all of them were started by nohup it is ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def without_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """For runs of whose page nothing is asked: drawing it takes longer than all the rest of a simulated run."""
    monkeypatch.setattr(page, "write", lambda *_: None)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where things are unpacked: empty in the end, whatever came."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an environment into which pip has put our wheel: one for all of pytest's workers, made by the
    first that asks for it.
    """
    from tests.unit import wheels

    mine = tmp_path_factory.getbasetemp()
    folder = (mine.parent if WORKER in os.environ else mine) / "wheel"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return folder if wheels.is_installed(folder) else wheels.installed(folder)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Left when the test is over."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def own() -> Iterator[OwnMemory]:
    """Memory of this process that plays a guest's RAM."""
    memory = OwnMemory()
    yield memory
    os.close(memory.fd)
