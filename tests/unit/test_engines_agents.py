"""An agent as the run sees it: what it says is believed when it can be read, and whatever ends it is noticed."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from testbed.core.agents.told import (
    AgentFailed,
    Announced,
    CancelOrder,
    DestinationFinished,
    DestinationReady,
    Gone,
    MigrateOrder,
    RoundProgress,
    SourceReady,
    Told,
)
from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.core.text.json_lines import argument
from testbed.engines.native.agents import AgentDied, AgentProcess
from testbed.wire.lines import EVENTS, ORDERS, read_event
from tests.unit.test_wire_lines import DESTINATION, SOURCE

PROGRESS = RoundProgress(at=1.0, round=1, sent_bytes=1, round_bytes=2)
STUCK = "\nimport time\ntime.sleep(1000)"
SOON_S, LONG_S = 0.05, 30.0


def saying(*said: Told | bytes) -> str:
    """A program that says these lines."""
    data = b"".join(each if isinstance(each, bytes) else EVENTS.line(each) for each in said)
    return f"import sys\nsys.stdout.buffer.write({data!r})\nsys.stdout.flush()"


class Spawning:
    """Starts what a test says, whatever was asked for: the stand-in of a ``Fabric``."""

    def __init__(self, program: str) -> None:
        self._program = program

    def spawn(self, _host: str, _command: list[str], **more: Any) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-c", self._program], **more)


Start = Callable[[str], AgentProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:
        log = stack.enter_context((tmp_path / "log").open("wb"))

        def started(program: str) -> AgentProcess:
            fabric: Any = Spawning(program)
            return stack.enter_context(AgentProcess(fabric, "esx1", SOURCE, log))

        yield started


def test_what_it_says_is_heard_and_then_it_is_gone_for_ever(start: Start) -> None:
    agent = start(saying(PROGRESS, PROGRESS))
    assert [agent.next_event(LONG_S) for _ in range(4)] == [PROGRESS, PROGRESS, Gone(), Gone()]


def test_one_that_says_nothing_is_not_gone(start: Start) -> None:
    agent = start(STUCK)
    assert agent.next_event(SOON_S) is None
    assert agent.until((Announced,), SOON_S) is None
    with pytest.raises(AgentDied, match="the source agent did not start: it said nothing"):
        agent.ready(SourceReady, SOON_S)


@pytest.mark.parametrize("nonsense", [b"Segmentation fault\n", b'{"event": "progress", "at": "soon"}\n', b"\0\xff\n"])
def test_nonsense_ends_it_whatever_it_would_say_next(start: Start, nonsense: bytes) -> None:
    agent = start(saying(PROGRESS, nonsense, PROGRESS) + STUCK)
    assert agent.next_event(LONG_S) == PROGRESS
    gone = agent.next_event(LONG_S)
    assert isinstance(gone, Gone) and gone.nonsense
    assert str(gone) == f"said what cannot be read ({gone.nonsense}) and was ended"
    assert agent.process.poll() is not None
    assert agent.next_event(LONG_S) == gone == agent.until((Announced,), LONG_S)


def test_a_line_that_is_cut_is_the_last_of_one_that_was_killed(start: Start) -> None:
    agent = start(saying(PROGRESS, EVENTS.line(PROGRESS)[:-9]))
    assert [agent.next_event(LONG_S) for _ in range(2)] == [PROGRESS, Gone()]
    assert str(Gone()) == "died"


def test_orders_arrive_and_the_dead_are_not_told(start: Start) -> None:
    orders = ORDERS.line(MigrateOrder()) + ORDERS.line(CancelOrder())
    heard = f"import sys\nassert sys.stdin.buffer.read({len(orders)}) == {orders!r}\n"
    agent = start(heard + saying(PROGRESS))
    agent.order(MigrateOrder())
    agent.order(CancelOrder())
    assert agent.next_event(LONG_S) == PROGRESS
    agent.kill()
    agent.order(CancelOrder())


def test_who_waits_for_one_thing_passes_over_others_and_not_over_an_end(start: Start) -> None:
    finished = DestinationFinished(outcome="completed", reason="", cpu_s=0.0)
    agent = start(saying(PROGRESS, finished, PROGRESS, Announced(count=4, fault=None), AgentFailed(reason="no")))
    assert agent.until((DestinationFinished,), LONG_S) == finished
    assert agent.until((Announced,), LONG_S) == Announced(count=4, fault=None)
    assert agent.until((Announced,), LONG_S) == AgentFailed(reason="no")
    assert agent.until((Announced,), LONG_S) == Gone()
    one_of = start(saying(PROGRESS, finished))
    assert one_of.until((Announced, DestinationFinished), LONG_S) == finished


def test_one_that_is_ready_says_what_with(start: Start) -> None:
    ready = SourceReady(tracker="soft-dirty", reason="it is there")
    assert start(saying(ready)).ready(SourceReady, LONG_S) == ready


@pytest.mark.parametrize(
    ("program", "kind", "words"),
    [
        (saying(AgentFailed(reason="no such policy")), TestbedError, "^no such policy$"),
        (saying(AgentFailed(reason="?", missing="no userfaultfd", remedy="a kernel")), PrerequisiteMissing, "a kernel"),
        (saying(b"hello\n"), AgentDied, r"source agent said what cannot be read \(.*\) and was ended before it was"),
        (saying(DestinationReady()) + STUCK, AgentDied, "did not start"),
        ("import sys\nsys.exit('it broke\\x1b')", AgentDied, r"did not start: it broke\\x1b"),
    ],
)
def test_one_that_does_not_get_ready_says_why(start: Start, program: str, kind: type[TestbedError], words: str) -> None:
    agent = start(program)
    with pytest.raises(kind, match=words):
        agent.ready(SourceReady, LONG_S)


@pytest.mark.parametrize(
    ("config", "words"), [(argument(DESTINATION), "/run/guest"), ('{"role": "run"}', "role: 'run' is none of")]
)
def test_a_real_agent_says_in_a_line_why_it_cannot_begin(config: str, words: str) -> None:
    command = [sys.executable, "-m", "testbed.migration.agents.agent_process", config]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as agent:
        assert agent.stdout
        said = read_event(agent.stdout.read())
        assert isinstance(said, AgentFailed) and words in said.reason
        assert agent.wait() == 1


def test_an_agent_that_is_told_nonsense_ends_as_if_the_run_had_died() -> None:
    program = (
        "import threading\nfrom testbed.migration.cancel import Cancel\n"
        "from testbed.migration.agents.agent_process import RunPipes\n"
        "run = RunPipes(Cancel())\nassert run.orders.get()\nthreading.Event().wait()"
    )
    said = ORDERS.line(MigrateOrder()) + b'{"do": "dance"}\n'
    done = subprocess.run([sys.executable, "-c", program], input=said, capture_output=True, check=False)
    assert done.returncode == 1 and b"an order could not be read: do: 'dance' is none of migrate" in done.stderr
