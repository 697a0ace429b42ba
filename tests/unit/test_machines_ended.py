"""Ctrl-C and other ends, while an image is made and while a machine runs: nothing runs on, nothing half made stays.

What makes images, starts machines and lets in are programs of these tests; all else is as `bootstrap machine` has it.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from machines import cache
from machines.kinds import KINDS

CHECKOUT = Path(__file__).resolve().parents[2]
QEMU = KINDS["debian-13"].emulator

# As `python -m machines`, but that nothing is fetched, and neither what is installed here, nor this processor, nor KVM,
# nor apt is asked for.
START = """
import sys
from machines import __main__, emulator, foreign, image, told
emulator.accelerator = lambda kind, image: ["-accel", "tcg"]
foreign.within = lambda kind: []
image.require = lambda kind: None
told.fetch_wheels = lambda kind, checkout, into: into.mkdir()
told.of_apt = lambda: ([], [])
sys.exit(__main__.main(["debian-13", "lasting"]))
"""
# One that says that it is there, and stays; some do not mind being asked to end.
LASTS = '#!/bin/sh\n{minded}echo $$ >"{said}/${{0##*/}}"\nexec sleep 600\n'
# As QEMU, which begins its console's log.
EMULATES = """#!/usr/bin/python3 -I
import os, sys, time
from pathlib import Path
(console,) = [word.removeprefix("file:") for word in sys.argv if word.startswith("file:")]
Path(console).touch()
Path("{said}", Path(sys.argv[0]).name).write_text(f"{{os.getpid()}}\\n")
time.sleep(600)
"""
DEAF = "trap '' TERM\n"
KEYS = '#!/bin/sh\nfor file; do :; done\necho secret >"$file"\necho ssh-ed25519 public >"$file.pub"\n'
LETS_IN = '#!/bin/sh\ncase "$*" in *lasting*) exec {folder}/lasting ;; esac\ncat >/dev/null\n'


@dataclass(frozen=True, slots=True)
class Stand:
    """A folder of fakes, and the cache that they work for."""

    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    cache = property(lambda self: self.folder / "cache")

    def fake(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def lasting(self, name: str, *, deaf: bool = False) -> None:
        self.fake(name, LASTS.format(said=self.folder / "said", minded=DEAF if deaf else ""))

    def has_image(self) -> None:
        key = cache.key(KINDS["debian-13"], CHECKOUT, [str([]), str([])])
        (self.cache / key).mkdir(parents=True)

    def start(self) -> subprocess.Popen[str]:
        env = {
            "PATH": f"{self.folder}:/usr/bin:/bin:/usr/sbin",
            "PYTHONPATH": str(CHECKOUT),
            "TESTBED_MACHINES": str(self.cache),
        }
        words = [sys.executable, "-P", "-c", START]
        started = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=env, start_new_session=True)
        self.started.append(started)
        return started

    def running(self, name: str) -> int:
        """A descriptor of the fake's process, once it has said that it is there."""
        said, until = self.folder / "said" / name, time.monotonic() + 60
        while not (said.is_file() and said.read_text().endswith("\n")):
            ended = [end_of(each) for each in self.started if each.poll() is not None]
            assert not ended and time.monotonic() < until, f"{name} was not started: {ended}"
            time.sleep(0.01)
        return os.pidfd_open(int(said.read_text()))


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    (tmp_path / "said").mkdir()
    made = Stand(tmp_path)
    made.fake("ssh-keygen", KEYS)
    yield made
    for each in made.started:
        with each:
            each.kill()


@pytest.fixture
def gone() -> Iterator[Callable[[int], bool]]:
    """Whether a process has ended, some time after who started it."""
    taken = []

    def has_ended(pidfd: int) -> bool:
        taken.append(pidfd)
        return bool(select.select([pidfd], [], [], 30)[0])

    yield has_ended
    for pidfd in taken:
        os.close(pidfd)


def end_of(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """The exit code, and what was said last."""
    _, said = process.communicate(timeout=60)
    return process.returncode, said.splitlines()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_ended_while_an_image_is_made(
    stand: Stand, gone: Callable[[int], bool], number: signal.Signals, code: int
) -> None:
    stand.lasting("mmdebstrap")
    process = stand.start()
    maker = stand.running("mmdebstrap")
    os.killpg(process.pid, number)
    ended, said = end_of(process)
    assert (ended, gone(maker)) == (code, True)
    assert sorted(each.name for each in stand.cache.iterdir()) == ["lock", "making.log"]
    assert not any("Traceback" in line for line in said), said
    if number == signal.SIGINT:
        assert said[-1] == "machine: interrupted; nothing of it runs on"


@pytest.mark.needs_root("mounting, as root's maker of images does")
def test_what_a_killed_maker_has_mounted_goes_with_it(stand: Stand, gone: Callable[[int], bool]) -> None:
    """Nothing that takes its folder away can come through it to this machine's own /proc, /sys or devices."""
    mounted = stand.folder / "cache" / "mounted"
    makes = f'mkdir -p "{mounted}" && mount -t tmpfs maker "{mounted}" && : >"{mounted}/there" && ls "{mounted}" >&2\n'
    stand.fake("mmdebstrap", LASTS.format(said=stand.folder / "said", minded=makes + DEAF))
    process = stand.start()
    maker = stand.running("mmdebstrap")
    assert not list(mounted.iterdir()), "seen from outside it"
    os.killpg(process.pid, signal.SIGKILL)
    end_of(process)
    signal.pidfd_send_signal(maker, signal.SIGKILL)
    assert gone(maker) and str(mounted) not in Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    assert (stand.cache / "making.log").read_text(encoding="utf-8").split() == ["there"]


@pytest.mark.parametrize("pause_s", [0.2, 0.001])
def test_who_cannot_wait_for_the_maker_interrupts_once_more(
    stand: Stand, gone: Callable[[int], bool], pause_s: float
) -> None:
    stand.lasting("mmdebstrap", deaf=True)
    process = stand.start()
    maker = stand.running("mmdebstrap")
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    while process.poll() is None and time.monotonic() < began + 60:
        time.sleep(pause_s)
        os.killpg(process.pid, signal.SIGINT)
    ended = process.wait(), gone(maker)
    assert ended == (130, True)
    assert sorted(each.name for each in stand.cache.iterdir()) == ["lock", "making.log"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ended_while_a_machine_runs(stand: Stand, gone: Callable[[int], bool], number: signal.Signals) -> None:
    stand.has_image()
    stand.fake(QEMU, EMULATES.format(said=stand.folder / "said"))
    stand.lasting("lasting")
    stand.fake("ssh", LETS_IN.format(folder=stand.folder))
    process = stand.start()
    machine, command = stand.running(QEMU), stand.running("lasting")
    os.killpg(process.pid, number)
    ended, said = end_of(process)
    assert ended == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number], said
    assert gone(machine) and gone(command)
    pid = (stand.folder / "said" / QEMU).read_text().strip()
    assert list(Path("/dev/shm").glob(f"*faketime*_{pid}")) == []
    with cache.held(stand.cache):
        pass
