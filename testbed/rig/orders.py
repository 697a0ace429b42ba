"""What somebody does to a migration by hand while it runs: orders come from any thread, and are carried out in order.
Each is for one migration, which it names where several are under way.

cancel            the guest stays at the source
cut, mend         nothing passes the vMotion link; it is as it was again
rate  VALUE       bit/s of the vMotion link, as the qdisc counts; of a link that is cut, from when it is mended
throttle  VALUE   0 to 0.9 of the guest's time is taken from it; 0 releases it
stop              the run ends, as by Ctrl-C; the only one that may be given between two migrations
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from typing import Any

from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.migration_key import MigrationKey
from testbed.core.network.names import VMOTION
from testbed.core.plan import LinkPlan
from testbed.core.text.from_json import MOST, built
from testbed.core.units import by_hand, in_bits_per_second
from testbed.network import links
from testbed.network.fabric import Fabric

MOST_THROTTLE = 0.9
WORDS = ("cancel", "cut", "mend", "rate", "throttle", "stop")
LINK_WORDS = ("cut", "mend", "rate")
LEAST_RATE = 10e6
"""Bit/s. On less, what the streams' buffers hold takes so long that a source that works cannot be told from one that
hangs (``core.agents.patience``)."""
NONE_UNDER_WAY = "no migration is under way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One of ``WORDS``, with a number where it takes one, for a migration; None: for the only one under way."""

    what: str
    value: float | None = None
    migration: MigrationKey | None = None

    @classmethod
    def read(cls, given: Any) -> "Order":
        """From ``{"what": ..., "value": ..., "migration": {"name": ..., "repeat": ..., "guest": ...}}``, of which only
        the first is always needed. Raises ``ScenarioError`` for what is none.
        """
        what = given.get("what") if isinstance(given, dict) else None
        if what not in WORDS:
            raise ScenarioError(f"there is no order {what!r:.40}; there are: {', '.join(WORDS)}")
        value = _number(what, given.get("value")) if what in ("rate", "throttle") else None
        return cls(what=what, value=value, migration=_migration(given.get("migration")))

    def __str__(self) -> str:
        return by_hand(self.what, self.value)


def _number(what: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScenarioError(f"'{what}' takes a number, not {value!r:.40}")
    number = float(value) if abs(value) <= MOST else float("inf")
    if what == "throttle" and not 0 <= number <= MOST_THROTTLE:
        raise ScenarioError(f"a throttle by hand lies between 0 and {MOST_THROTTLE}, not {value!r:.40}")
    if what == "rate" and not LEAST_RATE <= number <= MOST:
        raise ScenarioError(f"a rate by hand is {LEAST_RATE / 1e6:g} Mbit/s or more, not {in_bits_per_second(number)}")
    return number


def _migration(given: Any) -> MigrationKey | None:
    try:
        return None if given is None else built(MigrationKey, given, "migration")
    except ValueError as fault:
        raise ScenarioError(f"an order names no migration so: {fault}") from fault


class Orders:
    """Where orders wait for the migrations that are under way."""

    def __init__(self) -> None:
        self._orders: dict[MigrationKey, deque[Order]] = {}
        self._words: dict[MigrationKey, Container[str]] = {}
        self._lock = threading.Lock()

    def give(self, order: Order) -> str | None:
        """From any thread. Why it will not be carried out; None when it will, or a fault will be recorded with it."""
        if order.what == "stop":
            os.kill(os.getpid(), signal.SIGINT)
            return None
        with self._lock:
            meant = [order.migration] if order.migration else list(self._orders)
            if not self._orders:
                return NONE_UNDER_WAY
            if len(meant) > 1:
                return f"{len(meant)} migrations are under way; say which: {', '.join(map(str, sorted(meant)))}"
            if meant[0] not in self._orders:
                return f"the migration {meant[0]} is not under way"
            if order.what not in self._words[meant[0]]:
                return f"what moves this guest cannot be told '{order.what}'"
            self._orders[meant[0]].append(order)
            return None

    def take(self, migration: MigrationKey) -> Order | None:
        """The next one for it; None when there is none."""
        waiting = self._orders.get(migration)
        return waiting.popleft() if waiting else None

    def open(self, migration: MigrationKey, words: Container[str] = WORDS) -> None:
        """The migration is under way, and can be told these ``words``. Orders that it has already stay."""
        with self._lock:
            self._words[migration] = words
            self._orders.setdefault(migration, deque())

    def close(self, migration: MigrationKey) -> list[Order]:
        """The migration is under way no more. The orders that came too late for it."""
        with self._lock:
            return list(self._orders.pop(migration, ()))


class LinkOrders:
    """The vMotion link of one migration, in somebody's hands. ``trim``: what its proof has found it to need, at any
    rate.
    """

    def __init__(self, fabric: Fabric, plan: LinkPlan) -> None:
        self._fabric, self._plan, self._shaped, self._cut = fabric, plan, plan, False
        self.trim = links.UNTRIMMED
        self._verbs: dict[str, Callable[[float | None], None]] = {
            "cut": self._set_cut,
            "mend": self._mend,
            "rate": self._set_rate,
        }

    def obey(self, order: Order) -> str | None:
        """Why it could not be done; None when it is done."""
        try:
            self._verbs[order.what](order.value)
        except TestbedError as fault:
            return str(fault)
        return None

    def _set_cut(self, _: float | None) -> None:
        links.cut(self._fabric, VMOTION)
        self._cut = True

    def _mend(self, _: float | None) -> None:
        links.mend(self._fabric, VMOTION, self._plan, self.trim, self._shaped)
        self._cut = False

    def _set_rate(self, rate: float | None) -> None:
        plan = replace(self._plan, rate=rate, goodput=None)
        if not self._cut:
            links.set_rate(self._fabric, VMOTION, plan, self.trim, self._shaped)
        self._plan = plan
