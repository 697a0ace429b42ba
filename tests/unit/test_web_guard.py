"""Under which names a page may be asked for."""

import socket

import pytest

from testbed.web.guard import ANY, is_ours, where


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "192.168.56.10:8080", socket.gethostname()]
)
def test_addresses_and_our_own_name_are_ours(host: str) -> None:
    assert is_ours(host)


FOREIGN = ["", "elsewhere.example:8080", "127.0.0.1.elsewhere.example", "localhost.example", "["]


@pytest.mark.parametrize("host", FOREIGN)
def test_other_names_are_not(host: str) -> None:
    assert not is_ours(host)


def test_a_url_can_be_opened_here() -> None:
    assert where(ANY, 80) == "http://127.0.0.1:80/"
    assert where("::1", 80) == "http://[::1]:80/"
