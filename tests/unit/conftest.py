"""What every unit test leaves as it found it."""

from collections.abc import Iterator

import pytest

from testbed.policies import registry
from testbed.report.page import page


@pytest.fixture(autouse=True)
def policies_of_ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A policy that a test's own file has registered is not there for the next one, nor in the schema."""
    monkeypatch.setattr(registry, "_entries", dict(registry.items()))
    yield


@pytest.fixture
def without_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """For runs of whose page nothing is asked: drawing it takes longer than all the rest of a simulated run."""
    monkeypatch.setattr(page, "write", lambda *_: None)
