"""A guest process on this host, reached through its control socket, as the agents' ``HostedGuest``."""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic, sleep
from types import TracebackType

from guest_agent.control import GuestClient
from guest_agent.gate import GateKeeper
from guest_agent.journal import StealClock
from guest_agent.memory.ram import read_counters_of
from testbed.core.errors import MigrationAborted, TestbedError, in_words
from testbed.dirty import GuestPorts
from testbed.linux.processes import process
from testbed.linux.processes.waiting import Patience
from testbed.migration.guest import Adopted

DRAIN_S = 5.0
"""How long a guest's operations on disks may take to be done when it is stunned."""


class AttachedGuest:
    """Implements ``testbed.migration.guest.HostedGuest``. A context manager that lets go of the guest, not ends it."""

    def __init__(self, socket_path: str) -> None:
        self._client = GuestClient.connect(socket_path)
        self._ports = self._client.ports()
        self._steal = StealClock(self._ports.journal_fd)
        self._gate = GateKeeper(self._ports.journal_fd)
        self._frozen_at: float | None = None
        os.close(self._ports.journal_fd)

    def __enter__(self) -> "AttachedGuest":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._client.close()
        os.close(self._ports.ram_fd)

    def ports(self) -> GuestPorts:
        """Memory, process, and where to get a userfaultfd from."""
        return GuestPorts(
            pid=self._ports.pid,
            ram_address=self._ports.ram_address,
            ram_bytes=self._ports.ram_bytes,
            ram_fd=self._ports.ram_fd,
            new_userfaultfd=self._client.userfaultfd,
        )

    def hold(self) -> None:
        """Shuts the gate: neither a batch of writes nor a callback of its services begins."""
        self._gate.hold()

    def stun(self) -> None:
        """As a hypervisor does: the devices drain, then the processor stands still. Raises ``MigrationAborted``."""
        patience = Patience(DRAIN_S)
        self.hold()
        self.freeze()
        while self._gate.busy:
            self._drain(patience)
            self.freeze()

    def freeze(self) -> None:
        """Every thread of it is stopped when this returns. Raises ``MigrationAborted`` when that cannot be had."""
        try:
            process.freeze(self._ports.pid)
            self._frozen_at = self._frozen_at or monotonic()
        except (ProcessLookupError, TimeoutError) as fault:
            raise MigrationAborted(f"the guest could not be stunned: {in_words(fault)}") from fault

    def resume(self) -> None:
        """The guest goes on where it was stopped; one that is dead is beyond that."""
        self._gate.release()
        if self._frozen_at is not None:
            self._steal.add(monotonic() - self._frozen_at)
            self._frozen_at = None
        with suppress(ProcessLookupError):
            process.resume(self._ports.pid)

    def adopt(self, moved: Sequence[Adopted]) -> None:
        """Raises ``MigrationAborted`` when it does not take them."""
        ports = [each.local_port for each, _ in moved]
        try:
            self._client.adopt(ports, [sock.fileno() for _, sock in moved])
        except TestbedError as fault:
            raise MigrationAborted(f"the guest does not take its connections: {in_words(fault)}") from fault

    def run(self) -> tuple[float, int]:
        """Raises ``MigrationAborted`` only once it is certain that the guest will never run here."""
        try:
            step = self._client.run()
        except TestbedError as fault:
            with suppress(ProcessLookupError):
                os.kill(self._ports.pid, signal.SIGKILL)
            raise MigrationAborted(f"the guest process could not run it: {in_words(fault)}") from fault
        return step.at, step.operation

    def operations(self) -> int:
        """Out of its RAM, by its layout alone: reading all of the state costs milliseconds, which would be downtime.

        Raises ``TestbedError`` when no guest is there.
        """
        counters = read_counters_of(self._ports.ram_fd)
        if counters is None:
            raise TestbedError("page 0 holds no guest; was the memory received?")
        return counters.operations

    def _drain(self, patience: Patience) -> None:
        """The gate stays shut: what is under way is completed, and nothing else."""
        with suppress(ProcessLookupError):  # the next freeze says so
            process.resume(self._ports.pid)
        while True:
            if not self._gate.busy:
                return
            if patience.over():
                raise MigrationAborted(f"the guest's disk operations were not done within {DRAIN_S:g} s")
            sleep(50e-6)
