"""SDPS on a kernel that a test plays: who writes waits as a rate says, is noted, and is let go whatever happens."""

import errno
import os
import time
from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from types import SimpleNamespace

import pytest

from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.core.extents import Extents
from testbed.core.units import PAGE_SIZE
from testbed.dirty import GuestPorts
from testbed.linux.memory import userfaultfd
from testbed.throttles import sdps
from testbed.throttles.sdps import CREDIT_S, StunDuringPageSend

BASE = 0x7F00_0000_0000
PAGES = 8192
PATIENCE_S = 20.0
NO_MEMORY = OSError(errno.ENOMEM, "no memory")


class Kernel:
    """A pipe is the userfaultfd: what a writer would have the kernel say is written into it."""

    def __init__(self) -> None:
        self.theirs, self.ours = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.calls: list[tuple[int, int]] = []
        self.fails: set[str] = set()
        self.let_go: SimpleQueue[int] = SimpleQueue()

    def ports(self) -> GuestPorts:
        return GuestPorts(
            pid=0, ram_address=BASE, ram_bytes=PAGES * PAGE_SIZE, ram_fd=-1, new_userfaultfd=lambda: self.theirs
        )

    def enable(self, _fd: int, _features: int) -> None:
        self._call("enable")

    def register(self, _fd: int, _address: int, _length: int) -> None:
        self._call("register")

    def protect(self, _fd: int, address: int, length: int, *, protect: bool = True) -> None:
        page, pages = (address - BASE) // PAGE_SIZE, length // PAGE_SIZE
        if not protect:
            self.let_go.put(page)
            self._call("let go")
            return
        self._call("protect")
        self.calls.append((page, pages))

    def write(self, *pages: int) -> None:
        """As if the guest wrote to these for the first time; each writer waits until it is let go."""
        os.write(self.ours, b"".join(sdps._MESSAGE.pack(sdps._PAGEFAULT, 0, BASE + page * PAGE_SIZE) for page in pages))

    def answered(self, count: int) -> list[int]:
        return [self.let_go.get(timeout=PATIENCE_S) for _ in range(count)]

    def held(self) -> bool:
        try:
            os.write(self.ours, bytes(sdps._MESSAGE.size))
        except BrokenPipeError:
            return False
        return True

    def _call(self, what: str) -> None:
        if what in self.fails:
            raise NO_MEMORY


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    playing = Kernel()
    monkeypatch.setattr(userfaultfd, "enable", playing.enable)
    monkeypatch.setattr(userfaultfd, "register_write_protect", playing.register)
    monkeypatch.setattr(userfaultfd, "write_protect", playing.protect)
    yield playing
    assert not playing.held(), "whatever happened, the guest's memory was let go"
    os.close(playing.ours)


@pytest.fixture
def tracker(kernel: Kernel) -> Iterator[StunDuringPageSend]:
    stunning = StunDuringPageSend(kernel.ports())
    stunning.start()
    yield stunning
    stunning.close()


def page_list(extents: Extents) -> list[int]:
    return [page for at, length in extents for page in range(at // PAGE_SIZE, (at + length) // PAGE_SIZE)]


def test_each_first_write_is_found_once_and_protected_again(kernel: Kernel, tracker: StunDuringPageSend) -> None:
    assert kernel.calls == [(0, PAGES)]
    kernel.write(5, 6, 9)
    assert kernel.answered(3) == [5, 6, 9]
    assert page_list(tracker.collect()) == [5, 6, 9]
    assert kernel.calls[1:] == [(5, 2), (9, 1)]
    assert page_list(tracker.collect()) == []
    kernel.write(6)
    kernel.answered(1)
    assert page_list(tracker.collect()) == [6]


def test_many_scattered_pages_are_protected_by_one_call(kernel: Kernel, tracker: StunDuringPageSend) -> None:
    pages = range(0, 2 * (sdps._MANY_RUNS + 1), 2)
    for first in range(0, len(pages), 100):
        kernel.write(*pages[first : first + 100])
        kernel.answered(len(pages[first : first + 100]))
    assert page_list(tracker.collect()) == list(pages)
    assert kernel.calls == [(0, PAGES), (0, PAGES)]


def test_the_rate_is_what_writers_wait_for(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that stands still: each has to wait for a tenth of a second more; late ones get some credit."""
    tracker = StunDuringPageSend(kernel.ports())
    waited: list[float] = []
    now = [100.0]

    def select(read: Sequence[int], _write: object, _others: object, timeout: float) -> tuple[list[int], ...]:
        waited.append(timeout)
        return [], [], []

    assert tracker.delay(10 * PAGE_SIZE)
    monkeypatch.setattr(sdps, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(sdps, "select", SimpleNamespace(select=select))
    tracker._due = now[0]
    for page in range(3):
        tracker._let_go(BASE + page * PAGE_SIZE)
    now[0] += 50
    for page in range(3, 5):
        tracker._let_go(BASE + page * PAGE_SIZE)
    assert waited == pytest.approx([0.1, 0.2, 0.3, 0.1 - CREDIT_S, 0.2 - CREDIT_S])
    tracker.delay(None)
    tracker._let_go(BASE)
    assert len(waited) == 5
    assert page_list(tracker.collect()) == [0, 1, 2, 3, 4]
    tracker.close()


@pytest.mark.parametrize(
    "rate", [1e-3, 1e-9, 5e-324], ids=["a page in seven weeks", "never", "not a number of seconds"]
)
def test_a_release_lets_go_at_once_who_waits_and_who_comes(
    kernel: Kernel, tracker: StunDuringPageSend, rate: float
) -> None:
    tracker.delay(rate)
    kernel.write(1, 2, 3)
    time.sleep(0.05)  # the first of them waits by then
    tracker.delay(None)
    assert kernel.answered(3) == [1, 2, 3]
    kernel.write(4)
    assert kernel.answered(1) == [4]
    assert page_list(tracker.collect()) == [1, 2, 3, 4]


def test_a_close_lets_go_who_waits(kernel: Kernel) -> None:
    stunning = StunDuringPageSend(kernel.ports())
    stunning.start()
    stunning.delay(1e-3)
    kernel.write(7)
    stunning.close()
    assert not stunning._answering.is_alive()


def test_a_guest_that_dies_while_it_waits_disturbs_nobody(kernel: Kernel, tracker: StunDuringPageSend) -> None:
    kernel.fails = {"let go"}
    kernel.write(1, 2)
    assert kernel.answered(2) == [1, 2]


@pytest.mark.parametrize(
    ("broken", "kind", "words"),
    [
        ("enable", PrerequisiteMissing, "writes cannot be stunned here"),
        ("register", TestbedError, "memory cannot be protected"),
        ("protect", TestbedError, "memory cannot be protected"),
    ],
)
def test_what_the_kernel_refuses_at_the_start_is_said(
    kernel: Kernel, broken: str, kind: type[TestbedError], words: str
) -> None:
    kernel.fails = {broken}
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(kind, match=words):
        stunning = StunDuringPageSend(kernel.ports())
        try:
            stunning.start()
        finally:
            stunning.close()
    assert len(os.listdir("/proc/self/fd")) == before - 1, "the userfaultfd is closed too"


def test_without_descriptors_nothing_is_left_open(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [os.eventfd(0)]

    def eventfd(*_: int) -> int:
        if made:
            return made.pop()
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(os, "eventfd", eventfd)
    with pytest.raises(OSError, match="too many"):
        StunDuringPageSend(kernel.ports())


def test_pages_that_cannot_be_protected_again_are_said_to_be(kernel: Kernel, tracker: StunDuringPageSend) -> None:
    kernel.write(1)
    kernel.answered(1)
    kernel.fails = {"protect"}
    with pytest.raises(TestbedError, match="cannot be protected again"):
        tracker.collect()
