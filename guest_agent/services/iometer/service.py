"""A disk exerciser in IOMeter's terms (Intel, 1998): block size, share of reads, share of random, outstanding, rate.

    free buffer ──> operation n ──> in flight, at most ``outstanding`` ──> done: logged, and its buffer is free

Reads end in RAM, and so dirty it. An operation is only begun from a callback of its own and never where
another ends, so that a guest that is to be stunned drains: what ends then begins nothing.
"""

import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from guest_agent.memory.pacing import Pacer
from guest_agent.services import Machine, ServiceEvidence, register
from guest_agent.services.iometer.accesses import RUN, WORD, Accesses
from guest_agent.services.iometer.evidence import check
from testbed.core.records.verdict import Verdict
from testbed.core.units import PAGE_SIZE, Block, Bytes, PerSecond

_TICK = 0.001
_SECTOR = 512
NEXT, COMPLETED, ERRORS = 0, 1, 2
"""Words of the area's first page: the next operation, operations completed, operations that went wrong."""


@register("iometer")
@dataclass(frozen=True, slots=True, kw_only=True)
class Iometer:
    """``read`` and ``random`` are shares 0..1; ``iops`` None: as fast as it can; ``size``: what of the datastore is
    accessed; ``buffers``: the pool in RAM that operations go through in turn (None: one for each outstanding).
    """

    port: ClassVar[int | None] = None
    block: Block = 4096
    read: float = 0.7
    random: float = 1.0
    outstanding: int = 8
    iops: PerSecond | None = None
    size: Bytes = 64 << 20
    buffers: Bytes | None = None

    def __post_init__(self) -> None:
        if not (self.block % _SECTOR == 0 and _SECTOR <= self.block <= 16 << 20):
            raise ValueError(f"block must be whole {_SECTOR} bytes, at most 16 MiB, not {self.block}")
        for name in ("read", "random"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie between 0 and 1, not {getattr(self, name)}")
        if self.iops is not None and not self.iops > 0:
            raise ValueError(f"iops must be more than 0, not {self.iops:g}; leave it out for as many as it can")
        if not 1 <= self.outstanding <= 1024:
            raise ValueError(f"outstanding must lie between 1 and 1024, not {self.outstanding}")
        if not self.block <= self.size < self.block << 32:
            raise ValueError(f"size must hold at least one block of {self.block} bytes, not {self.size}")

    @property
    def pool(self) -> int:
        """How many buffers of one block are in RAM."""
        return max(self.outstanding, (self.buffers or 0) // self.block)

    @property
    def area_pages(self) -> int:
        """The header's page and the pool."""
        return 1 + -(-self.pool * self.block // PAGE_SIZE)

    @property
    def disk_bytes(self) -> int:
        """``size`` in whole pages."""
        return -(-self.size // PAGE_SIZE) * PAGE_SIZE

    @property
    def operation_bytes(self) -> int | None:
        """The bytes of one block."""
        return self.block

    @property
    def clients(self) -> bool:
        """False: nobody talks to it from another host."""
        return False

    def accesses(self, seed: int) -> Accesses:
        """What its operations do."""
        blocks = self.size // self.block
        return Accesses(seed=seed, block=self.block, blocks=blocks, read=self.read, random=self.random)

    def start(self, machine: Machine, seed: int, sockets: Sequence[socket.socket]) -> None:
        """Goes on with the next operation."""
        Exerciser(self, machine, seed)

    def verify(self, evidence: ServiceEvidence) -> Verdict:
        """Every operation once in the logs, and on the datastore what they wrote last."""
        header = evidence.area[:PAGE_SIZE].view("u8")
        completed, errors = int(header[COMPLETED]), int(header[ERRORS])
        return check(self.accesses(evidence.seed), evidence, completed, errors)


class Exerciser:
    """The service at work."""

    def __init__(self, spec: Iometer, machine: Machine, seed: int) -> None:
        self._machine, self._spec, self._accesses = machine, spec, spec.accesses(seed)
        self._pattern, self._pool = self._accesses.pattern(), spec.pool
        self._header = machine.area[:PAGE_SIZE].data.cast("Q")
        self._words = machine.area[PAGE_SIZE : PAGE_SIZE + spec.pool * spec.block].view("u8").reshape(spec.pool, -1)
        self._heads = machine.area[PAGE_SIZE:].data.cast("Q")
        self._free = deque((self._header[NEXT] + turn) % spec.pool for turn in range(spec.pool))
        self._in_flight, self._called, self._run, self._details = 0, False, -1, [0]
        self._pacer: Pacer | None = None
        if spec.iops:
            rate = spec.iops
            self._pacer = Pacer(lambda _: (rate, None), batch_s=0.0)
            self._pacer.start(machine.now(), self._header[NEXT])
        self._call(machine.now())

    def _call(self, when: float) -> None:
        if not self._called:
            self._called = True
            self._machine.at(when, self._fill)

    def _fill(self) -> None:
        """Begins what is due and has room."""
        self._called = False
        room = self._spec.outstanding - self._in_flight
        if not room:
            return
        if self._pacer is None:
            self._begin(room)
            return
        now = self._machine.now()
        due = self._pacer.due(now, self._header[NEXT])
        self._begin(min(room, due))
        if due < room:
            self._call(now + max(_TICK, self._pacer.wait(now, self._header[NEXT])))

    def _begin(self, count: int) -> None:
        first = self._header[NEXT]
        self._header[NEXT] = first + count
        for number in range(first, first + count):
            self._submit(number)
        self._in_flight += count

    def _submit(self, number: int) -> None:
        run, index = divmod(number, RUN)
        if run != self._run:
            self._run, self._details = run, self._accesses.run(run).tolist()
        detail, buffer, length = self._details[index], self._free.popleft(), self._spec.block
        block, place = detail >> 1, PAGE_SIZE + buffer * length
        began = time.monotonic_ns()
        done = partial(self._done, number, detail, buffer, began)
        if detail & 1:
            self._accesses.write(self._words[buffer], self._pattern, number, block)
            self._machine.disk.write(block * length, place, length, done)
        else:
            self._machine.disk.read(block * length, place, length, done)

    def _done(self, number: int, detail: int, buffer: int, began: int, result: int) -> None:
        header = self._header
        if result != self._spec.block or not (detail & 1 or self._reads_well(buffer, detail >> 1)):
            header[ERRORS] += 1
        header[COMPLETED] += 1
        self._machine.log.append(began, time.monotonic_ns(), number, detail)
        self._free.append(buffer)
        self._in_flight -= 1
        if self._pacer is None or self._in_flight == self._spec.outstanding - 1:
            self._call(self._machine.now())

    def _reads_well(self, buffer: int, block: int) -> bool:
        first = buffer * self._spec.block // WORD
        return self._accesses.is_content(self._heads[first : first + 3], block)
