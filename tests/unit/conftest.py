"""What every unit test leaves as it found it."""

from collections.abc import Iterator

import pytest

from testbed.policies import registry


@pytest.fixture(autouse=True)
def policies_of_ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A policy that a test's own file has registered is not there for the next one, nor in the schema."""
    monkeypatch.setattr(registry, "_entries", dict(registry.items()))
    yield
