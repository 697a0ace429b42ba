"""What is said on a guest's control socket: it comes back as it was said, and nothing else passes for it."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guest_agent.config import GuestConfig
from guest_agent.control import GuestClient
from guest_agent.messages import (
    Acknowledged,
    FirstStep,
    Logs,
    Ports,
    Refused,
    Reply,
    Status,
    Verb,
    read_reply,
    read_request,
    reply_line,
)
from testbed.core.errors import TestbedError
from testbed.rig.guests import GuestProcess, local_guest

COUNTS = st.integers(0, 2**48)
SECONDS = st.floats(0, 1e9, allow_subnormal=False).filter(lambda seconds: seconds == 0 or seconds > 1e-30)
NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
REPLIES: st.SearchStrategy[Reply] = st.one_of(
    st.builds(Ports, pid=COUNTS, ram_address=COUNTS, ram_bytes=COUNTS),
    st.builds(Logs, services=st.lists(NAMES, max_size=4).map(tuple)),
    st.builds(FirstStep, at=SECONDS, operation=COUNTS),
    st.builds(
        Status, operations=COUNTS, running=st.booleans(), errors=COUNTS,
        shortfall=SECONDS, busy_s=SECONDS, first_step=SECONDS, at=SECONDS,
    ),
    st.just(Acknowledged()),
)  # fmt: skip
KINDS = (Ports, Logs, FirstStep, Status, Acknowledged)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=5), part, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(["do", "ok", "error", "local_ports", "pid", "at", "operation", "running", "services"])
OBJECTS = st.dictionaries(FIELDS, JSON | st.sampled_from([*get_args(Verb), True, False]), max_size=5)
LINES = st.one_of(
    st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")),
    JSON.map(lambda known: json.dumps(known).encode()),
    OBJECTS.map(lambda known: json.dumps(known).encode()),
    st.just(b"[" * 60_000),
    st.just(b'{"do":' * 10_000),
)


@given(reply=REPLIES)
def test_a_reply_arrives_as_it_was_made(reply: Reply) -> None:
    line = reply_line(reply)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert read_reply(type(reply), line) == reply


@given(error=NAMES, kind=st.sampled_from(KINDS))
def test_a_refusal_arrives_whatever_was_asked(error: str, kind: type[Status]) -> None:
    assert read_reply(kind, reply_line(Refused(error=error))) == Refused(error=error)


@given(line=LINES)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_line_is_a_request_or_one_sentence(line: bytes) -> None:
    try:
        request = read_request(line)
    except TestbedError as refused:
        assert str(refused).isprintable() and len(str(refused)) < 1000
    else:
        assert request.do in get_args(Verb) and all(isinstance(port, int) for port in request.local_ports)


@given(line=LINES, kind=st.sampled_from(KINDS))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_line_is_a_reply_of_the_kind_that_was_asked_for_or_none(line: bytes, kind: type[Status]) -> None:
    try:
        assert isinstance(read_reply(kind, line), kind | Refused)
    except ValueError as fault:
        assert len(str(fault)) < 1000


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"do": "adopt", "local_ports": 7}', "local_ports: expected a list, not 7"),
        (b'{"do": "adopt", "local_ports": ["7"]}', r"local_ports\[0\]: expected a whole number, not '7'"),
        (b'{"do": "fly\\u001b[2J"}', r"a guest cannot 'fly\\x1b\[2J'; it knows ports, userfaultfd, logs, adopt, run"),
    ],
)
def test_what_a_request_lacks_is_said(line: bytes, said: str) -> None:
    with pytest.raises(TestbedError, match=said):
        read_request(line)


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[GuestProcess]:
    with local_guest(GuestConfig(ram_bytes=4 << 20), tmp_path / "guest") as process:
        yield process


def test_no_line_ends_a_guest_and_each_has_one_answer(guest: GuestProcess) -> None:
    harmless = LINES.filter(lambda line: b"stop" not in line and b"run" not in line)

    @given(lines=st.lists(harmless, min_size=1, max_size=20))
    @settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
    def ask(lines: list[bytes]) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(guest.socket))
            for line in lines:
                connection.sendall(line + b"\n")
                answer, fds, _, _ = socket.recv_fds(connection, 1 << 16, 8)
                for fd in fds:
                    os.close(fd)
                assert answer.endswith(b"\n") and isinstance(json.loads(answer)["ok"], bool)

    ask()
    assert not guest.client.status().running


@given(line=LINES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_a_guest_that_says_anything_is_refused_and_its_descriptors_are_closed(line: bytes) -> None:
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(each) for each in socket.socketpair())
        reader, writer = os.pipe()
        socket.send_fds(theirs, [line + b"\n"], [writer])
        os.close(writer)
        client = stack.enter_context(GuestClient(ours))
        with pytest.raises(TestbedError, match=r"^the guest (ended before it answered|refused) 'status'"):
            client.status()
        assert os.read(reader, 1) == b"", "nobody holds the other end any more"
        os.close(reader)
