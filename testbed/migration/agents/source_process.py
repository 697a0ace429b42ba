"""The source agent's life: get ready, wait for the word, migrate, say what happened."""

import os
import socket
from collections.abc import Callable
from dataclasses import asdict
from queue import SimpleQueue
from time import monotonic
from typing import Any

from testbed.core.errors import InDoubt, MigrationAborted, TestbedError
from testbed.core.extents import cell_pages
from testbed.core.rounds import Decision, Round
from testbed.core.units import PAGE_SIZE
from testbed.dirty.probe import choose
from testbed.linux.net import tcp_repair
from testbed.linux.net.interface import Nic
from testbed.linux.processes.time_limit import deciding
from testbed.migration.agents.attached import AttachedGuest
from testbed.migration.cancel import Cancel, MigrationCancelled
from testbed.migration.channel import Channel
from testbed.migration.identity.announcing import Announcer
from testbed.migration.identity.connections import Departing
from testbed.migration.precopy import migrate
from testbed.migration.source import SourceAgent
from testbed.migration.streams.sending import SendStreams
from testbed.migration.streams.sockets import PORT, STREAM_PORT, connect
from testbed.policies import build as build_policy
from testbed.wire.states import Role

Say = Callable[..., None]
PROGRESS_EVERY_S = 0.2


class Migrating:
    """Config: role, guest (socket), peer (address), interface (of the vMotion network), migration_id (hex), streams,
    congestion, policy, tracker, strict, stream_cap (bytes per second each, or None), nic (interface, ip, prefix; None:
    the guest has no network), connections ("move" or "reset"), frames (hex; announce a guest that left and comes back).
    """

    def __init__(
        self,
        config: dict[str, Any],
        say: Say,
        orders: SimpleQueue[str],
        cancel: Cancel,
        throttled_by: Callable[[Callable[[float], bool]], None],
    ) -> None:
        self._config, self._say, self._orders, self._cancel = config, say, orders, cancel
        self._throttled_by = throttled_by
        self._spoke = 0.0
        self._cpu = 0.0

    def run(self) -> None:
        """Raises ``TestbedError`` for what went wrong before the migration began."""
        config = self._config
        policy = build_policy(config["policy"])
        with AttachedGuest(config["guest"]) as guest:
            chosen = choose(guest.ports(), config["tracker"])
            departure = self._departure(guest)  # opening things takes time that is no part of a migration
            self._say("ready", tracker=chosen.tracker.name, reason=chosen.reason, pid=os.getpid())
            self._orders.get()  # "migrate"
            asked, self._cpu = monotonic(), _cpu_seconds()
            channel = self._channel(asked)
            if channel is None:
                return
            source = SourceAgent(
                guest=guest,
                tracker=chosen.tracker,
                channel=channel,
                cancel=self._cancel,
                strict=config["strict"],
                progress=self._progress,
                departure=departure,
            )
            self._throttled_by(source.throttling.by_hand)
            outcome = "aborted"
            try:
                outcome = self._migrate(source, channel, policy, asked)
            finally:
                source.close(gone=outcome == "completed")

    def _connect(self, port: int, cap: float | None = None) -> socket.socket:
        config = self._config
        return connect(config["peer"], port, config["interface"], config["congestion"], self._cancel, cap)

    def _channel(self, asked: float) -> Channel | None:
        """None when there is no way to the destination, or nobody wants to wait for it any more: that is said."""
        try:
            sock = self._connect(PORT)
        except MigrationAborted as end:
            outcome = "cancelled" if isinstance(end, MigrationCancelled) else "aborted"
            end_at = {"asked": asked, "released": monotonic()}
            self._say("finished", outcome=outcome, reason=str(end), connected=False, **end_at)
            return None
        return Channel(sock, Role.SOURCE, self._cancel)

    def _departure(self, guest: AttachedGuest) -> Departing | None:
        nic = self._config.get("nic")
        if nic is None:
            return None
        asked = self._config.get("connections", "move") == "move"
        reset_because = tcp_repair.supported() if asked else "asked for by the scenario"
        pid = guest.ports().pid
        try:
            link = Nic(pid, nic["interface"], nic["ip"], nic["prefix"])
            frames = [bytes.fromhex(frame) for frame in self._config.get("frames", [])]
            announcer = Announcer(pid, nic["interface"], frames)
        except OSError as fault:
            raise MigrationAborted(f"the guest's network interface cannot be reached: {fault}") from fault
        return Departing(
            pid,
            link,
            nic["ip"],
            announcer=announcer,
            reset_because=reset_because,
            told=lambda waiting: self._say("unaccepted", connections=waiting),
        )

    def _migrate(self, source: SourceAgent, channel: Channel, policy: Any, asked: float) -> str:
        """How it ended."""
        outcome, reason = "completed", "the guest runs at the destination"
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
        self._say(
            "finished",
            outcome=outcome,
            reason=reason,
            asked=asked,
            released=released,
            phases=source.stamps.phases(),
            stamps=asdict(source.stamps),
            downtime_s=source.stamps.downtime(),
            streams=source.stream_facts(),
            channel_bytes=channel.sent_bytes,
            connections=source.connection_facts(),
            throttle={"mechanism": source.throttling.mechanism, "install_s": source.throttling.install_s},
            cpu_s=cpu_s,
        )
        return outcome

    def _greet(self, source: SourceAgent) -> None:
        config = self._config
        migration_id = bytes.fromhex(config["migration_id"])

        def open_streams() -> SendStreams:
            cap = config.get("stream_cap")
            sockets = [self._connect(STREAM_PORT, cap) for _ in range(config["streams"])]
            return SendStreams(sockets, migration_id, self._cancel, cap)

        try:
            source.greet(migration_id, config["streams"], open_streams)
        except TestbedError as fault:
            source.abandon(str(fault))
            raise

    def _resolve(self, doubt: InDoubt, source: SourceAgent) -> tuple[str, str]:
        """Only the run can look at the destination; until it has, the guest runs nowhere by our doing."""
        self._say("in_doubt", reason=str(doubt))
        if self._orders.get() == "resume":
            source.resume_guest()
            return "aborted", f"{doubt}; the destination never ran the guest, so it runs on at the source"
        return "completed", f"{doubt}; the guest was found running at the destination"

    def _round(self, finished: Round, decision: Decision | None) -> None:
        self._say(
            "round",
            at=monotonic(),
            round=asdict(finished) | {"kind": finished.kind.value},
            decision=None if decision is None else asdict(decision) | {"action": decision.action.value},
        )

    def _say_cells(self, source: SourceAgent) -> None:
        """Where in memory each round's pages were; counted when all is over, since counting costs milliseconds."""
        pages = source.ram_bytes // PAGE_SIZE
        each = cell_pages(pages)
        for index, sent, dirtied in source.traffic:
            counted = {"sent": sent.counts(pages, each), "dirtied": dirtied.counts(pages, each)}
            self._say("cells", round=index, pages=pages, cell_pages=each, **counted)

    def _progress(self, index: int, sent: int, total: int) -> None:
        now = monotonic()
        if now - self._spoke >= PROGRESS_EVERY_S:
            self._spoke = now
            self._say("progress", at=now, round=index, sent_bytes=sent, round_bytes=total)


def _cpu_seconds() -> float:
    """User and system seconds of this process so far."""
    times = os.times()
    return times.user + times.system
