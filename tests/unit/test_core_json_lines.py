"""Lines of JSON between processes: what one end writes the other reads, and nothing else is taken for it."""

import json
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guest_agent.client.common import ClientConfig
from guest_agent.client.conversation import EVENTS, ORDERS, ClientReady, ClientStop
from testbed.core.text.json_lines import JsonLines, json_line, read_json_line


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A kind of line."""

    at: float
    taps: list[tuple[int, str]]


@dataclass(frozen=True, kw_only=True)
class Over:
    """Another."""

    reason: str = ""


TALK = JsonLines[Begun | Over]("event", {"begun": Begun, "over": Over})
ENDED = Over(reason="full")
COUNT = st.integers(0, 10**18)
TAPS = st.lists(st.tuples(COUNT, st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=9)))


@given(st.builds(Begun, at=st.floats(0, 1e9).filter(lambda at: at == 0 or at > 1e-9), taps=TAPS))
def test_what_one_end_writes_the_other_reads(said: Begun) -> None:
    line = TALK.line(said)
    assert line.startswith(b'{"event": "begun", ') and line.count(b"\n") == 1 and line.endswith(b"\n")
    assert TALK.read(line) == said
    assert read_json_line(Begun, json_line(said)) == said


@given(st.binary(max_size=60) | st.recursive(st.none() | st.text(), st.lists).map(lambda it: json.dumps(it).encode()))
def test_whatever_comes_is_read_or_refused(came: bytes) -> None:
    for line in (came, came + b"\n"):
        with pytest.raises(ValueError):
            TALK.read(line)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", "nothing was said"),
        (TALK.line(ENDED)[:-1], "no end"),
        (b'{"event": "begun", "at": 1.0}\n', "taps is missing"),
        (b'{"event": "begun", "at": "soon", "taps": []}\n', "at: expected a number"),
        (b'{"event": "begin"}\n', "none of begun, over"),
        (b'{"event": []}\n', "none of begun, over"),
        (b"[1]\n", "JSON object"),
        (b"[" * 100_000 + b"\n", "nested too deep"),
    ],
)
def test_what_is_no_such_line_is_refused_in_words(line: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        TALK.read(line)


def test_texts_are_made_printable() -> None:
    assert TALK.read(TALK.line(Over(reason="\x1b[2J"))) == Over(reason="\\x1b[2J")


def test_fields_of_a_later_version_are_passed_over() -> None:
    assert TALK.read(b'{"event": "over", "reason": "full", "since": 3}\n') == ENDED


def test_what_clients_say_can_be_read_by_people() -> None:
    assert EVENTS.line(ClientReady()) == b'{"event": "ready"}\n'
    assert ORDERS.line(ClientStop()) == b'{"do": "stop"}\n'


@given(st.integers(0, 2**63 - 1), st.booleans(), st.none() | st.integers(1, 65535))
def test_a_clients_configuration_arrives(seed: int, of_service: bool, port: int | None) -> None:
    service = {"name": "echo", "interval": 0.5} if of_service else None
    kind: Literal["probe", "service"] = "service" if of_service else "probe"
    config = ClientConfig(kind=kind, address="10.0.2.100", log_fd=7, seed=seed, service=service, port=port)
    assert ClientConfig.parse(config.to_json()) == config
    assert config.name == ("echo" if of_service else "probe")
