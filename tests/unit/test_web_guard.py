"""Under which names a page may be asked for."""

import socket

import pytest

from testbed.core.errors import TestbedError
from testbed.web.guard import ANY, LOCAL, is_ours, listener, where


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
    assert [where(host, 80) for host in ANY] == ["http://127.0.0.1:80/", "http://[::1]:80/"]
    assert where("::1", 80) == "http://[::1]:80/"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["::1", "::"])
def test_a_page_can_be_served_by_ipv6(host: str) -> None:
    with listener(host, 0, "--port", "--host") as listening:
        port = listening.getsockname()[1]
        with socket.create_connection(("::1", port)):
            pass


def test_a_port_that_is_taken_has_another_remedy_than_an_address_that_is_not_ours() -> None:
    with listener(LOCAL, 0, "--port", "--host") as listening:
        port = listening.getsockname()[1]
        with pytest.raises(TestbedError) as taken:
            listener(LOCAL, port, "--port", "--host")
    assert str(taken.value) == f"cannot serve at http://127.0.0.1:{port}/: Address already in use; try another --port"
    for host in ("192.0.2.1", "no-such-name.invalid", "é" * 80):
        with pytest.raises(TestbedError, match=r"^cannot serve at .*; --host is for an address of this machine$"):
            listener(host, port, "--port", "--host")
