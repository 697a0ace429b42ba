"""What every unit test leaves as it found it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from testbed.policies import registry
from testbed.report.page import page

settings.register_profile("shared", settings(), deadline=None)  # machines differ in speed, and are never idle
settings.load_profile("shared")


@pytest.fixture(autouse=True)
def policies_of_ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A policy that a test's own file has registered is not there for the next one, nor in the schema."""
    monkeypatch.setattr(registry, "_entries", dict(registry.items()))
    yield


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
    """A folder with an environment into which pip has put our wheel."""
    from tests.unit import wheels

    return wheels.installed(tmp_path_factory.mktemp("wheel"))
