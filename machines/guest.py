"""What is done in a machine that has started: the checkout goes in, a command runs, its results come back."""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from machines import image, results
from machines.cache import Image
from machines.faults import MachineError
from machines.kinds import CHECKOUT, USER, VENV

START_S = 600
"""How long a machine may take until it answers, however busy this one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The way into a machine: ssh, with keys that were made for its image alone."""

    image: Image
    port: int

    def command(self, *options: str) -> list[str]:
        """ssh up to what it is to run."""
        chosen = {
            "BatchMode": "yes",
            "HostKeyAlias": "machine",
            "IdentitiesOnly": "yes",
            "LogLevel": "ERROR",
            "StrictHostKeyChecking": "yes",
            "GlobalKnownHostsFile": "/dev/null",
            "UserKnownHostsFile": str(self.image.known_hosts),
            "ConnectTimeout": "20",
        }
        settings = [word for name, value in chosen.items() for word in ("-o", f"{name}={value}")]
        named = ["-p", str(self.port), "-i", str(self.image.user_key), *options, f"{USER}@127.0.0.1"]
        return ["ssh", "-F", "/dev/null", *settings, *named]

    def await_answer(self, machine: "subprocess.Popen[bytes]") -> None:
        """Until it lets us in. Raises ``MachineError`` when it ended, or does not within ``START_S``."""
        started = time.monotonic()
        while machine.poll() is None and time.monotonic() - started < START_S:
            asked = [*self.command(), "true"]
            if subprocess.run(asked, capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(1)
        state = f"ended with exit code {machine.returncode}" if machine.poll() is not None else "does not answer"
        raise MachineError(f"the machine {state}. The last it and QEMU said, of {self.image.folder}:\n{self._said()}")

    def _said(self) -> str:
        logs = [log for log in (self.image.console, self.image.said) if log.is_file()]
        lines = [line for log in logs for line in image.last_lines(log)]
        return "\n".join(f"    {line}" for line in lines) or "    nothing"

    def put(self, checkout: Path) -> None:
        """The checkout as it is now, in place of the one in the image. What is made and dear to make stays."""
        made = "-not -path './docs/_build/*' -not -path './*.egg-info/*'"
        keep = f"cd {CHECKOUT} && find . -mindepth 1 -type f {made} -delete"
        with tempfile.TemporaryFile() as archive:
            image.pack(checkout, archive)
            archive.seek(0)
            # By a clock that is slower than ours our files are of the future.
            take = f"{keep} && tar --extract --warning=no-timestamp --directory {CHECKOUT}"
            done = subprocess.run([*self.command(), take], stdin=archive, check=False)
        if done.returncode:
            raise MachineError("the checkout could not be copied into the machine: why is said above")

    def run(self, words: Sequence[str]) -> int:
        """The command's exit code. It has this terminal where there is one, and its output is its own."""
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        line = f"cd {CHECKOUT} && export TESTBED_VENV={VENV} && {shlex.join(words)}"
        return subprocess.run([*self.command(*(["-t"] if terminal else [])), line], check=False).returncode

    def fetch(self, into: Path) -> list[str]:
        """Names of the folders that were new in the machine's ``results``, and are now in ``into``."""
        asked = f"cd {CHECKOUT} && test -d results && sudo tar --create --directory results . || true"
        with tempfile.TemporaryFile() as archive:
            subprocess.run([*self.command(), asked], stdout=archive, stdin=subprocess.DEVNULL, check=False)
            if not archive.tell():
                return []
            archive.seek(0)
            return results.unpack(archive, into)


def owned_as(place: Path, names: Sequence[str], like: Path) -> None:
    """What root brought into a user's folder is the user's."""
    if os.geteuid() or not names:
        return
    owner = like.stat()
    for top in (place / name for name in names):
        for each in (top, *top.rglob("*")):
            os.chown(each, owner.st_uid, owner.st_gid, follow_symlinks=False)
