"""Workers elsewhere, real ones: who is killed, client, worker or scheduler, loses nothing and doubles nothing."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from testbed.cli import main
from testbed.sweeps.grid import load
from testbed.sweeps.makers import remote
from testbed.sweeps.makers.remote import Remote
from testbed.sweeps.points import Points
from tests.unit.sweeping import grid, points

Captured = pytest.CaptureFixture[str]
AS_ROOT = ["--as-root"] if os.geteuid() == 0 else []
MANY = (
    "network.vmotion.goodput: [500Mbit, 600Mbit, 700Mbit, 800Mbit, 900Mbit], "
    "vm.workload.write_rate: [10MB/s, 15MB/s, 20MB/s, 25MB/s, 30MB/s], vm.ram: [200MB, 220MB, 240MB, 256MB]"
)


class Lab:
    """A scheduler and workers as processes of their own, which have a folder for what they do not keep."""

    def __init__(self, tls: list[str], openly: list[str], temporary: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._surroundings = os.environ | {"TMPDIR": temporary}
        self.tls, self._openly, self.all = tls, openly, list["subprocess.Popen[str]"]()
        self.url = f"{'tls' if tls else 'tcp'}://127.0.0.1:{self.port}"

    def scheduler(self) -> "subprocess.Popen[str]":
        """One that listens when this returns."""
        words = ["--host", f"{self.url}", "--no-dashboard", *self._openly]
        started = self._started([sys.executable, "-m", "distributed.cli.dask_scheduler", *words])
        self._told(started, "Scheduler at")
        return started

    def worker(self, stands: Path | None = None) -> "subprocess.Popen[str]":
        """One that has joined when this returns; the folder where it ``stands`` is the caller's, if none is said."""
        words = ["worker", self.url, "--engine", "simulated", *AS_ROOT, *self.tls]
        started = self._started([sys.executable, "-m", "testbed", *words], stands)
        self._told(started, "is there for the sweeps of")
        return started

    def client(self, file: Path, out: Path) -> "subprocess.Popen[str]":
        """A sweep that is under way."""
        words = ["sweep", str(file), "--out", str(out), "--on", self.url, *self.tls]
        return self._started([sys.executable, "-m", "testbed", *words])

    def until(self, client: "subprocess.Popen[str]", done: int) -> None:
        """Returns as soon as a sweep has said that so many points are there."""
        assert client.stderr is not None
        said: list[str] = []
        for line in client.stderr:
            said.append(line)
            if " of " in line and int(line.split(" of ")[0]) >= done:
                return
        raise AssertionError(f"it has ended before: {said[-3:]}")

    def _started(self, argv: list[str], stands: Path | None = None) -> "subprocess.Popen[str]":
        started = subprocess.Popen(
            argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=self._surroundings, cwd=stands
        )
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
    with TemporaryDirectory() as temporary:
        made = Lab(tls or [], openly or [], temporary)
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


def test_a_worker_that_dies_with_what_it_has_made_takes_nothing_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only one: it has made a point, and is dead before that was fetched; another comes."""
    bring = Remote._bring
    with lab() as there:
        there.scheduler()
        first = there.worker()

        async def bring_late(self: Remote, key: str, future: Any) -> None:
            while future.status == "pending":
                await asyncio.sleep(0.01)
            monkeypatch.setattr(Remote, "_bring", bring)
            first.kill()
            first.wait()
            there.worker()
            await bring(self, key, future)

        monkeypatch.setattr(Remote, "_bring", bring_late)
        assert main(["sweep", str(grid(tmp_path)), "--out", str(tmp_path / "out"), "--on", there.url]) == 0
        assert first.returncode == -signal.SIGKILL
    assert len(points(tmp_path / "out")) == 8


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
