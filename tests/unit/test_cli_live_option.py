"""``--live`` with and without its port, and what it refuses."""

import pytest

from testbed.cli.app import with_defaults


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["run", "--live"], ["run", "--live", "8080"]),
        (["run", "--live", "9000"], ["run", "--live", "9000"]),
        (["run", "hello", "--live", "--json"], ["run", "hello", "--live", "8080", "--json"]),
        (["run", "--live", "hello"], ["run", "--live", "8080", "hello"]),
        (["run", "--live=7"], ["run", "--live=7"]),
        ([], []),
    ],
)
def test_the_port_may_be_left_out(given: list[str], read: list[str]) -> None:
    assert with_defaults(given) == read
