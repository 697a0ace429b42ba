"""The guest: one thread that carries out what is due, writes it down, and serves its services in between.

    ┌─> due? ─> pend ─> write the batch ─> complete ─> journal ─┐
    └───── wait, serving requests, services, probe (loop.py) <──┘

SIGSTOP and SIGCONT may come anywhere: a batch that was interrupted here goes on here; elsewhere, in a copy of the RAM,
it is carried out again from its beginning, which comes to the same (memory/program.py).
"""

import time
from dataclasses import replace

from guest_agent.config import GuestConfig
from guest_agent.gate import Gate
from guest_agent.journal import JournalWriter
from guest_agent.loop import HELD_S, GuestLoop
from guest_agent.machine import Machines
from guest_agent.memory.fill import fill
from guest_agent.memory.pacing import Pacer
from guest_agent.memory.program import Ahead, Program
from guest_agent.memory.ram import Ram, read_state
from guest_agent.messages import Status
from testbed.core.errors import TestbedError

_MOST = 1024
"""Operations of one batch at most: a few milliseconds at the highest rates."""
_LEAST, _SHORT_S, _LONG_S = 2, 0.001, 0.005
"""Of one slice of a batch: its fewest operations, and below and above what time the next one is larger or smaller."""


class Guest:
    """A source's guest begins at operation 0; a destination's with whatever state its RAM holds when it is run."""

    def __init__(self, config: GuestConfig) -> None:
        """Nothing runs yet. Raises ``ScenarioError`` for what cannot be, ``PrerequisiteMissing`` for what this machine
        lacks.
        """
        config.check()
        self.config, self.ram, self.journal = config, Ram(config), JournalWriter()
        self.gate = Gate(self.journal.words)
        self.loop = GuestLoop(self.gate, self._time)
        self.running, self.operations, self.first_step, self.busy_s = False, 0, 0.0, 0.0
        self._load(config)
        if config.role == "source":
            fill(self.ram.memory, config)
            self.ram.begin(config)
        self._slice = _MOST
        self.machines = Machines(config, self.ram.memory, self.loop, self.gate)
        self._rehearse()

    def run(self) -> None:
        """Takes the state out of RAM and does the next operation. Raises ``TestbedError`` when there is no state."""
        if self.running:
            raise TestbedError("the guest is running already")
        state = read_state(self.ram.page0)
        if state.config.ram_bytes != self.ram.size:
            raise TestbedError(f"the state is of a guest of {state.config.ram_bytes} bytes, not {self.ram.size}")
        self._become(state.config)
        self.operations, self.running = state.operations, True
        self._batch(1)
        self.first_step = self._now_ns / 1e9
        self.machines.answer_probes()
        self.pacer.start(self._time(), self.operations)
        resumed = self.config.role == "destination"
        self.loop.at(self._time(), lambda: self.machines.start(state.config.seed, resumed=resumed))

    def step(self) -> float:
        """Carries out what is due. Returns the seconds until more will be. Held it does nothing: it only drains."""
        if self.gate.held:
            return HELD_S
        count = self.pacer.due(self._time(), self.operations)
        if count:
            self._batch(count)
        return self.pacer.wait(self._time(), self.operations)

    def status(self) -> Status:
        """What ``{"do": "status"}`` answers."""
        return Status(
            operations=self.operations,
            running=self.running,
            errors=0,
            first_step=self.first_step,
            shortfall=self.pacer.shortfall,
            busy_s=self.busy_s,
            at=time.monotonic(),
        )

    def _time(self) -> float:
        """The guest's own time, which stands still while it does."""
        return time.monotonic() - self.journal.stolen_s

    def _become(self, config: GuestConfig) -> None:
        """What it was started with is loaded already: no time is lost here where that is what the state says."""
        if config.services != self.config.services:
            raise TestbedError("the state is of a guest with other services than were made ready here")
        if replace(config, role=self.config.role, disk_fd=self.config.disk_fd) != self.config:
            self._load(config)

    def _load(self, config: GuestConfig) -> None:
        program = Program(config)
        self._ahead = Ahead(program, self.ram.memory)
        self.pacer = Pacer(program.pace, config.batch_s, _MOST)

    def _batch(self, count: int) -> None:
        began = time.thread_time()
        self.ram.pend(self.operations + count)
        until = self._store(self.operations, self.operations + count)
        self.ram.complete(until)
        self._now_ns = time.monotonic_ns()
        self.operations = until
        self.journal.record(self._now_ns, until)
        self.busy_s += time.thread_time() - began

    def _store(self, first: int, until: int) -> int:
        """In slices, smaller where writing is slow (a throttled guest), so that a guest that is to be stunned, and has
        something in flight, does not hold its host up with the rest of a batch. How far it came.
        """
        while first < until:
            size, begun = min(self._slice, until - first), time.monotonic()
            self._ahead.run(first, size)
            first += size
            self._slice = _next_slice(self._slice, time.monotonic() - begun)
            if self.gate.held:
                break
        return first

    def _rehearse(self) -> None:
        """Works operations out once and stores none, so that the first after a switchover finds everything loaded."""
        self._ahead.prepare(0)


def _next_slice(size: int, took_s: float) -> int:
    if took_s > _LONG_S:
        return max(_LEAST, size // 4)
    return min(_MOST, size * 2) if took_s < _SHORT_S else size
