"""What somebody does to a migration by hand while it runs: orders come from any thread, and are carried out in order.

cancel            the guest stays at the source
cut, mend         nothing passes the vMotion link; it is as it was again
rate  VALUE       bit/s of the vMotion link, as the qdisc counts
throttle  VALUE   0 to 0.9 of the guest's time is taken from it; 0 releases it
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any

from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.plan import LinkPlan
from testbed.network import links
from testbed.network.fabric import Fabric

MOST_THROTTLE = 0.9
VMOTION = "vmotion"
WORDS = ("cancel", "cut", "mend", "rate", "throttle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One of ``WORDS``, with a number where it takes one."""

    what: str
    value: float | None = None

    @classmethod
    def read(cls, given: Any) -> "Order":
        """From ``{"what": ..., "value": ...}``. Raises ``ScenarioError`` for what is none."""
        what, value = (given.get("what"), given.get("value")) if isinstance(given, dict) else (None, None)
        if what not in WORDS:
            raise ScenarioError(f"there is no order {what!r:.40}; there are: {', '.join(WORDS)}")
        if what not in ("rate", "throttle"):
            return cls(what=what)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ScenarioError(f"'{what}' takes a number, not {value!r:.40}")
        if what == "throttle" and not 0 <= value <= MOST_THROTTLE:
            raise ScenarioError(f"a throttle by hand lies between 0 and {MOST_THROTTLE}, not {value:g}")
        if what == "rate":
            links.check(LinkPlan(rate=float(value)))
        return cls(what=what, value=float(value))

    def __str__(self) -> str:
        return self.what if self.value is None else f"{self.what} {self.value:g}"


class Controls:
    """Where orders wait for the migration that runs."""

    def __init__(self) -> None:
        self._orders: SimpleQueue[Order] = SimpleQueue()

    def give(self, order: Order) -> None:
        """From any thread."""
        self._orders.put(order)

    def take(self) -> Order | None:
        """The next one; None when there is none."""
        try:
            return self._orders.get_nowait()
        except Empty:
            return None

    def forget(self) -> None:
        """Orders given before a migration began are not for it."""
        while self.take():
            pass


class LinkControl:
    """The vMotion link of one migration, in somebody's hands."""

    def __init__(self, fabric: Fabric, plan: LinkPlan) -> None:
        self._fabric, self._plan = fabric, plan
        self._verbs: dict[str, Callable[[float | None], None]] = {
            "cut": lambda _: links.cut(fabric, VMOTION),
            "mend": lambda _: links.mend(fabric, VMOTION, self._plan),
            "rate": self._set_rate,
        }

    def obey(self, order: Order) -> str | None:
        """Why it could not be done; None when it is done."""
        try:
            self._verbs[order.what](order.value)
        except TestbedError as fault:
            return str(fault)
        return None

    def _set_rate(self, rate: float | None) -> None:
        plan = replace(self._plan, rate=rate, goodput=None)
        links.set_rate(self._fabric, VMOTION, plan)
        self._plan = plan
