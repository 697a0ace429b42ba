"""Slowing a guest down from outside: by its writes (SDPS, dirty limit), or by its processor time (auto-converge).

    a policy asks: Throttle(kind, level, dirty_rate)
                            │ the name that a mechanism is registered by
                            ▼
                        Mechanism ──▶ GuestTime      takes a share of the time of the whole guest
                                  ──▶ TrackerPlace   delays who writes a page for the first time: by the guest's
                                                     tracker, or by one that takes its place

To add one: a file here with a class registered by name that has the methods of ``Mechanism``.
``held_rate`` delays, ``stop_and_continue`` takes time, ``rate_by_time`` does so for want of a way to delay.
"""

from collections.abc import Callable
from typing import ClassVar, Protocol

from testbed.core.registry import Registry
from testbed.core.rounds import Throttle
from testbed.dirty import GuestPorts, Tracker


class GuestTime(Protocol):
    """The time of a guest, of which shares can be taken: the guest stands still for the largest that is asked for."""

    def take(self, who: object, share: float) -> bool:
        """0..1 from now on, for ``who``; 0: it asks for none any more. False: nobody is given any, from now on."""
        ...


class TrackerPlace(Protocol):
    """Where the guest's tracker is: the one there, or the one to come."""

    def delay(self, dirty_rate: float | None) -> bool:
        """See ``Tracker.delay``; of the tracker that is there now."""
        ...

    def exchange(self, make: Callable[[GuestPorts], Tracker]) -> None:
        """Puts another tracker there, and starts it. The guest stands still meanwhile, so no write is missed. Raises
        ``TestbedError``, or what ``make`` raises.
        """
        ...


class Mechanism(Protocol):
    """Slows one guest in one way. For one thread at a time."""

    rank: ClassVar[int] = 100
    """Where it stands when all are named; a number written in the class, for who reads the file alone."""
    words: str
    """How it slows the guest, for the record; after ``apply``."""
    share: float
    """0..1 of the guest's time that it takes now. What a tracker's delays take is known by the tracker."""

    def __init__(self, time: GuestTime, place: TrackerPlace) -> None:
        """Nothing is slowed yet."""
        ...

    def apply(self, asked: Throttle, dirty_rate: float) -> None:
        """Slows the guest as asked from now on, whatever was asked before. ``dirty_rate``: bytes per second that it
        dirtied in the last round. Raises ``TestbedError``.
        """
        ...

    def release(self) -> None:
        """Slows the guest no more, at once; who waits because of it waits no longer. Harmless when it slows nothing."""
        ...


registry: Registry[Mechanism] = Registry("throttle", __name__)
register = registry.register
