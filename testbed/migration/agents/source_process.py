"""The source agent's life: get ready, wait for the word, migrate, say what happened."""

import os
import socket
from collections.abc import Callable
from queue import SimpleQueue
from time import monotonic
from typing import Literal

from testbed.core.agents.config import SourceConfig
from testbed.core.agents.told import (
    AgentOrder,
    CommitUnanswered,
    NeverConnected,
    ResumeOrder,
    RoundCells,
    RoundDone,
    RoundProgress,
    SourceFacts,
    SourceFinished,
    SourceReady,
    ThrottleFacts,
    Told,
    UnacceptedConnections,
)
from testbed.core.errors import InDoubt, MigrationAborted, TestbedError, in_words
from testbed.core.extents import cell_pages
from testbed.core.network.names import CHANNEL_PORT, STREAM_PORT
from testbed.core.rounds import Decision, Round
from testbed.core.units import PAGE_SIZE
from testbed.dirty.choice import choose
from testbed.linux.net import tcp_repair
from testbed.linux.net.interface import Nic
from testbed.linux.processes.time_limit import deciding
from testbed.migration.agents.attached import AttachedGuest
from testbed.migration.cancel import Cancel, MigrationCancelled
from testbed.migration.channel import Channel
from testbed.migration.holding import Holding
from testbed.migration.identity.announcer import Announcer
from testbed.migration.identity.connections import Departing
from testbed.migration.precopy import migrate, resolved
from testbed.migration.source import SourceAgent
from testbed.migration.streams.sending import SendStreams
from testbed.migration.streams.sockets import connect
from testbed.policies.policy import Policy
from testbed.sandbox import built as policy_built
from testbed.wire.states import Role

Say = Callable[[Told], None]
Outcome = Literal["completed", "cancelled", "aborted"]
PROGRESS_EVERY_S = 0.2


class Migrating:
    """``say`` is told of all that happens; ``orders`` are waited for before the migration, and in doubt;
    ``throttled_by`` is told what a throttle by hand is to be given to; ``holding``: where it waits meanwhile.
    """

    def __init__(
        self,
        config: SourceConfig,
        say: Say,
        orders: SimpleQueue[AgentOrder],
        cancel: Cancel,
        throttled_by: Callable[[Callable[[float], bool]], None],
        holding: Holding,
    ) -> None:
        self._config, self._say, self._orders, self._cancel = config, say, orders, cancel
        self._throttled_by, self._holding = throttled_by, holding
        self._spoke = 0.0
        self._cpu = 0.0

    def run(self) -> None:
        """Raises ``TestbedError`` for what went wrong before the migration began."""
        config = self._config
        with policy_built(config.policy) as policy, AttachedGuest(config.guest) as guest:
            chosen = choose(guest.ports(), config.tracker)
            departure = self._departure(guest)  # opening things takes time that is no part of a migration
            self._say(SourceReady(tracker=chosen.tracker.name, reason=chosen.reason))
            self._orders.get()
            asked, self._cpu = monotonic(), _cpu_seconds()
            channel = self._channel()
            if channel is None:
                return
            source = SourceAgent(
                guest=guest,
                tracker=chosen.tracker,
                channel=channel,
                cancel=self._cancel,
                strict=config.strict,
                progress=self._progress,
                departure=departure,
            )
            self._throttled_by(source.throttling.by_hand)
            outcome: Outcome = "aborted"
            try:
                outcome = self._migrate(source, channel, policy, asked)
            finally:
                source.close(gone=outcome == "completed")

    def _connect(self, port: int, cap: float | None = None) -> socket.socket:
        config = self._config
        return connect(config.peer, port, config.interface, config.congestion, self._cancel, cap)

    def _channel(self) -> Channel | None:
        """None when there is no way to the destination, or nobody wants to wait for it any more: that is said."""
        try:
            sock = self._connect(CHANNEL_PORT)
        except MigrationAborted as end:
            outcome: Literal["cancelled", "aborted"] = "cancelled" if isinstance(end, MigrationCancelled) else "aborted"
            refused = isinstance(end.__cause__, ConnectionRefusedError)
            self._say(NeverConnected(outcome=outcome, reason=str(end), refused=refused))
            return None
        return Channel(sock, Role.SOURCE, self._cancel, holding=self._holding)

    def _departure(self, guest: AttachedGuest) -> Departing | None:
        nic = self._config.nic
        if nic is None:
            return None
        asked = self._config.connections == "move"
        reset_because = tcp_repair.supported() if asked else "asked for by the scenario"
        pid = guest.ports().pid
        try:
            link = Nic(pid, nic.interface, nic.ip, nic.prefix)
            frames = [bytes.fromhex(frame) for frame in self._config.frames]
            announcer = Announcer(pid, nic.interface, frames)
        except OSError as fault:
            raise MigrationAborted(f"the guest's network interface cannot be reached: {in_words(fault)}") from fault
        return Departing(
            pid,
            link,
            nic.ip,
            announcer=announcer,
            reset_because=reset_because,
            told=lambda waiting: self._say(UnacceptedConnections(connections=tuple(waiting))),
        )

    def _migrate(self, source: SourceAgent, channel: Channel, policy: Policy, asked: float) -> Outcome:
        """How it ended."""
        outcome: Outcome = "completed"
        reason = "the guest runs at the destination"
        try:
            self._greet(source)
            migrate(source, policy, self._round, deciding)
        except MigrationCancelled as end:
            outcome, reason = "cancelled", str(end)
        except InDoubt as doubt:
            outcome, reason = self._resolve(doubt, source)
        except TestbedError as fault:
            outcome, reason = "aborted", str(fault)
        released, cpu_s = monotonic(), _cpu_seconds() - self._cpu
        self._say_cells(source)
        facts = SourceFacts(
            asked=asked,
            released=released,
            stamps=source.stamps,
            streams=source.stream_facts(),
            channel_bytes=channel.sent_bytes,
            connections=source.connection_facts(),
            throttle=ThrottleFacts(mechanism=source.throttling.mechanism, install_s=source.throttling.install_s),
            cpu_s=cpu_s,
        )
        self._say(SourceFinished(outcome=outcome, reason=reason, facts=facts))
        return outcome

    def _greet(self, source: SourceAgent) -> None:
        config = self._config
        migration_id = bytes.fromhex(config.migration_id)

        def open_streams() -> SendStreams:
            cap = config.stream_cap
            sockets = [self._connect(STREAM_PORT, cap) for _ in range(config.streams)]
            return SendStreams(sockets, migration_id, self._cancel, cap)

        try:
            source.greet(migration_id, config.streams, open_streams)
        except TestbedError as fault:
            source.abandon(str(fault))
            raise

    def _resolve(self, doubt: InDoubt, source: SourceAgent) -> tuple[Outcome, str]:
        """Only the run can look at the destination; until it has, the guest runs nowhere by our doing."""
        self._say(CommitUnanswered(reason=str(doubt)))
        here = isinstance(self._orders.get(), ResumeOrder)
        if here:
            source.resume_guest()
        return resolved(doubt, here=here)

    def _round(self, finished: Round, decision: Decision | None) -> None:
        self._say(RoundDone(at=monotonic(), round=finished, decision=decision))

    def _say_cells(self, source: SourceAgent) -> None:
        """Where in memory each round's pages were; counted when all is over, since counting costs milliseconds."""
        pages = source.ram_bytes // PAGE_SIZE
        each = cell_pages(pages)
        for index, sent, dirtied in source.traffic:
            there, left = tuple(sent.counts(pages, each)), tuple(dirtied.counts(pages, each))
            self._say(RoundCells(round=index, pages=pages, cell_pages=each, sent=there, dirtied=left))

    def _progress(self, index: int, sent: int, total: int) -> None:
        now = monotonic()
        if now - self._spoke >= PROGRESS_EVERY_S:
            self._spoke = now
            self._say(RoundProgress(at=now, round=index, sent_bytes=sent, round_bytes=total))


def _cpu_seconds() -> float:
    """User and system seconds of this process so far."""
    times = os.times()
    return times.user + times.system
