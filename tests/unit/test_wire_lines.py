"""Lines between processes: what was written is what is read, and nothing else is."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.errors import LocalProtocolError, RemoteProtocolError
from testbed.core.rounds import Action, Decision, Round, RoundKind, Throttle
from testbed.wire.lines import LONGEST, Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    at: float
    round: Round
    decision: Decision | None
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    reason: str


DIALECT: Dialect[Told | Ended] = Dialect("event", {"round": Told, "ended": Ended})
finite = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 2**62)
rounds = st.builds(
    Round,
    index=counts,
    kind=st.sampled_from(RoundKind),
    started_s=finite,
    duration_s=finite,
    sent_bytes=counts,
    dirtied_bytes=counts,
    scan_s=finite,
    throttle=finite,
)
throttles = st.builds(Throttle, kind=st.text(), level=finite, dirty_rate=st.none() | finite)
decisions = st.builds(Decision, action=st.sampled_from(Action), reason=st.text(), throttle=st.none() | throttles)
values = st.builds(
    Told, at=finite, round=rounds, decision=st.none() | decisions, counts=st.lists(counts).map(tuple)
) | st.builds(Ended, reason=st.text())
SAMPLE = Told(
    at=1.5,
    round=Round(index=1, kind=RoundKind.PRECOPY, started_s=0.0, duration_s=2.0, sent_bytes=8192, dirtied_bytes=4096),
    decision=Decision(action=Action.GO_ON, reason="one page left", throttle=Throttle(kind="sdps")),
)


@given(values)
def test_what_was_written_is_what_is_read(value: Told | Ended) -> None:
    line = DIALECT.write(value)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert DIALECT.read(line) == value


@given(st.binary())
def test_bytes_that_nobody_wrote_are_a_fault_of_who_sent_them(noise: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        DIALECT.read(noise + b"\n")


@given(values, st.data())
def test_a_line_with_a_byte_changed_is_a_value_or_a_fault_and_never_a_crash(
    value: Told | Ended, data: st.DataObject
) -> None:
    line = bytearray(DIALECT.write(value))
    line[data.draw(st.integers(0, len(line) - 2))] = data.draw(st.integers(0, 255))
    try:
        read = DIALECT.read(bytes(line))
    except RemoteProtocolError:
        return
    assert isinstance(read, Told | Ended)


@given(values, st.data())
def test_a_line_that_was_cut_off_is_a_fault(value: Told | Ended, data: st.DataObject) -> None:
    line = DIALECT.write(value)
    with pytest.raises(RemoteProtocolError):
        DIALECT.read(line[: data.draw(st.integers(0, len(line) - 1))])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"event": "rounds"}, "no event is called 'rounds'"),
        ({"event": None}, "no event is called None"),
        ({"at": "1.5"}, r"Expected `float`, got `str` - at `\$.at`"),
        ({"round": None}, r"at `\$.round`"),
        ({"counts": [1, "2"]}, r"Expected `int`, got `str` - at `\$.counts"),
        ({"when": 1}, "Told has no 'when'"),
        ({"decision": {"action": "stop", "reason": ""}}, r"Invalid enum value 'stop' - at `\$.decision.action`"),
    ],
)
def test_the_fault_says_where_it_is_and_what_was_expected(change: dict[str, object], said: str) -> None:
    line = json.dumps({**json.loads(DIALECT.write(SAMPLE)), **change}).encode() + b"\n"
    with pytest.raises(RemoteProtocolError, match=said):
        DIALECT.read(line)


@pytest.mark.parametrize("number", [b"1e999", b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_are_none_are_no_values(number: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        DIALECT.read(DIALECT.write(SAMPLE).replace(b"1.5", number))


@pytest.mark.parametrize("depth", [10_000, 3_000_000])
def test_a_deep_line_is_a_fault(depth: int) -> None:
    with pytest.raises(RemoteProtocolError):
        DIALECT.read(b'{"event":' + b"[" * depth + b"]" * depth + b"}\n")


def test_a_line_without_a_bound_is_neither_written_nor_read() -> None:
    with pytest.raises(LocalProtocolError, match="at most"):
        DIALECT.write(Ended(reason="x" * LONGEST))
    with pytest.raises(RemoteProtocolError, match="too long"):
        DIALECT.read(b'{"event":"ended","reason":"' + b"x" * LONGEST + b'"}\n')


def test_a_value_of_no_kind_is_a_bug_of_ours() -> None:
    only: Dialect[Ended] = Dialect("event", {"ended": Ended})
    with pytest.raises(LocalProtocolError, match="Told is no event"):
        only.write(SAMPLE)  # type: ignore[arg-type]  # the type checker finds it, too
    with pytest.raises(ValueError, match="two names"):
        Dialect("event", {"one": Ended, "other": Ended})
