"""What agents and the run say: each kind has its name, and whatever is no line is refused, with its place."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.agents import told
from testbed.core.agents.config import AgentConfig, DestinationConfig, GuestNic, SourceConfig
from testbed.core.errors import RemoteProtocolError
from testbed.core.text.from_json import LEAST, MOST, Trusted
from testbed.core.text.json_lines import argument
from testbed.core.text.printable import MOST as MOST_TEXT
from testbed.core.text.printable import printable
from testbed.wire import lines
from testbed.wire.lines import read_config, read_event
from tests.unit.json_values import values

EVENTS, ORDERS, CONFIGS = (values(kinds) for kinds in (told.Told, told.AgentOrder, AgentConfig))


def test_every_kind_has_a_name_and_none_goes_untested() -> None:
    assert set(lines.EVENTS.kinds.values()) == set(get_args(told.Told))
    assert set(lines.ORDERS.kinds.values()) == set(get_args(told.AgentOrder))
    assert set(lines.ROLES.kinds.values()) == set(get_args(AgentConfig))


@given(CONFIGS)
def test_what_an_agent_is_started_with_comes_back(config: AgentConfig) -> None:
    assert read_config(argument(config)) == config


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "no end"),
        (b'{"event": "destination_ready"}', "no end"),
        (b"[1]\n", "expected a JSON object"),
        (b'{"event": "migrate"}\n', "event: 'migrate' is none of"),
        (b'{"event": ["progress"]}\n', "event: "),
        (b'{"event": "announced", "count": 1\n', "no JSON"),
        (b'{"event": "announced", "fault": null}\n', "^announced.count is missing"),
        (b'{"event": "announced", "count": -1, "fault": null}\n', "^announced.count: expected a number"),
        (b'{"event": "announced", "count": true, "fault": null}\n', "^announced.count: expected a whole number"),
        (b'{"event": "throttled", "level": NaN, "fault": null}\n', "NaN is no number"),
        (b'{"event": "throttled", "level": -Infinity, "fault": null}\n', "-Infinity is no number"),
        (b'{"event": "throttled", "level": 1e999, "fault": null}\n', "^throttled.level: expected a number, not inf"),
        (b'{"event": "throttled", "level": 1' + b"0" * 5000 + b', "fault": null}\n', "no JSON"),
        (b'{"event": "never_connected", "outcome": "completed"}\n', "^never_connected.outcome: 'completed' is none of"),
        (b'{"event": "unaccepted", "connections": [["a", 1, "b"]]}\n', r"connections\[0\]: expected a list of 5"),
        (b'{"event": "failed", "reason": "\xff"}\n', "utf-8"),
        (b'{"event": ' * 100_000 + b"\n", "no JSON"),
        (b'{"event": "failed", "reason": "' + b"x" * lines.MOST_LINE + b'"}\n', "no end within"),
    ],
)  # fmt: skip
def test_it_is_said_where_a_line_is_wrong(data: bytes, where: str) -> None:
    with pytest.raises(RemoteProtocolError, match=where):
        read_event(data)


@given(st.text(st.characters(exclude_categories=[]), max_size=2 * MOST_TEXT))
def test_any_text_can_be_said_and_moves_no_cursor(text: str) -> None:
    heard = read_event(lines.EVENTS.line(told.AgentFailed(reason=text)))
    assert isinstance(heard, told.AgentFailed)
    assert heard.reason == printable(text) and heard.reason.isprintable()


@pytest.mark.parametrize("text", ["x" * 501, "\x1b" * 200, "\ud800\u202e"])
def test_what_is_heard_is_no_longer_than_a_sentence_or_two_and_printable(text: str) -> None:
    assert read_event(lines.EVENTS.line(told.CommitUnanswered(reason=text))) == told.CommitUnanswered(
        reason=printable(text)
    )


@given(st.floats(allow_nan=False) | st.integers(0))
def test_any_number_can_be_said_and_no_reader_finds_it_too_large(number: float) -> None:
    heard = read_event(lines.EVENTS.line(told.Throttled(level=number, fault=None)))
    assert isinstance(heard, told.Throttled)
    if heard.level != number:
        assert abs(number) < LEAST or abs(number) > MOST
        assert heard.level == 0 or abs(heard.level) == MOST


SOURCE = SourceConfig(
    guest="/run/guest", peer="10.0.1.2", interface="vmotion", congestion="cubic",
    policy=Trusted({"name": "./mine\u202e.py", "limit": float("inf"), "phases": [{"name": "a"}]}),
    stream_cap=None, tracker="auto", strict=False, connections="move", migration_id="00" * 16, streams=2,
    nic=GuestNic(interface="eth0", ip="10.0.2.100", prefix=24), frames=("00ff",),
)  # fmt: skip
DESTINATION = DestinationConfig(
    guest="/run/guest", address="10.0.1.2", interface="vmotion", peer="10.0.1.1", wait_s=120.5,
    migration_id="00" * 16, nic=None, frames=(),
)  # fmt: skip


@pytest.mark.parametrize("config", [SOURCE, DESTINATION])
def test_a_policy_of_one_s_own_is_taken_as_it_is_and_the_role_can_be_read_by_people(config: AgentConfig) -> None:
    assert read_config(argument(config)) == config
    assert f'"role": "{config.role}"' in argument(config)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"role": "run"}', "role: 'run' is none of source, destination"),
        ('{"role": "destination"}', "destination.guest is missing"),
        (argument(SOURCE).replace('{"name":', '[{"name":', 1).replace("]}", "]}]", 1), "source.policy: expected a"),
        (argument(SOURCE).replace('"eth0"', "7"), "source.nic.interface: expected a text, not 7"),
    ],
)
def test_an_agent_is_not_started_with_anything_else(text: str, where: str) -> None:
    with pytest.raises(RemoteProtocolError, match=where):
        read_config(text)
