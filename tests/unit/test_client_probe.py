"""The probe: what it logs is what happened on the wire, and silence is seen as silence."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import pytest

from guest_agent.client.conversation import ClientFinished, ClientReady
from guest_agent.client.probe import WallClock
from tests.unit.service_machine import Clients


class UdpEcho:
    """A real one, which can be told to be silent."""

    def __init__(self) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = int(self.sock.getsockname()[1])
        self.heard, self.silent_until, self.over = 0, 0, False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.over = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self.sock.getsockname())
        self.thread.join()
        self.sock.close()

    def _serve(self) -> None:
        while not self.over:
            data, address = self.sock.recvfrom(100)
            self.heard += 1
            if data and self.heard > self.silent_until:
                self.sock.sendto(data, address)


@pytest.fixture
def echo() -> Iterator[UdpEcho]:
    served = UdpEcho()
    yield served
    served.close()


T = TypeVar("T", ClientReady, ClientFinished)


def hear(clients: Clients, kind: type[T]) -> T:
    deadline = time.monotonic() + 20
    while (said := clients.event()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert isinstance(said, kind)
    return said


def wait(echo: UdpEcho, heard: int) -> None:
    deadline = time.monotonic() + 20
    while echo.heard < heard:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_every_answer_is_logged_once_in_order_with_when_it_was_sent_and_came(echo: UdpEcho) -> None:
    began = time.monotonic_ns()
    with Clients(echo.port, None) as clients:
        hear(clients, ClientReady)
        wait(echo, 500)
        clients.say()
        said = hear(clients, ClientFinished)
        assert clients.process.wait(5) == 0
        rows = clients.rows().astype(np.int64)
    assert said.answered == said.sent == len(rows) and said.errors == 0
    assert rows[:, 2].tolist() == list(range(1, len(rows) + 1)) and not rows[:, 3].any()
    assert bool((np.diff(rows[:, 0]) > 0).all()) and bool((np.diff(rows[:, 1]) >= 0).all())
    assert began < rows[0, 0] and rows[-1, 1] < time.monotonic_ns()
    assert bool((rows[:, 1] > rows[:, 0]).all()), "an answer came before its question: the clocks are not in step"


def test_a_silence_is_probes_without_answers(echo: UdpEcho) -> None:
    with Clients(echo.port, None) as clients:
        hear(clients, ClientReady)
        echo.silent_until = echo.heard + 200
        wait(echo, echo.silent_until + 100)
        clients.say()
        said = hear(clients, ClientFinished)
        rows = clients.rows()
    assert 150 < said.sent - said.answered <= 200 and len(rows) == said.answered
    gaps = np.diff(rows[:, 2].astype(np.int64))
    assert gaps.max() > 150 and int((gaps > 1).sum()) == 1


def test_it_waits_for_a_guest_that_is_not_there_yet() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as later:
        later.bind(("127.0.0.1", 0))
        with Clients(int(later.getsockname()[1]), None) as clients:
            data, address = later.recvfrom(100)
            assert clients.event() is None
            later.sendto(data, address)
            hear(clients, ClientReady)


def test_it_leaves_with_its_parent(echo: UdpEcho) -> None:
    with Clients(echo.port, None) as clients:
        hear(clients, ClientReady)
        assert clients.process.stdin
        clients.process.stdin.close()
        assert clients.process.wait(10) == 1
        clients.process.stdin = None


@pytest.mark.parametrize("step_s", [-3600, -0.5, 0.5, 3600])
def test_a_wall_clock_that_is_set_is_no_silence(step_s: float) -> None:
    """Answers 2 ms apart, some stamped before the clock was set and some after it, all read afterwards."""
    step, base = int(step_s * 1e9), 1_700_000_000 * 10**9
    differences = iter([base, base + step, base + step])
    clock = WallClock(lambda: next(differences))
    last = time.monotonic_ns()
    sent = [last - 2_000_000 * back for back in range(10, 0, -1)]
    came = [at + 100_000 for at in sent]
    stamps = [at + base + (step if number >= 5 else 0) for number, at in enumerate(came)]
    clock.measure()
    assert [clock.when(stamp, at) for stamp, at in zip(stamps, sent, strict=True)] == came
    clock.measure()
    assert clock.when(stamps[-1], sent[-1]) == came[-1]


def test_what_cannot_be_is_put_between_its_question_and_now() -> None:
    clock, now = WallClock(lambda: 0), time.monotonic_ns()
    assert clock.when(now - 9_000_000, now - 5_000_000) == now - 5_000_000
    assert now <= clock.when(now + 10**15, now - 5_000_000) <= time.monotonic_ns()


def test_of_a_burst_no_answer_came_before_the_one_before_it() -> None:
    """Answers 2 us apart; the clocks' difference was measured 5 us off before the second one was read."""
    differences = iter([0, 0, 5_000, 5_000])
    clock, sent = WallClock(lambda: next(differences)), time.monotonic_ns() - 1_000_000
    clock.measure()
    first = clock.when(sent + 100_000, sent)
    clock.measure()
    clock.measure()
    later = [clock.when(sent + after, sent) for after in (102_000, 104_000, 110_000)]
    assert [first, *later] == [sent + after for after in (100_000, 100_000, 100_000, 105_000)]
