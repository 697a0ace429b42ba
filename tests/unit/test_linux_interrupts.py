"""Signals: raised where something may be broken off, noted where it may not, and never swallowed as a fault."""

import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from testbed.core.errors import Interrupted, TestbedError
from testbed.linux.processes.interrupts import ENDING, STOPPING, deferring, interruptible, keyboard, noting


@pytest.fixture(autouse=True)
def _handlers_come_back(hung_up_it_ends: None) -> Iterator[None]:
    before = [signal.getsignal(number) for number in STOPPING]
    yield
    assert [signal.getsignal(number) for number in STOPPING] == before


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", STOPPING)
def test_the_first_signal_is_raised_and_those_after_it_are_not(number: signal.Signals) -> None:
    with pytest.raises(Interrupted, match=f"interrupted by {number.name}"), interruptible():
        try:
            send(number)
        finally:
            send(signal.SIGTERM)
            send(signal.SIGINT)


def test_it_is_heard_again_once_that_is_asked_for() -> None:
    with interruptible() as signals:
        for _ in range(2):
            with pytest.raises(Interrupted):
                send(signal.SIGINT)
            send(signal.SIGINT)
            signals.again()


def test_who_catches_faults_does_not_swallow_it() -> None:
    with pytest.raises(Interrupted), interruptible(), suppress(TestbedError, Exception):
        send(signal.SIGINT)


def test_noted_it_breaks_nothing_off_and_the_first_one_counts() -> None:
    with interruptible(), noting() as noted:
        assert noted.why == ""
        send(signal.SIGHUP)
        send(signal.SIGINT)
        assert noted.why == "interrupted by SIGHUP"


def test_a_wait_ends_when_a_signal_came() -> None:
    with noting() as noted:
        threading.Timer(0.1, send, (signal.SIGTERM,)).start()
        noted.wait(3600)
        assert noted.why == "interrupted by SIGTERM"


def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible(), noting() as noted:
            send(signal.SIGHUP)
            assert noted.why == ""
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_prompt_has_its_keyboard_interrupt_within() -> None:
    def prompt() -> None:
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
        for number in ENDING * 2:
            with pytest.raises(Interrupted):
                send(number)
        send(signal.SIGTERM)

    with interruptible() as signals:
        with pytest.raises(Interrupted, match="SIGTERM"), keyboard(signals, prompt.__code__):
            prompt()
        send(signal.SIGTERM)
        send(signal.SIGINT)


STORM = """
import os, signal, threading, time
from testbed.core.errors import Interrupted
from testbed.linux.processes.interrupts import interruptible, keyboard

def storm():
    while ended < TIMES:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.0002)

def prompt():
    while True:
        len(str(ended))

def left():
    try:
        with keyboard(signals, prompt.__code__):
            prompt()
    except Interrupted:
        for _ in range(2000):
            len(str(ended))

ended, TIMES = 0, 200
with interruptible() as signals:
    signals.deaf = True  # what comes between two prompts is no fault of either
    threading.Thread(target=storm).start()
    while ended < TIMES:
        left()
        ended += 1
    print("ended", ended, threading.active_count() <= 2, len(os.listdir("/proc/self/fd")))
"""


def test_signals_without_end_leave_a_prompt_once_and_break_off_nothing_after_it() -> None:
    made = subprocess.run([sys.executable, "-c", STORM], capture_output=True, text=True, timeout=60, check=False)
    assert (made.returncode, made.stdout, made.stderr) == (0, "ended 200 True 4\n", "")


PROMPT = """
import os, readline, signal, threading
from testbed.core.errors import Interrupted
from testbed.linux.processes.interrupts import interruptible, keyboard
readline.set_pre_input_hook(lambda: os.kill(os.getpid(), signal.SIGTERM))

def prompt():
    input("> ")

try:
    with interruptible() as signals, keyboard(signals, prompt.__code__):
        prompt()
except Interrupted as stop:
    print(stop, len(os.listdir("/proc/self/fd")), threading.active_count())
"""


def test_a_signal_between_a_prompt_and_its_reading_is_not_lost() -> None:
    """What the hook before the reading raises is thrown away, as by a prompt that begins to wait just then."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen([sys.executable, "-c", PROMPT], stdin=theirs, stdout=theirs, stderr=theirs) as process:
            assert process.wait(60) == 0
        heard = os.read(ours, 1 << 16).decode()
        assert "interrupted by SIGTERM 4 1" in heard, "standard streams and the listing's own; one thread"
    finally:
        os.close(ours)
        os.close(theirs)


def test_in_another_thread_nothing_is_changed() -> None:
    def run() -> None:
        with interruptible(), noting() as noted:
            found.append((signal.getsignal(signal.SIGINT), noted.why))

    found: list[object] = []
    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [(before, "")]


def test_deferred_it_is_raised_once_that_is_over() -> None:
    done: list[str] = []
    with pytest.raises(Interrupted, match="SIGTERM"), interruptible():
        with deferring(), deferring():
            send(signal.SIGTERM)
            send(signal.SIGINT)
            done.append("whole")
        done.append("never")
    assert done == ["whole"]


def test_deferred_it_is_noted_where_it_is_only_noted() -> None:
    with noting() as noted:
        with deferring():
            send(signal.SIGHUP)
            assert noted.why == ""
        assert noted.why == "interrupted by SIGHUP"


def test_a_fault_meanwhile_does_not_lose_what_was_deferred() -> None:
    with pytest.raises(Interrupted) as raised, interruptible(), deferring():
        send(signal.SIGINT)
        raise TestbedError("beside it")
    assert isinstance(raised.value.__context__, TestbedError)
