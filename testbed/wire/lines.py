"""What agents and the run say to each other, a JSON object a line, and what an agent is started with.

    {"event": "progress", "at": 17.5, "round": 1, "sent_bytes": 4096, "round_bytes": 8192}      an agent, on its stdout
    {"do": "throttle", "level": 0.5}                                                          the run, on its stdin

The values are ``agents.told``'s, field by field. A reader believes nothing: whatever is no such line, to its end, is a
``RemoteProtocolError`` that says where; texts are made printable as they are read.
"""

from collections.abc import Callable
from typing import TypeVar

from testbed.core.agents import told
from testbed.core.agents.config import AgentConfig, DestinationConfig, SourceConfig
from testbed.core.errors import RemoteProtocolError
from testbed.core.text.json_lines import JsonLines, argument_object

MOST_LINE = 16 << 20
"""Bytes: 65,535 connections that nobody has accepted, at more than 200 each."""
_EVENTS: dict[str, type[told.Told]] = {
    "source_ready": told.SourceReady,
    "destination_ready": told.DestinationReady,
    "failed": told.AgentFailed,
    "progress": told.RoundProgress,
    "round": told.RoundDone,
    "cells": told.RoundCells,
    "throttled": told.Throttled,
    "unaccepted": told.UnacceptedConnections,
    "in_doubt": told.CommitUnanswered,
    "source_finished": told.SourceFinished,
    "never_connected": told.NeverConnected,
    "destination_finished": told.DestinationFinished,
    "announced": told.Announced,
    "held": told.Held,
}
_ORDERS: dict[str, type[told.AgentOrder]] = {
    "migrate": told.MigrateOrder,
    "cancel": told.CancelOrder,
    "throttle": told.ThrottleOrder,
    "resume": told.ResumeOrder,
    "release": told.ReleaseOrder,
    "let_go": told.LetGoOrder,
}
_ROLES: dict[str, type[AgentConfig]] = {"source": SourceConfig, "destination": DestinationConfig}
EVENTS = JsonLines[told.Told]("event", _EVENTS, most=MOST_LINE, brief=True)
ORDERS = JsonLines[told.AgentOrder]("do", _ORDERS, most=MOST_LINE, brief=True)
ROLES = JsonLines[AgentConfig]("role", _ROLES)
T = TypeVar("T")
G = TypeVar("G")


def read_event(data: bytes) -> told.Told:
    """What an agent said. Raises ``RemoteProtocolError``."""
    return _believed(EVENTS.read, data)


def read_order(data: bytes) -> told.AgentOrder:
    """What an agent is to do. Raises ``RemoteProtocolError``."""
    return _believed(ORDERS.read, data)


def read_config(text: str) -> AgentConfig:
    """What an agent is started with, from its only argument. Raises ``RemoteProtocolError``."""
    return _believed(lambda given: ROLES.built(argument_object(given)), text)


def _believed(read: Callable[[G], T], given: G) -> T:
    try:
        return read(given)
    except ValueError as error:
        raise RemoteProtocolError(str(error)) from error
