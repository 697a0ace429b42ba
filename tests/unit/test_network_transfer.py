"""A measurement without hosts: its two processes over the loopback, and ends that break in the midst of it."""

import inspect
import json
import subprocess
import sys
from dataclasses import fields
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.errors import TestbedError
from testbed.core.plan import LinkPlan
from testbed.core.text.json_lines import json_line, read_json_line
from testbed.network import calibrate
from testbed.network.hosts import Host, Interface
from testbed.network.traffic import iperf3, transfer_process
from testbed.network.traffic import transfer as probing
from testbed.network.traffic.link_script import LinkScript, ListeningPort
from testbed.network.traffic.transfer import ProbeReceived, ProbeReceiver, ProbeSender, ProbeSent, transfer

MUTE = "import signal; signal.pause()"
PORT = "print('{\"port\": 9}', flush=True)\n"


class Here:
    """Starts processes on this machine itself, or a test's own programs: the stand-in of a ``Fabric``."""

    def __init__(self, device: str = "lo", **programs: str) -> None:
        self._device, self._programs = device, programs
        self.plan = SimpleNamespace(vmotion=SimpleNamespace(congestion="reno"))

    def host(self, name: str) -> Host:
        ip = Interface(name=self._device, ip="127.0.0.1", prefix=8, mac="00:00:00:00:00:00")
        return Host(name=name, pid=1, vmotion=ip, vm=None)

    def spawn(self, host: str, argv: list[str], **more: Any) -> "subprocess.Popen[bytes]":
        program = self._programs.get(host)
        return subprocess.Popen([sys.executable, "-c", program] if program is not None else argv, **more)


def measure(hosts: Any, **more: Any) -> probing.Transfer:
    try:
        return transfer(hosts, congestion="reno", **more)
    finally:
        assert psutil.Process().children() == []


def test_what_was_sent_has_arrived_and_round_trips_were_timed() -> None:
    seen = measure(Here(), size=3_000_000, settle_bytes=1_000_000, round_trips=7)
    assert seen.size == 3_000_000 and seen.goodput > 0 and seen.whole > 0
    assert seen.rtt_s is not None and 0 < seen.rtt_s < 1


def test_nothing_is_a_measurement_too() -> None:
    seen = measure(Here(), back=True)
    assert (seen.size, seen.goodput, seen.rtt_s) == (0, 0.0, None)


def test_more_round_trips_than_a_pipe_holds_are_heard() -> None:
    says = "import json; print(json.dumps({'round_trips': [0.001] * 20_000, 'whole_s': 1.0}))"
    arrived = json_line(ProbeReceived(size=8, goodput=4.0, whole_s=2.0, first_s=0.1)).decode().strip()
    assert measure(Here(esx1=says, esx2=f"{PORT}print({arrived!r})")).rtt_s == 0.001


def test_what_the_kernel_refuses_is_said_in_its_own_words() -> None:
    with pytest.raises(TestbedError, match=r"could not be measured: OSError: .*No such device"):
        measure(Here("nowhere"), size=1)


@pytest.mark.parametrize(
    ("programs", "words"),
    [
        ({"esx2": "", "esx1": MUTE}, "its process ended without a word"),
        ({"esx2": "import os; os.kill(os.getpid(), 9)", "esx1": MUTE}, "its process ended without a word"),
        ({"esx2": "print('[1]')", "esx1": MUTE}, "its process ended without a word"),
        ({"esx2": "import sys; sys.exit('no\\x1bway')", "esx1": MUTE}, r"no\\x1bway"),
        ({"esx2": f"{PORT}{MUTE}", "esx1": "import sys; sys.exit('unreachable')"}, "unreachable"),
    ],
)
def test_an_end_that_breaks_is_one_sentence(programs: dict[str, str], words: str) -> None:
    with pytest.raises(TestbedError, match=f"the link could not be measured: {words}"):
        measure(Here(**programs))


def test_a_link_that_lets_nothing_pass_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "_PATIENCE_S", 0.0)
    with pytest.raises(TestbedError, match="nothing passes the link"):
        measure(Here(esx2=MUTE, esx1=MUTE))


def test_a_link_on_which_it_takes_longer_is_waited_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    waited, hear = list[float](), LinkScript.hear

    def noted(end: LinkScript, timeout_s: float) -> bytes | None:
        waited.append(timeout_s)
        return hear(end, timeout_s)

    monkeypatch.setattr(LinkScript, "hear", noted)
    measure(Here(), size=1000, takes_s=100.0)
    assert max(waited) == 130


@pytest.mark.parametrize(
    "plan", [LinkPlan(rate=1e8, delay_s=0.5), LinkPlan(rate=5e4), LinkPlan(rate=1e8, delay_s=0.5, loss=0.01)]
)
def test_how_long_a_slow_or_far_link_takes_is_known_beforehand(monkeypatch: pytest.MonkeyPatch, plan: LinkPlan) -> None:
    asked: list[dict[str, Any]] = []

    def noted(_fabric: object, **more: Any) -> probing.Transfer:
        asked.append(more)
        return probing.Transfer(size=1, goodput=1.0, whole=1.0, rtt_s=1.0, least_rtt_s=1.0)

    monkeypatch.setattr(calibrate, "transfer", noted)
    calibrate._Proving(cast(Any, None), plan).direction(back=False)
    assert all(each["takes_s"] > 30 for each in asked) and asked


SECONDS = st.floats(1e-9, 1e9)


@given(st.builds(ProbeSent, round_trips=st.lists(SECONDS, max_size=20), whole_s=SECONDS))
def test_what_an_end_says_is_heard(said: ProbeSent) -> None:
    assert read_json_line(ProbeSent, json_line(said)) == said


def test_both_ends_know_the_same_requests() -> None:
    """``probe`` cannot import them: it is started without anything but Python's own library."""
    for request, function in ((ProbeReceiver, transfer_process.receive), (ProbeSender, transfer_process.send)):
        assert inspect.signature(function).parameters.keys() - {"port"} == {field.name for field in fields(request)}
    assert [field.name for field in fields(ListeningPort)] == ["port"]


SERVER = "print('Server listening on 5201', flush=True)\n"
REFUSED = json.dumps({"start": {}, "end": {}, "error": "unable to connect"})
REPORT = {"start": {}, "end": {"sum_received": {"bits_per_second": 8e8, "seconds": 1}}}


def iperf(monkeypatch: pytest.MonkeyPatch, seconds: float = 1.0, **programs: str) -> float:
    hosts: Any = Here(**programs)
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/iperf3")
    try:
        return iperf3.iperf3_goodput(hosts, seconds)
    finally:
        assert psutil.Process().children() == []


def test_iperf3s_report_is_read_and_both_its_ends_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    says = f"import json; print(json.dumps({REPORT}, indent=1))"
    assert iperf(monkeypatch, esx2=SERVER + MUTE, esx1=says) == 1e8


@pytest.mark.parametrize(
    ("server", "client", "words"),
    [
        ("", "", "server did not start"),
        (
            SERVER + MUTE,
            f"print({json.dumps({'error': 'unable to connect'})!r}); raise SystemExit(1)",
            "unable to conn",
        ),
        (SERVER + MUTE, "raise SystemExit(1)", "it said nothing"),
        (SERVER + MUTE, "print('{')", "iperf3 failed: "),
    ],
)
def test_an_iperf3_that_fails_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, server: str, client: str, words: str
) -> None:
    with pytest.raises(TestbedError, match=words):
        iperf(monkeypatch, esx2=server, esx1=client)


def test_an_iperf3_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TestbedError, match="did not end"):
        iperf(monkeypatch, seconds=-60.0, esx2=SERVER + MUTE, esx1=MUTE)
