"""A child process in every way that it may begin and end: afterwards nothing of it is there."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.errors import Interrupted, TestbedError
from testbed.linux.processes.child import Child, last_line, pipe_of
from testbed.linux.processes.interrupts import interruptible
from testbed.linux.processes.lines import Lines
from tests.unit.descriptors import nothing_stays

LONG_S = 60.0
ECHO = "import sys\nfor line in sys.stdin: print('heard', line, end='', flush=True)\nprint('over')"
MUTE = "import signal\nprint('here', flush=True)\nsignal.pause()"
STUBBORN = f"import signal\nfor each in (2, 15): signal.signal(each, signal.SIG_IGN)\n{MUTE}"
FLOOD = "print('here', flush=True)\nwhile True: print('x' * 1000)"
DEAF = "import os, signal\nos.close(0)\nprint('here', flush=True)\nsignal.pause()"


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    with nothing_stays():
        yield


def child(program: str, log: IO[bytes] | int | None = None, kind: type[Child] = Child) -> Child:
    return kind(subprocess.Popen, [sys.executable, "-c", program], log)


class Ready(Child):
    """Waits until it is there, and lets it finish."""

    def begin(self) -> None:
        if self.hear(LONG_S) != b"here\n":
            raise TestbedError(f"it did not start: {self.last_words()}")

    def leave(self, error: BaseException | None) -> None:
        if error is None:
            self.close_input()
            self.wait(LONG_S)


def test_it_is_told_and_heard_and_ends_with_its_input() -> None:
    with child(ECHO) as echo:
        assert echo.tell(b"one\ntwo\n")
        assert [echo.hear(LONG_S), echo.hear(LONG_S), echo.hear(0.0)] == [b"heard one\n", b"heard two\n", None]
        assert echo.wait(0.0) is None and echo.alive
        echo.close_input()
        assert [echo.hear(LONG_S) for _ in range(3)] == [b"over\n", b"", b""]
        assert echo.wait(LONG_S) == 0
        assert not echo.tell(b"anybody?\n")


def test_all_its_lines_until_it_ends() -> None:
    with child("print('a'); print('b'); print('c', end='')") as speaker:
        assert list(speaker.lines()) == [b"a\n", b"b\n", b"c"]


def test_what_has_not_begun_has_no_process() -> None:
    unborn = child(MUTE)
    unborn.end()
    with pytest.raises(ValueError, match="not started"):
        unborn.kill()


def test_a_command_that_is_not_there_leaves_nothing() -> None:
    with pytest.raises(FileNotFoundError), Child(subprocess.Popen, ["/nowhere/at/all"]):
        raise AssertionError("it cannot have started")


def test_one_that_does_not_get_ready_is_ended_and_its_last_words_are_known() -> None:
    dying = "import sys\nprint('one', file=sys.stderr)\nsys.exit('no such thing')"
    with pytest.raises(TestbedError, match="no such thing"), child(dying, kind=Ready):
        raise AssertionError("it is not ready")
    with pytest.raises(TestbedError, match="it said nothing"), child("", kind=Ready):
        raise AssertionError("it is not ready")


def test_one_that_is_let_finish_has_finished() -> None:
    with child("import sys\nprint('here', flush=True)\nsys.stdin.read()", kind=Ready) as orderly:
        pass
    assert orderly.process.returncode == 0 and not orderly.alive


@pytest.mark.parametrize("program", [MUTE, STUBBORN, DEAF, FLOOD])
def test_one_that_hangs_is_ended(program: str) -> None:
    with child(program) as stuck:
        assert stuck.hear(LONG_S) == b"here\n"
    assert stuck.process.returncode == -signal.SIGKILL


def test_one_that_is_stopped_is_ended() -> None:
    with child(MUTE) as stuck:
        stuck.process.send_signal(signal.SIGSTOP)
    assert stuck.process.returncode == -signal.SIGKILL


def test_one_that_is_given_time_takes_no_more_than_it_needs() -> None:
    with child(ECHO) as orderly:
        orderly.end(LONG_S)
        assert orderly.process.returncode == 0


def test_one_that_was_killed_is_heard_to_its_end() -> None:
    with child(MUTE) as killed:
        os.kill(killed.pid, signal.SIGKILL)
        assert killed.wait(LONG_S) == -signal.SIGKILL
        assert [killed.hear(LONG_S) for _ in range(2)] in ([b"here\n", b""], [b"", b""])
        assert not killed.tell(b"stop\n")


def test_what_it_said_is_heard_after_it_was_ended() -> None:
    with child(MUTE) as ended:
        assert ended.hear(LONG_S) == b"here\n"
        ended.kill()
        ended.kill()
        assert ended.hear(LONG_S) == b"" and ended.wait(0.0) == -signal.SIGKILL


def test_one_that_reads_nothing_is_told_no_more_than_its_pipe_holds() -> None:
    with child(MUTE) as deaf:
        assert deaf.tell(b"taken\n")
        assert not deaf.tell(bytes(1 << 20), 0.0)
        assert not deaf.tell(b"never\n"), "it would be taken for the rest of what was cut off"


def test_what_is_longer_than_a_pipe_is_told_whole() -> None:
    count = "import sys\nprint(len(sys.stdin.buffer.readline()))"
    with child(count) as reader:
        assert reader.tell(b"x" * (1 << 20) + b"\n")
        assert reader.hear(LONG_S) == b"%d\n" % ((1 << 20) + 1)


def test_a_flood_on_its_standard_error_does_not_hold_it_up() -> None:
    flood = "import sys\nsys.stderr.write('x' * (1 << 20) + chr(10) + 'the\\x1b end')\nprint('done')"
    with child(flood) as speaker:
        assert speaker.hear(LONG_S) == b"done\n"
        speaker.wait(LONG_S)
        assert speaker.last_words() == r"the\x1b end"


def test_a_log_of_several_that_is_open_for_writing_only(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        assert last_line(log, "silence") == "silence"
        for word in ("first", "second"):
            with child(f"import sys; sys.exit({word!r})", log) as one:
                one.wait(LONG_S)
                assert one.last_words() == word


def test_without_a_log_there_are_no_last_words() -> None:
    with child("import sys; sys.exit('unheard')", subprocess.DEVNULL) as one:
        one.wait(LONG_S)
        assert one.last_words("nobody knows") == "nobody knows"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_exception_within_ends_it(error: type[BaseException]) -> None:
    with pytest.raises(error), child(MUTE):
        raise error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_is_made_finds_it_and_ends_it(number: signal.Signals) -> None:
    made: list[subprocess.Popen[bytes]] = []

    def spawn(*asked: Any, **more: Any) -> "subprocess.Popen[bytes]":
        made.append(subprocess.Popen(*asked, **more))
        os.kill(os.getpid(), number)
        return made[0]

    with pytest.raises(Interrupted), interruptible(), Child(spawn, [sys.executable, "-c", MUTE]):
        raise AssertionError("it was interrupted")
    assert made[0].returncode == -signal.SIGKILL


def test_a_signal_while_one_waits_for_it_ends_it() -> None:
    tell = f"import os\nos.kill({os.getpid()}, 2)\n{MUTE}"
    with pytest.raises(Interrupted), interruptible(), child(tell, kind=Ready) as stuck:
        stuck.hear(LONG_S)


def test_a_signal_while_it_is_given_time_to_end_is_not_waited_out() -> None:
    late = f"import os, sys\nsys.stdin.read()\nos.kill({os.getpid()}, 2)\n{MUTE}"
    with pytest.raises(Interrupted), interruptible(), child(late) as stuck:
        stuck.end(LONG_S)


def test_what_is_its_own_is_closed_when_it_is_gone() -> None:
    alive: list[bool] = []
    with child(MUTE) as owner:
        owner.belongings.callback(lambda: alive.append(owner.alive))
    owner.end()
    assert alive == [False]


def test_a_thread_that_hears_it_ends_with_it() -> None:
    heard: list[bytes] = []
    with child(MUTE) as spoken:
        reader = threading.Thread(target=lambda: heard.extend(spoken.lines()))
        reader.start()
        spoken.kill()
        reader.join(LONG_S)
        assert not reader.is_alive()
    assert heard in ([], [b"here\n"])


def test_a_pipe_that_was_not_asked_for_is_none() -> None:
    with pytest.raises(ValueError, match="without this pipe"):
        pipe_of(None)


@given(st.lists(st.binary(max_size=40)), st.binary(max_size=10), st.integers(1, 50))
def test_lines_are_the_bytes_that_came_however_they_came(pieces: list[bytes], rest: bytes, most: int) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as end:
        for piece in [*pieces, rest]:
            os.write(writing, piece)
        os.close(writing)
        lines = Lines(end, most)
        heard = list(iter(lambda: lines.next() or b"", b""))
    assert b"".join(heard) == b"".join(pieces) + rest
    assert all(line.find(b"\n") in (-1, len(line) - 1) and len(line) <= most for line in heard)
    assert all(line.endswith(b"\n") or len(line) == most for line in heard[:-1])


def test_who_never_ends_a_line_is_heard_in_pieces() -> None:
    class Brief(Child):
        most_line = 1000

    with child("print('x' * 2500)", kind=Brief) as endless:
        assert list(map(len, endless.lines())) == [1000, 1000, 501]
