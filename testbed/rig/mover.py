"""The seam between a migration's surroundings and what moves the guest: this project's agents, a hypervisor, a fake.

    start(place) ─▶ Mover ── guests that wait at their hosts ── run() ── migrate() ─▶ Ended ── freeze() ── prove()

A mover brings its guest with it. What surrounds it asks for nothing but what stands here, so a hypervisor with memory
of its own fits in: it says that its memory cannot be compared, and why.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Protocol, TypeAlias

from guest_agent.config import GuestConfig, Role
from testbed.core.events import Observer
from testbed.core.plan import Plan
from testbed.core.records.link import LinkRecord
from testbed.core.records.migration import MemoryRecord, PredictionRecord
from testbed.findings.ended import Ended
from testbed.findings.evidence import Condition
from testbed.findings.guest_log import Counts, Times
from testbed.linux.processes.interrupts import Noted
from testbed.rig.applications import Applications
from testbed.rig.context import RunContext
from testbed.rig.orders import Order, Orders


class SteeredLink(Protocol):
    """The vMotion link in somebody's hands."""

    def obey(self, order: Order) -> str | None:
        """Why the order could not be carried out; None when it is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a mover starts: hosts that are up, with a shaped ``link`` between them. What it starts goes on the
    ``stack``, and says what it has to say into the ``log``.
    """

    plan: Plan
    context: RunContext
    applications: Applications
    link: SteeredLink
    stack: ExitStack
    log: IO[bytes]


class GuestAtHost(Protocol):
    """The guest at one host, as whoever measures and judges it sees it; ``ram_fd`` is its memory, and ``config`` what
    it was asked to be.
    """

    role: Role
    config: GuestConfig
    ram_fd: int

    def operations(self) -> int:
        """How many are done, from its first step at any host; also when it is stopped or dead."""
        ...

    def log(self) -> tuple[Times, Counts]:
        """Its own log since the last call: when (CLOCK_MONOTONIC, s) how many operations were done."""
        ...

    def logs(self) -> dict[str, int]:
        """The descriptors of its services' logs, by name; they are the caller's."""
        ...

    def conclude(self) -> Condition:
        """How it fared, and then its services begin nothing more."""
        ...


class Mover(Protocol):
    """One guest on its hosts, and what moves it from the first to the last.

    ``guests``: the guest at each host, by the host's name, the source first. ``processes``: the pid of each of its
    processes by a name, those of ``guest-source`` and ``guest-destination`` among them where they exist.
    ``orders``: the words of ``rig.orders`` that it may be told by hand. ``tracker``: what finds dirty pages, chosen for
    the ``tracker_reason``.
    """

    @property
    def guests(self) -> Mapping[str, GuestAtHost]: ...

    @property
    def processes(self) -> Mapping[str, int]: ...

    @property
    def orders(self) -> frozenset[str]: ...

    @property
    def tracker(self) -> str: ...

    @property
    def tracker_reason(self) -> str: ...

    def foresee(self, link: LinkRecord) -> PredictionRecord | None:
        """What a model says of it, from the link as it was just measured; None where there is none."""
        ...

    def run(self) -> None:
        """The guest works, at its source. Raises ``TestbedError``."""
        ...

    def migrate(self, observer: Observer, controls: Orders, noted: Noted) -> Ended:
        """The word, and its end in whatever way that comes. ``observer`` is told how it goes on, orders come from
        ``controls``, which it opens and closes, and a signal that was ``noted`` cancels. That nobody could decide where
        the guest is, is an answer too.
        """
        ...

    def announced(self, ended: Ended) -> Ended:
        """The end, with what has become known of it in the cool-down: how often the guest was announced."""
        ...

    def freeze(self) -> None:
        """The guest makes no step any more, at any host. Raises ``TimeoutError`` where it cannot be stopped."""
        ...

    def prove(self, ended: Ended, worked: list[bool]) -> MemoryRecord:
        """Memory against memory, once all stand still; ``match`` None, and in ``method`` why, where nothing can be
        compared. ``worked``: which services did anything at the destination.
        """
        ...


Start: TypeAlias = Callable[[Place], Mover]
"""Raises ``TestbedError``; what was started by then is undone with the stack."""
