"""Who sends the frames of which lost ones are counted: as many as asked, and no more under way than a queue holds."""

import json
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.network.traffic import loss_process
from testbed.network.traffic.loss import UNDER_WAY


@dataclass
class Clock:
    """Time that passes only while somebody sleeps, who is as late as is told, or sends."""

    late: list[float]
    now: float = 0.0
    sent: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds + (self.late.pop() if self.late else 0.0)

    def send(self, _: bytes) -> None:
        self.sent.append(self.now)
        self.now += 1e-7

    def socket(self, *_: object) -> "Clock":
        return self

    def __enter__(self) -> "Clock":
        return self

    def __exit__(self, *_: object) -> None: ...

    def setsockopt(self, *_: object) -> None: ...

    def connect(self, *_: object) -> None: ...


def sent(clock: Clock, **asked: Any) -> list[float]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(loss_process, "time", clock)
        patched.setattr(socket, "socket", clock.socket)
        loss_process.send("10.0.1.2", 9, **asked)
    return clock.sent


@given(st.floats(0.001, 0.5), st.lists(st.floats(0, 0.3), max_size=20))
def test_of_what_a_link_delays_no_more_is_under_way_than_its_queue_holds(delay_s: float, late: list[float]) -> None:
    moments = sent(Clock(late), packets=12_000, under_way=UNDER_WAY, pace=UNDER_WAY / delay_s, seconds=1e6)
    assert len(moments) == 12_000
    queue = 2 * UNDER_WAY
    assert all(later - first > delay_s for first, later in zip(moments, moments[queue:], strict=False))


def test_whose_time_is_over_says_how_many_were_sent(capsys: pytest.CaptureFixture[str]) -> None:
    moments = sent(Clock([]), packets=50_000, under_way=UNDER_WAY, pace=1000.0, seconds=3.0)
    assert json.loads(capsys.readouterr().out) == {"sent": len(moments)}
    assert 2500 < len(moments) < 3500 and moments[-1] < 3.2


@pytest.mark.parametrize("pace", [None, 1e6])
def test_as_a_process_of_its_own(pace: float | None) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        asked = {"packets": 300, "under_way": 100, "pace": pace, "seconds": 20}
        words = json.dumps({"address": "127.0.0.1", "port": sink.getsockname()[1], **asked})
        command = [sys.executable, "-I", loss_process.__file__, words]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == '{"sent": 300}\n'
        assert len(sink.recv(2048)) == 18
