"""Workers elsewhere: who is killed, client, worker or scheduler, loses nothing; who may send what is asked first."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.cli import main
from testbed.core.errors import PrerequisiteMissing, ScenarioError, TestbedError
from testbed.sweeps.conduct import Sweep
from testbed.sweeps.folder import SweepFolder
from testbed.sweeps.grid import load
from testbed.sweeps.makers import remote, safe
from testbed.sweeps.makers.brought import PointBrought, brought, lay
from testbed.sweeps.points import Points, PointWanted
from tests.unit.sweeping import grid, points

Captured = pytest.CaptureFixture[str]
AS_ROOT = ["--as-root"] if os.geteuid() == 0 else []
MANY = (
    "network.vmotion.goodput: [500Mbit, 600Mbit, 700Mbit, 800Mbit, 900Mbit], "
    "vm.workload.write_rate: [10MB/s, 15MB/s, 20MB/s, 25MB/s, 30MB/s], vm.ram: [200MB, 220MB, 240MB, 256MB]"
)


# ---- Who may send what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("tcp://10.1.2.3:8786", "is neither encrypted nor does it ask who speaks"),
        ("tcp://lab1:8786", "use tls:// with --tls-ca"),
        ("tcp://0.0.0.0:8786", "use tls://"),
        ("tls://lab1:8786", "tls:// needs certificates; give --tls-ca, --tls-cert, --tls-key"),
        ("ucx://127.0.0.1:8786", "a scheduler is tls://HOST:PORT"),
        ("inproc://127.0.0.1:1", "a scheduler is tls://HOST:PORT"),
        ("tcp://127.0.0.1:0", "a scheduler is"),
        ("tcp://127.0.0.1@evil:80", "a scheduler is"),
        ("127.0.0.1:8786", "a scheduler is"),
    ],
)
@pytest.mark.parametrize("command", ["sweep", "worker"])
def test_what_is_not_safe_is_refused(tmp_path: Path, capsys: Captured, url: str, message: str, command: str) -> None:
    words = ["sweep", str(grid(tmp_path)), "--on", url, "--out", str(tmp_path / "out")]
    assert main(words if command == "sweep" else ["worker", url]) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1 and not (tmp_path / "out").exists()


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:8786", "tcp://127.9.9.9:1", "tcp://[::1]:65535"])
def test_this_machine_itself_needs_no_certificates(url: str) -> None:
    assert safe.place(url, safe.Certificates()).certificates is None


def test_a_certificate_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"--tls-ca .*nowhere: there is no such file"):
        safe.place("tls://a:1", safe.Certificates(ca=tmp_path / "nowhere", cert=tmp_path, key=tmp_path))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is asked; run by root")
def test_nobody_is_roots_worker_without_saying_so(capsys: Captured) -> None:
    assert main(["worker", "tcp://127.0.0.1:8786", "--engine", "simulated"]) == 2
    assert "as root; be an ordinary user" in capsys.readouterr().err


def test_without_dask_it_is_said_what_installs_it(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["sweep", str(grid(tmp_path)), "--on", "tcp://127.0.0.1:1"]) == 3
    assert "pip install 'fast-motion[sweep]'" in capsys.readouterr().err


@given(name=st.text(max_size=30) | st.sampled_from(["../x", "/etc/x", "a/../../x", "a//b", ".hidden", "a/b/c/d/e"]))
def test_a_file_that_was_brought_lies_in_its_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    above = tmp_path_factory.mktemp("above")
    try:
        lay({name: b"x"}, above / "run")
    except ScenarioError:
        assert list(above.iterdir()) == []
    else:
        assert (above / "run" / name).resolve().is_relative_to((above / "run").resolve())
        assert [each.name for each in above.iterdir()] == ["run"]


# ---- By a scheduler that does as the test says -----------------------------------------------------------------------

Script = Callable[[PointWanted, str], PointBrought | Exception | None]


class Future:
    """What has ended as soon as it is asked for."""

    def __init__(self, key: str, answer: PointBrought | Exception | None) -> None:
        self.key, self._answer = key, answer
        self.status = {True: "finished", False: "error"}[isinstance(answer, PointBrought)] if answer else "cancelled"

    def add_done_callback(self, tell: Callable[["Future"], None]) -> None:
        tell(self)

    def result(self, timeout: float) -> Any:
        return self._answer

    def exception(self) -> Any:
        return self._answer

    def release(self) -> None:
        """Nothing is held."""


class Client:
    """A scheduler with workers a and b."""

    script: Script

    def __init__(self, *_where: Any, **_how: Any) -> None:
        self.status = "running"

    def scheduler_info(self, n_workers: int) -> Any:
        return {"workers": {f"tcp://{name}": {"name": name, "resources": {"machine": 1.0}} for name in "ab"}}

    def submit(self, _task: Any, wanted: PointWanted, *, key: str, workers: list[str], **_more: Any) -> Future:
        return Future(key, Client.script(wanted, workers[0].removeprefix("tcp://")))

    def close(self, timeout: float) -> None:
        """Nothing is open."""


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Script], tuple[list[str], int]]:
    """Sweeps eight points by a script; what was said, and how many are there."""

    def sweep(script: Script) -> tuple[list[str], int]:
        said: list[str] = []
        monkeypatch.setattr("distributed.Client", Client)
        monkeypatch.setattr(Client, "script", staticmethod(script), raising=False)
        folder, place = SweepFolder(tmp_path / "out"), safe.place("tcp://127.0.0.1:1", safe.Certificates())
        conducted = Sweep(Points(load(grid(tmp_path)), "simulated"), folder, say=said.append)
        conducted.run(lambda: remote.Remote(place, folder, False, said.append))
        return said, len(points(folder.path))

    return sweep


def test_points_of_one_that_lacks_something_are_made_by_others(scripted: Callable[..., tuple[list[str], int]]) -> None:
    def script(wanted: PointWanted, worker: str) -> PointBrought:
        return brought(wanted) if worker == "b" else PointBrought(machine="a", lacks="no room; make some")

    said, there = scripted(script)
    assert there == 8 and set(said) == {"a makes no more: no room; make some"}


def test_where_all_lack_it_that_is_the_end(scripted: Callable[..., tuple[list[str], int]]) -> None:
    with pytest.raises(PrerequisiteMissing, match="no room; make some"):
        scripted(lambda _wanted, worker: PointBrought(machine=worker, lacks="no room; make some"))


def test_one_of_another_version_makes_nothing(scripted: Callable[..., tuple[list[str], int]]) -> None:
    from dataclasses import replace

    with pytest.raises(PrerequisiteMissing, match=r"version 0\.1\.0 is here, and 9\.9 is asked"):
        scripted(lambda wanted, _worker: brought(replace(wanted, version="9.9")))


def test_nobody_waits_for_a_busy_machine_before_another_was_asked(
    scripted: Callable[..., tuple[list[str], int]],
) -> None:
    asked: dict[str, list[bool]] = {}

    def script(wanted: PointWanted, _worker: str) -> PointBrought:
        asked.setdefault(wanted.id, []).append(wanted.wait)
        return brought(wanted) if wanted.wait else PointBrought(machine="a", busy="another run")

    assert scripted(script) == ([], 8) and list(asked.values()) == [[False, True]] * 8


def test_a_point_that_dask_gives_up_is_given_again_but_not_for_ever(
    scripted: Callable[..., tuple[list[str], int]],
) -> None:
    died: set[str] = set()

    def once(wanted: PointWanted, _worker: str) -> PointBrought | Exception:
        if wanted.id in died:
            return brought(wanted)
        died.add(wanted.id)
        return RuntimeError("KilledWorker")

    with pytest.raises(TestbedError, match=r"point 0 \(.*\): KilledWorker"):
        scripted(lambda wanted, _worker: RuntimeError("KilledWorker") if wanted.number == 0 else brought(wanted))
    assert scripted(once)[1] == 8


def test_what_was_cancelled_was_not_made(scripted: Callable[..., tuple[list[str], int]]) -> None:
    with pytest.raises(TestbedError, match="is gone; what was made is kept, and the same command goes on"):
        scripted(lambda _wanted, _worker: None)


# ---- By real ones ----------------------------------------------------------------------------------------------------


class Lab:
    """A scheduler and workers as processes of their own."""

    def __init__(self, tls: list[str], openly: list[str]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.tls, self._openly, self.all = tls, openly, list["subprocess.Popen[str]"]()
        self.url = f"{'tls' if tls else 'tcp'}://127.0.0.1:{self.port}"

    def scheduler(self) -> "subprocess.Popen[str]":
        """One that listens when this returns."""
        words = ["--host", f"{self.url}", "--no-dashboard", *self._openly]
        started = self._started([sys.executable, "-m", "distributed.cli.dask_scheduler", *words])
        self._told(started, "Scheduler at")
        return started

    def worker(self) -> "subprocess.Popen[str]":
        """One that has joined when this returns."""
        words = ["worker", self.url, "--engine", "simulated", *AS_ROOT, *self.tls]
        started = self._started([sys.executable, "-m", "testbed", *words])
        self._told(started, "is there for the sweeps of")
        return started

    def client(self, file: Path, out: Path) -> "subprocess.Popen[str]":
        """A sweep that is under way."""
        words = ["sweep", str(file), "--out", str(out), "--on", self.url, *self.tls]
        return self._started([sys.executable, "-m", "testbed", *words])

    def until(self, client: "subprocess.Popen[str]", done: int) -> None:
        """Returns as soon as a sweep has said that so many points are there."""
        assert client.stderr is not None
        for line in client.stderr:
            if " of " in line and int(line.split(" of ")[0]) >= done:
                return
        raise AssertionError("it has ended before")

    def _started(self, argv: list[str]) -> "subprocess.Popen[str]":
        started = subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.all.append(started)
        return started

    @staticmethod
    def _told(started: "subprocess.Popen[str]", words: str) -> None:
        assert started.stderr is not None
        said = []
        for line in started.stderr:
            said.append(line)
            if words in line:
                return
        raise AssertionError("".join(said))


@contextmanager
def lab(tls: list[str] | None = None, openly: list[str] | None = None) -> Iterator[Lab]:
    made = Lab(tls or [], openly or [])
    try:
        yield made
    finally:
        for each in made.all:
            each.kill()
        for each in made.all:
            each.communicate()


def inodes(out: Path) -> dict[str, int]:
    """Each whole point that is there, and which folder that is."""
    return {each.name: each.stat().st_ino for each in (out / "points").iterdir() if not each.name.startswith(".")}


def test_whoever_is_killed_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    file, out = grid(tmp_path, "repeats: 1", MANY), tmp_path / "out"
    with lab() as there:
        scheduler, first, second = there.scheduler(), there.worker(), there.worker()
        client = there.client(file, out)
        there.until(client, 20)
        first.kill()
        there.until(client, 40)
        client.kill()
        client.wait()
        before = inodes(out)
        assert 40 <= len(before) < 100
        client = there.client(file, out)
        there.until(client, 60)
        scheduler.kill()
        assert client.stderr is not None
        assert "is gone; what was made is kept, and the same command goes on" in client.stderr.read()
        assert client.wait() == 1 and second.wait() == 1, "both say so, and end"
        between = inodes(out)
        assert before.items() <= between.items() and 60 <= len(between) < 100
        there.scheduler()
        there.worker()
        client = there.client(file, out)
        there.until(client, 100)
        assert client.wait() == 0
    after = inodes(out)
    assert len(after) == 100 and between.items() <= after.items()
    assert points(out) == sorted(after), "and nothing half made is left"
    ids = {each.id for each in Points(load(file), "simulated").listed()}
    assert set(after) == ids


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that is its own authority."""
    folder = tmp_path_factory.mktemp("tls")
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab"]
    try:
        subprocess.run(
            [*argv, "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("openssl is not here")
    return folder


def test_by_tls_who_shows_no_certificate_is_not_heard(tmp_path: Path, certificate: Path) -> None:
    ca, cert, key = (str(certificate / name) for name in ("cert.pem", "cert.pem", "key.pem"))
    ours = ["--tls-ca", ca, "--tls-cert", cert, "--tls-key", key]
    with lab(ours, ["--protocol", "tls", "--tls-ca-file", ca, "--tls-cert", cert, "--tls-key", key]) as there:
        there.scheduler()
        worker = there.worker()
        assert main(["sweep", str(grid(tmp_path)), "--out", str(tmp_path / "out"), "--on", there.url, *ours]) == 0
        worker.send_signal(signal.SIGINT)
        assert worker.wait() == 130
    assert len(points(tmp_path / "out")) == 8


def test_where_no_scheduler_answers_it_is_said(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "CONNECT_S", 1)
    assert main(["sweep", str(grid(tmp_path)), "--out", str(tmp_path / "out"), "--on", "tcp://127.0.0.1:9"]) == 1
    err = capsys.readouterr().err
    assert "no scheduler answers at tcp://127.0.0.1:9" in err.splitlines()[-1]
