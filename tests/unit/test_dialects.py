"""Every conversation between processes: what one end writes the other reads, and anything else is refused or another
thing that can be said.
"""

import json
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guest_agent import messages as guest
from guest_agent.client import conversation as client
from testbed.core.agents import told
from testbed.core.errors import RemoteProtocolError, TestbedError
from testbed.packets import capture_process as capture
from testbed.sandbox import messages as sandboxed
from testbed.web.live import messages as web
from testbed.wire import lines
from tests.unit.json_values import JSON, Dialect, values
from tests.unit.test_web_messages import MESSAGE, orders

REQUESTS = st.builds(
    guest.ControlRequest,
    do=st.sampled_from(get_args(guest.Verb)),
    local_ports=st.lists(st.integers(0, 65535), max_size=250).map(tuple),
)
DIALECTS = {
    "agents": Dialect(
        said=values(told.Told), write=lines.EVENTS.line, read=lines.read_event, refused=RemoteProtocolError
    ),
    "agents' orders": Dialect(
        said=values(told.AgentOrder), write=lines.ORDERS.line, read=lines.read_order, refused=RemoteProtocolError
    ),
    "clients": Dialect(
        said=values(client.ClientReady | client.ClientFinished), write=client.EVENTS.line, read=client.EVENTS.read
    ),
    "clients' orders": Dialect(said=values(client.ClientStop), write=client.ORDERS.line, read=client.ORDERS.read),
    "capture": Dialect(
        said=values(capture.CaptureReady | capture.CaptureFinished | capture.CaptureFailed),
        write=capture.EVENTS.line,
        read=capture.EVENTS.read,
    ),
    "sandbox": Dialect(
        said=values(sandboxed.Answer | sandboxed.Faulted), write=sandboxed.ANSWERS.line, read=sandboxed.ANSWERS.read
    ),
    "sandbox's questions": Dialect(
        said=values(sandboxed.Question), write=sandboxed.QUESTIONS.line, read=sandboxed.QUESTIONS.read
    ),
    "live page": Dialect(said=MESSAGE, write=web.MESSAGES.line, read=web.MESSAGES.read),
    "browser's orders": Dialect(said=orders(), write=web.ORDERS.line, read=web.read_order),
    "guest's requests": Dialect(said=REQUESTS, write=guest.request_line, read=guest.read_request, refused=TestbedError),
}
LINES_ALONE = DIALECTS.keys() - {"guest's requests", "browser's orders"}
"""Those whose readers hold a line against its end; the others are given no less than a line."""
QUICK = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=60)
everywhere = pytest.mark.parametrize("name", DIALECTS)


def refused_or_said(dialect: Dialect, data: bytes) -> None:
    """The one error, in a sentence, or a value that can be said again."""
    try:
        said = dialect.read(data)
    except dialect.refused as fault:
        assert 0 < len(str(fault)) < 1000
        assert str(fault).isprintable() or dialect.refused is ValueError
    else:
        assert dialect.read(dialect.write(said)) == said


@everywhere
@given(data=st.data())
@QUICK
def test_what_one_end_writes_the_other_reads(name: str, data: st.DataObject) -> None:
    dialect = DIALECTS[name]
    said = data.draw(dialect.said)
    line = dialect.write(said)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert dialect.read(line) == said


@pytest.mark.parametrize("name", sorted(LINES_ALONE))
@given(data=st.data())
@QUICK
def test_a_line_that_is_cut_is_none(name: str, data: st.DataObject) -> None:
    dialect = DIALECTS[name]
    line = dialect.write(data.draw(dialect.said))
    with pytest.raises(dialect.refused):
        dialect.read(line[: data.draw(st.integers(0, len(line) - 1))])


@everywhere
@given(noise=st.binary() | JSON.map(lambda known: json.dumps(known).encode()) | st.just(b"[" * 100_000))
@QUICK
def test_noise_is_refused(name: str, noise: bytes) -> None:
    refused_or_said(DIALECTS[name], noise)
    refused_or_said(DIALECTS[name], noise + b"\n")


@everywhere
@given(data=st.data(), cut=st.integers(0, 8), put=st.binary(max_size=8))
@QUICK
def test_a_line_that_was_changed_anywhere_is_refused_or_another(
    name: str, data: st.DataObject, cut: int, put: bytes
) -> None:
    line = DIALECTS[name].write(data.draw(DIALECTS[name].said))
    at = data.draw(st.integers(0, len(line)))
    refused_or_said(DIALECTS[name], line[:at] + put + line[at + cut :])


@everywhere
@given(data=st.data(), which=st.integers(0), other=JSON)
@QUICK
def test_any_value_in_any_place_is_refused_or_another(
    name: str, data: st.DataObject, which: int, other: object
) -> None:
    known = json.loads(DIALECTS[name].write(data.draw(DIALECTS[name].said)))
    refused_or_said(DIALECTS[name], json.dumps(_with(known, which, other)).encode() + b"\n")


def _with(known: dict[str, Any], which: int, other: object) -> dict[str, Any]:
    """With another value in one place, of those within its parts too."""
    name = list(known)[which % len(known)]
    below, inner = divmod(which, len(known))
    part = known[name]
    if isinstance(part, dict) and part and below:
        return known | {name: _with(part, inner, other)}
    return known | {name: other}
