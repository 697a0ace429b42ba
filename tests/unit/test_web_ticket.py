"""Who may see a live page: whoever has the address that the run printed, and no other user of the machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.cli.live_page import live_page
from testbed.rig.orders import Orders
from testbed.web.guard import LOCAL
from testbed.web.live.run_side import LivePage
from testbed.web.live.ticket import is_right
from tests.unit.test_web_live import _OPENER, ask, with_token

Captured = pytest.CaptureFixture[str]
EVERYTHING = (
    "",
    "events",
    "report",
    "metrics",
    "order",
    "nowhere",
    "events?after=x",
    "?token=",
    "?token=no",
    "?other=1",
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePage]:
    with LivePage("a run", tmp_path_factory.mktemp("live") / "results", LOCAL, 0, Orders()) as made:
        yield made


@pytest.mark.parametrize("path", EVERYTHING)
@pytest.mark.parametrize("headers", [{}, {"Cookie": "fast-motion=x"}, {"Cookie": ";=,"}, {"X-Token": "\xe9"}])
def test_without_the_token_there_is_nothing_but_where_it_is_found(
    page: LivePage, path: str, headers: dict[str, str]
) -> None:
    status, text = ask(f"{page.url}{path}", **headers)
    assert status == 403 and page.token not in text
    assert "live:" in text and "in the address that the run printed" in text


@pytest.mark.parametrize("path", ["", "events", "order"])
def test_orders_and_events_want_it_too(page: LivePage, path: str) -> None:
    assert ask(f"{page.url}{path}", {"what": "stop"})[0] == 403


def test_the_printed_address_opens_it_and_leaves_a_cookie_of_this_port_alone(page: LivePage) -> None:
    with _OPENER.open(page.address, timeout=20) as answer:
        kept = answer.headers["Set-Cookie"]
        assert answer.status == 200 and page.token.encode() in answer.read()
    port = page.url.rsplit(":", 1)[1].rstrip("/")
    name, *attributes = kept.split("; ")
    assert name == f"fast-motion-{port}={page.token}"
    assert set(attributes) == {"Path=/", "HttpOnly", "SameSite=Strict"}
    assert ask(page.url, Cookie=name)[0] == 200
    assert ask(page.url, Cookie=f"other=1; {name}; more=2")[0] == 200
    assert ask(page.url, Cookie=f"fast-motion-1={page.token}")[0] == 403


@pytest.mark.parametrize("other", ['seen={"a": 1}', "a[b]=1", "words=two words", "flag", "expires=1", "=", "{}=old"])
def test_another_programs_cookie_shuts_nobody_out(page: LivePage, other: str) -> None:
    name = f"fast-motion-{page.url.rsplit(':', 1)[1].rstrip('/')}"
    mine, theirs = f"{name}={page.token}", other.replace("{}", name)
    for cookies in (f"{theirs}; {mine}", f"{mine}; {theirs}"):
        assert ask(page.url, Cookie=cookies)[0] == 200


def test_a_cookie_alone_gives_no_orders(page: LivePage) -> None:
    """A page of another port of this machine is of the same site: its requests would carry the cookie."""
    port = page.url.rsplit(":", 1)[1].rstrip("/")
    cookie = f"fast-motion-{port}={page.token}"
    assert ask(f"{page.url}order", {"what": "cancel"}, Cookie=cookie)[0] == 403
    assert ask(f"{page.url}order?token={page.token}", {"what": "cancel"}, Cookie=cookie)[0] == 403
    assert ask(f"{page.url}order", {"what": "explode"}, Cookie=cookie, **with_token(page))[0] == 400


def test_nobody_reads_it_off_the_list_of_processes(page: LivePage) -> None:
    arguments = Path(f"/proc/{page.pid}/cmdline").read_bytes()
    assert b"web.live.server_process" in arguments and page.token.encode() not in arguments
    assert page.token.encode() not in Path(f"/proc/{page.pid}/environ").read_bytes()


def test_each_run_has_its_own(page: LivePage, tmp_path: Path) -> None:
    another = LivePage("another", tmp_path, LOCAL, 0, Orders())
    assert another.token != page.token and len(another.token) >= 32
    assert ask(f"{page.url}?token={another.token}")[0] == 403


def test_the_address_is_printed_so_that_it_can_be_opened_as_it_stands(tmp_path: Path, capsys: Captured) -> None:
    with live_page("a run", tmp_path / "run", "0.0.0.0", 0, Orders()):  # noqa: S104
        said = capsys.readouterr().err
        address = next(word for word in said.split() if word.startswith("http://"))
        assert said.startswith("live: http://127.0.0.1:") and ask(address)[0] == 200


@pytest.mark.parametrize("given", [None, "", "guessed", "t", "tokens", "\udcff"])
def test_nothing_else_is_right(given: str | None) -> None:
    assert not is_right(given, "token")
    assert is_right("token", "token")
