"""Events as the live page gets them: JSON objects, each under the name of its class."""

import json
from typing import Any

from testbed.core.events import Event, MigrationFinished, MigrationStarted, RoundFinished
from testbed.web.live.messages import MESSAGES, Message, RunEnded


def as_json(event: Event) -> dict[str, Any]:
    """Its fields but for the record, and which event it is; of a round also its rates."""
    content = _fields(type(event).__name__, event)
    content.pop("record", None)
    match event:
        case MigrationStarted() | MigrationFinished():
            content["name"] = event.name
        case RoundFinished():
            content["round"] |= {"bandwidth": event.round.bandwidth, "dirty_rate": event.round.dirty_rate}
    return content


def end_as_json(end: RunEnded) -> dict[str, Any]:
    """The run's end as ``Ended``, with all its fields."""
    return _fields("Ended", end)


def _fields(name: str, message: Message) -> dict[str, Any]:
    made: dict[str, Any] = {"event": name} | json.loads(MESSAGES.line(message))
    made.pop("message")
    return made
