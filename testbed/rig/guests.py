"""The guests' processes: one at the source that works, one at the destination that waits."""

import json
import mmap
import os
import struct
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from types import TracebackType
from typing import IO, Any

import numpy as np

from guest_agent.control import GuestClient
from guest_agent.gate import GateKeeper
from guest_agent.journal import JournalReader
from guest_agent.memory.ram import LAYOUT
from testbed.core.errors import TestbedError
from testbed.core.plan import Plan
from testbed.core.units import PAGE_SIZE
from testbed.findings.guest_log import Counts, Times
from testbed.linux.processes import process
from testbed.linux.processes.child import last_line, pipe_of
from testbed.linux.processes.lines import Lines
from testbed.linux.processes.module import module
from testbed.linux.processes.waiting import Patience
from testbed.network.fabric import Fabric

READY_S = 300.0
"""How long a guest may take to reserve and fill its memory."""
REST_S = 5.0
"""How long a guest's services may take to finish what they have in flight."""
COUNTER = struct.Struct("<Q")
OPERATIONS_AT = int(LAYOUT.fields["operations"][1]) if LAYOUT.fields else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a guest was found at the end: its own count of ``errors`` (None: it did not say), and the ``fault``: why it
    does not run there (None: it does).
    """

    errors: int | None
    fault: str | None


class GuestProcess:
    """One guest in one host. ``boot`` returns at once; ``wait_ready`` when its memory is there."""

    def __init__(
        self,
        fabric: Fabric,
        host: str,
        role: str,
        plan: Plan,
        runtime: Path,
        log: IO[bytes],
        settings: Mapping[str, Any] = {},
    ) -> None:
        self.role, self._log = role, log
        self.socket = runtime / f"guest-{role}.sock"
        self.config = {**guest_config(plan, role), **settings}
        disk = self.config.get("disk_fd", -1)
        self.process = fabric.spawn(
            host,
            module("guest_agent", "--socket", str(self.socket), "--config", json.dumps(self.config)),
            own_network="address" in self.config,
            pass_fds=() if disk < 0 else (disk,),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        self.client: GuestClient
        self.ram_fd = -1

    def __enter__(self) -> "GuestProcess":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.kill()
        if self.ram_fd >= 0:
            self.client.close()
            self._state.close()  # one mapped page would keep all of the memory
            os.close(self.ram_fd)
            self.ram_fd = -1

    def wait_ready(self) -> None:
        """Its memory is reserved and filled, its socket listens. Raises ``TestbedError``."""
        if Lines(pipe_of(self.process.stdout)).next(READY_S) != b"ready\n":
            raise TestbedError(f"the {self.role}'s guest did not start: {last_line(self._log)}")
        self.client = GuestClient.connect(str(self.socket))
        ports = self.client.ports()
        self._state = mmap.mmap(ports.ram_fd, PAGE_SIZE, mmap.MAP_SHARED, mmap.PROT_READ)
        self.ram_fd = ports.ram_fd
        self._journal = JournalReader(ports.journal_fd)
        self._gate = GateKeeper(ports.journal_fd)
        os.close(ports.journal_fd)

    def operations(self) -> int:
        """How many are done, read where its RAM counts them; also when it is stopped or dead, and 0 in a blank RAM."""
        return int(COUNTER.unpack_from(self._state, OPERATIONS_AT)[0])

    def log(self) -> tuple[Times, Counts]:
        """Its journal since the last call: when (CLOCK_MONOTONIC, s) how many operations were done."""
        records = self._journal.read()
        return records[:, 0] / 1e9, records[:, 1].astype(np.int64)

    def logs(self) -> dict[str, int]:
        """The descriptors of its services' logs, by name; they are the caller's."""
        return self.client.logs()

    def conclude(self) -> Condition:
        """Its own word on how it fared; then its services begin nothing more, and what they had in flight is done. One
        that is dead or stuck is let be.
        """
        errors, fault = self._answer()
        self._gate.hold()
        patience = Patience(REST_S)
        while self._gate.busy and self.alive and not patience.over():
            sleep(0.001)
        if fault is None and not self.alive:
            fault = self._dead()
        if fault is None and self._gate.busy:
            fault = f"the guest at the {self.role} still had operations in flight {REST_S:g} s after its end"
        return Condition(errors=errors, fault=fault)

    def _answer(self) -> tuple[int | None, str | None]:
        """How many operations failed, or why it does not say."""
        if not self.alive:
            return None, self._dead()
        try:
            return self.client.status().errors, None
        except TestbedError as silence:
            return None, f"the guest at the {self.role} did not answer at the end: {silence}"

    def _dead(self) -> str:
        code = self.process.returncode
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"the guest at the {self.role} was dead at the end ({how})"

    def freeze(self) -> None:
        """It makes no further step, for good; its memory stays as it is."""
        with suppress(ProcessLookupError):
            process.stop(self.process.pid)

    def thaw(self) -> None:
        """It runs on where it was stopped, and its services with it."""
        self._gate.release()
        with suppress(ProcessLookupError):
            process.resume(self.process.pid)

    def kill(self) -> None:
        """It will never run again; returns when it is gone."""
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                pipe_of(pipe).close()

    @property
    def alive(self) -> bool:
        """Whether there is such a process."""
        return self.process.poll() is None


def guest_config(plan: Plan, role: str) -> dict[str, Any]:
    """The guest's configuration, as ``guest_agent`` takes it."""
    return {
        "role": role,
        "ram_bytes": plan.guest.ram_bytes,
        "workload": plan.guest.workload,
        "change_bytes": plan.guest.change_bytes,
        "zero_share": plan.guest.zero_share,
        "seed": plan.seed,
    }
