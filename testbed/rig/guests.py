"""The guests' processes: one at the source that works, one at the destination that waits."""

import mmap
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep
from typing import IO

import numpy as np

from guest_agent.config import GuestConfig, Role
from guest_agent.control import GuestClient
from guest_agent.gate import GateKeeper
from guest_agent.journal import JournalReader
from guest_agent.memory.ram import LAYOUT
from testbed.core.errors import PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.plan import Plan
from testbed.core.units import PAGE_SIZE
from testbed.findings.evidence import Condition
from testbed.findings.guest_log import Counts, Times
from testbed.linux.processes import process
from testbed.linux.processes.child import Child, Spawn
from testbed.linux.processes.module import module
from testbed.linux.processes.waiting import Patience

READY_S = 300.0
"""How long a guest may take to reserve and fill its memory."""
SAYS = "guest: "
"""What a line of a log begins with that says why a guest ended."""
REST_S = 5.0
"""How long a guest's services may take to finish what they have in flight."""
COUNTER = struct.Struct("<Q")
OPERATIONS_AT = int(LAYOUT.fields["operations"][1]) if LAYOUT.fields else 0


class GuestNotStarted(TestbedError):
    """A guest ended, or hangs, before it was ready. ``cause``: what it ended with, from the tree of errors."""

    def __init__(self, role: str, code: int | None, words: str) -> None:
        super().__init__(f"the {role}'s guest did not start: {words}")
        self.cause = _cause(code, words.removeprefix(SAYS))


class GuestProcess(Child):
    """One guest, which dies with the *thread* that started it. ``wait_ready`` returns when its memory is there."""

    def __init__(self, spawn: Spawn, config: GuestConfig, socket: Path, log: IO[bytes] | None = None) -> None:
        self.role, self.config, self.socket = config.role, config, socket
        argv = module("guest_agent", "--socket", str(socket), "--config", config.to_json())
        super().__init__(spawn, argv, log, pass_fds=() if config.disk_fd < 0 else (config.disk_fd,))
        self.client: GuestClient
        self.ram_fd = -1

    def wait_ready(self) -> None:
        """Its memory is reserved and filled, its socket listens. Raises ``GuestNotStarted``."""
        if (line := self.hear(READY_S)) != b"ready\n":
            code = None if line is None else self.wait(REST_S)
            raise GuestNotStarted(self.role, code, self.last_words())
        self.client = GuestClient.connect(str(self.socket))
        self.belongings.callback(self.client.close)
        ports = self.client.ports()
        self.ram_fd = ports.ram_fd
        self.belongings.callback(os.close, ports.ram_fd)
        self._state = mmap.mmap(ports.ram_fd, PAGE_SIZE, mmap.MAP_SHARED, mmap.PROT_READ)
        self.belongings.callback(self._state.close)  # one mapped page would keep all of the memory
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
        words = self.last_words("")
        why = f": {words.removeprefix(SAYS)}" if code > 0 and words.startswith(SAYS) else ""
        return f"the guest at the {self.role} was dead at the end ({how}){why}"

    def freeze(self) -> None:
        """Stops the guest for good; its memory stays as it is. Harmless when it has ended. Raises ``TimeoutError``."""
        with suppress(ProcessLookupError):
            process.freeze(self.pid)

    def thaw(self) -> None:
        """The guest runs on where it was stopped, and its services with it."""
        self._gate.release()
        with suppress(ProcessLookupError):
            process.resume(self.pid)

    def kill(self) -> None:
        """Ends the guest; returns when it is gone, and its socket with it."""
        super().kill()
        self.socket.unlink(missing_ok=True)


@contextmanager
def local_guest(config: GuestConfig, socket: Path) -> Iterator[GuestProcess]:
    """A guest on this machine itself, ready to run. Raises what it ended with, from the tree of errors."""
    with GuestProcess(subprocess.Popen, config, socket) as guest:
        try:
            guest.wait_ready()
        except GuestNotStarted as error:
            raise error.cause from error
        yield guest


def guest_config(plan: Plan, role: Role, *, address: str = "", disk_fd: int = -1) -> GuestConfig:
    """What a guest of that plan is asked to be; its services are for one that has an ``address``."""
    return GuestConfig(
        role=role,
        ram_bytes=plan.guest.ram_bytes,
        workload=plan.guest.workload,
        change_bytes=plan.guest.change_bytes,
        zero_share=plan.guest.zero_share,
        seed=plan.seed,
        services=list(plan.guest.services) if address else [],
        address=address,
        disk_fd=disk_fd,
    )


def _cause(code: int | None, words: str) -> TestbedError:
    if code == ScenarioError.exit_code:
        return ScenarioError(words)
    if code == PrerequisiteMissing.exit_code:
        what, _, remedy = words.partition("; ")
        return PrerequisiteMissing(what, remedy)
    return TestbedError(f"the guest ended with {code} before it was ready: {words}")
