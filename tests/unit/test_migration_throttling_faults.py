"""A migration that throttles in every way, broken at each of its steps: the guest runs, and nothing holds its memory.

A step is a call to the guest, to its tracker or to the kernel. Each run counts them, and breaks one.
"""

import errno
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from testbed.core.errors import MigrationAborted, TestbedError
from testbed.core.extents import Extents
from testbed.core.rounds import Action, Decision, Round, Throttle
from testbed.core.units import PAGE_SIZE
from testbed.dirty import GuestPorts
from testbed.linux.memory import userfaultfd
from testbed.migration.cancel import MigrationCancelled
from testbed.throttles import stop_and_continue
from testbed.throttles.sdps import _MESSAGE, _PAGEFAULT, StunDuringPageSend
from tests.unit.loopback import Loopback, MemoryGuest, SetTracker

PAGES = 32
THROTTLES = (
    Throttle(kind="sdps", dirty_rate=1e9),
    Throttle(kind="auto_converge", level=0.5),
    Throttle(kind="dirty_limit", dirty_rate=2e9),
    None,
)
GUEST = MigrationAborted("the guest has gone")
KERNEL = OSError(errno.ENOMEM, "no memory")
PATIENCE_S = 20.0


@dataclass
class Steps:
    """Of the thread that migrates. ``breaks`` is called with the number of each, and what a fault there would be."""

    breaks: Callable[[int, BaseException], None] = lambda _step, _fault: None
    taken: list[str] = field(default_factory=list)
    thread: threading.Thread = field(default_factory=threading.current_thread)

    def take(self, what: str, fault: BaseException) -> None:
        if threading.current_thread() is self.thread:
            self.taken.append(what)
            self.breaks(len(self.taken), fault)


class Fragile(MemoryGuest):
    """A guest whose memory can be protected: then a write says so, and waits until it is let go."""

    def __init__(self, steps: Steps) -> None:
        super().__init__(PAGES, fill=b"guest")
        self.trail, self.standing, self.dead = steps, False, False
        self.faults: list[tuple[int, int]] = []
        self.let_go = threading.Event()

    def ports(self) -> GuestPorts:
        return GuestPorts(pid=0, ram_address=0, ram_bytes=self.size, ram_fd=self.fd, new_userfaultfd=self._new)

    def write(self, page: int, content: bytes) -> None:
        if self.held():
            self.let_go.clear()
            os.write(self.faults[-1][1], _MESSAGE.pack(_PAGEFAULT, 0, page * PAGE_SIZE))
            assert self.let_go.wait(PATIENCE_S), "nobody answers a write"
        super().write(page, content)

    def held(self) -> bool:
        """Whether somebody has a userfaultfd of it still."""
        for _, ours in self.faults:
            with suppress(BrokenPipeError):
                os.write(ours, b"")
                os.write(ours, bytes(_MESSAGE.size))  # says nothing
                return True
        return False

    def freeze(self) -> None:
        self.standing = True
        self.trail.take("pause", GUEST)

    def stun(self) -> None:
        self.standing = True
        self.trail.take("stun", GUEST)

    def hold(self) -> None:
        self.trail.take("hold", GUEST)

    def resume(self) -> None:
        if not self.dead:
            self.trail.take("resume", GUEST)
        self.standing = False

    def _new(self) -> int:
        self.trail.take("new userfaultfd", GUEST)
        theirs, ours = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.faults.append((theirs, ours))
        return theirs


class FragileTracker(SetTracker):
    """Breaks after it has done what it is to do, but for finding."""

    def __init__(self, ports: GuestPorts, guest: MemoryGuest) -> None:
        assert isinstance(guest, Fragile)
        super().__init__(ports, guest)
        self.trail = guest.trail

    def start(self) -> None:
        super().start()
        self.trail.take("tracker start", GUEST)

    def keep(self, unsent: Extents) -> None:
        self.trail.take("tracker keep", GUEST)

    def collect(self) -> Extents:
        self.trail.take("tracker collect", GUEST)
        return super().collect()

    def close(self) -> None:
        super().close()
        self.trail.take("tracker close", KERNEL)


class Throttles:
    """Each of the throttles for one round; the guest writes in every round."""

    def __init__(self, guest: Fragile) -> None:
        self.guest = guest

    def decide(self, history: Sequence[Round]) -> Decision:
        done = len(history)
        self.guest.write(done, b"in round %d" % done)
        if done > len(THROTTLES):
            return Decision(action=Action.SWITCH_OVER, reason="all were tried")
        return Decision(action=Action.GO_ON, reason="the next one", throttle=THROTTLES[done - 1])


class Trial:
    """One migration, and what became of it."""

    def __init__(self, breaks: "Breaks", broken: int = 0) -> None:
        """``breaks`` is told how far it is to the step that is to be ``broken``: 0 is that one."""
        self.steps = Steps(lambda step, fault: breaks(self, step - broken, fault))
        self.guest, self.there = Fragile(self.steps), MemoryGuest(PAGES)
        self.lab = Loopback(self.guest, self.there)
        self.lab.tracker_of = FragileTracker
        self.fault: BaseException | None = None

    def run(self) -> "Trial":
        try:
            self.lab.run(Throttles(self.guest))
        except BaseException as fault:  # noqa: BLE001 - an interrupt is one of them
            self.fault = fault
        return self

    def check(self) -> None:
        """What must hold however it ended."""
        told = f"broken at {self.steps.taken[-1]}, {len(self.steps.taken)} steps: {self.fault!r}"
        assert not self.lab.source.memory.tracked and self.lab.tracker.closed, told
        assert not self.guest.held(), told
        assert not self.lab.source.throttling.by_hand(0.5), told
        assert not [each for each in threading.enumerate() if each.name in ("sdps", "stop-and-continue")], told
        if "run" in self.there.did:
            assert self.there.memory[:] == self.guest.memory[:], told
        else:
            assert not self.guest.standing and self.fault is not None, told
        for _, ours in self.guest.faults:
            os.close(ours)


Breaks = Callable[[Trial, int, BaseException], None]


@pytest.fixture(autouse=True)
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Fragile]]:
    """Protects nothing, and lets go who waits; each call is a step of the guest of now."""
    guests: list[Fragile] = []
    made = Fragile.__init__

    def begin(guest: Fragile, steps: Steps) -> None:
        made(guest, steps)
        guests.append(guest)

    def protect(_fd: int, _address: int, _length: int, *, protect: bool = True) -> None:
        guests[-1].trail.take("protect" if protect else "let go", KERNEL)
        if not protect:
            guests[-1].let_go.set()

    monkeypatch.setattr(stop_and_continue, "SLICE_S", 3600)  # what it does in its slices is another test's
    monkeypatch.setattr(Fragile, "__init__", begin)
    monkeypatch.setattr(userfaultfd, "enable", lambda *_: guests[-1].trail.take("enable", KERNEL))
    monkeypatch.setattr(userfaultfd, "register_write_protect", lambda *_: guests[-1].trail.take("register", KERNEL))
    monkeypatch.setattr(userfaultfd, "write_protect", protect)
    monkeypatch.setattr(StunDuringPageSend, "lacks", staticmethod(lambda: None))
    yield guests


@pytest.fixture
def count() -> int:
    """The steps of a migration in which nothing breaks."""
    whole = Trial(lambda *_: None).run()
    whole.check()
    assert whole.fault is None
    assert whole.lab.source.throttling.mechanism == "synchronous write-protection, answered late"
    taken = whole.steps.taken
    assert taken.count("tracker close") == taken.count("enable") == 1, "trackers changed once, and sdps is kept"
    assert taken.index("pause") < taken.index("tracker close") < taken.index("register") < taken.index("resume")
    return len(taken)


def test_a_fault_at_any_step(count: int) -> None:
    def fails(_trial: Trial, step: int, fault: BaseException) -> None:
        if step == 0:
            raise fault

    for broken in range(1, count + 1):
        trial = Trial(fails, broken).run()
        trial.check()
        assert trial.fault is None or isinstance(trial.fault, TestbedError | OSError)


def test_a_guest_that_dies_at_any_step(count: int) -> None:
    def dies(trial: Trial, step: int, fault: BaseException) -> None:
        trial.guest.dead = step >= 0
        if trial.guest.dead and trial.steps.taken[-1] != "tracker close":
            raise fault

    for broken in range(1, count + 1):
        Trial(dies, broken).run().check()


def test_a_cancel_at_any_step(count: int) -> None:
    def cancels(trial: Trial, step: int, _fault: BaseException) -> None:
        if step == 0:
            trial.lab.cancel.ask()

    for broken in range(1, count + 1):
        trial = Trial(cancels, broken).run()
        trial.check()
        assert isinstance(trial.fault, MigrationCancelled) or "run" in trial.there.did


def test_an_interrupt_at_any_step(count: int) -> None:
    def interrupts(_trial: Trial, step: int, _fault: BaseException) -> None:
        if step == 0:
            raise KeyboardInterrupt

    for broken in range(1, count + 1):
        trial = Trial(interrupts, broken).run()
        trial.check()
        assert trial.fault is None or isinstance(trial.fault, KeyboardInterrupt)
