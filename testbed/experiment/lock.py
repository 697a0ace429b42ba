"""One run at a time: a lock that the kernel opens by itself when its holder dies, and that says who holds it.

Who waits for it is in the kernel's own queue, so that nobody who comes later is served before.
"""

import fcntl
import json
import os
import pwd
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Self

from testbed.core.errors import MachineBusy
from testbed.experiment.state import RUNTIME, make_private, writing
from testbed.linux.namespaces.outside import outside
from testbed.linux.processes.caller import is_root


class MachineLock:
    """Holds the machine for one run. ``with MachineLock("hello"): ...`` raises ``MachineBusy`` with who holds it.

    ``waiting``: it does not, but tells who that is and waits for its turn.
    """

    def __init__(self, what: str, runtime: Path = RUNTIME, waiting: Callable[[str], None] | None = None) -> None:
        self._what, self._runtime, self._fd = what, runtime, -1
        self._waiting = waiting
        self._file = runtime / "lock"

    def __enter__(self) -> Self:
        with writing(self._runtime):
            make_private(self._runtime)
            while not self._take():
                """Another file has come in its place meanwhile."""
        try:
            self._sign()
        except BaseException:
            os.close(self._fd)  # or a notebook would hold it, unsigned, until its end
            raise
        return self

    def __exit__(self, *_fault: object) -> None:
        os.ftruncate(self._fd, 0)
        os.close(self._fd)

    def _take(self) -> bool:
        """Whether the lock file is ours now and still the one of that name. Raises ``MachineBusy``."""
        self._fd = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        exposed = bool(stat.S_IMODE(os.fstat(self._fd).st_mode) & 0o077)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._fd, 4096, 0)
            if not exposed or _is_a_run(holder):
                self._wait(holder, error)
        named = self._is_named()
        if named and not exposed:
            return True
        if named:
            # Whoever could once read it may have it open, which is enough to hold it. The next file is ours alone.
            self._file.unlink(missing_ok=True)
        os.close(self._fd)
        return False

    def _wait(self, holder: bytes, error: OSError) -> None:
        """Until it is free, and then it is ours; or raises ``MachineBusy``."""
        try:
            if self._waiting is None:
                raise MachineBusy(_who(holder, "sudo kill" if is_root() else "kill")) from error
            self._waiting(f"waiting for this machine: {_signed(holder)[0] or 'another run'} holds it")
            fcntl.flock(self._fd, fcntl.LOCK_EX)
        except BaseException:
            os.close(self._fd)
            raise

    def _is_named(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._fd), self._file.lstat())
        except FileNotFoundError:
            return False

    def _sign(self) -> None:
        since = datetime.now().strftime("%H:%M:%S")
        known = outside()
        pid = known.pid if known else os.getpid()
        text = json.dumps({"who": _user(), "pid": pid, "scenario": self._what, "since": since})
        with writing(self._runtime):
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, text.encode(), 0)


def _is_a_run(holder: bytes) -> bool:
    """Whether the process that signed is there and may hold the lock: it is of the user whom the lock belongs to."""
    with suppress(ValueError, KeyError, TypeError, OSError):
        return Path("/proc", str(int(json.loads(holder)["pid"]))).stat().st_uid == os.geteuid()
    return False


def _who(holder: bytes, ended: str) -> str:
    who, pid = _signed(holder)
    if not who:
        return "another run holds this machine and has not said which yet; try again"
    return f"another run holds this machine: {who}; wait for its end (run --wait), or end it: {ended} {pid}"


def _signed(holder: bytes) -> tuple[str, str]:
    """Who signed, and for what, and their process; both are empty where nobody has yet."""
    try:
        signed = json.loads(holder)
        who = f"{signed['who']} runs '{signed['scenario']}' since {signed['since']} (process {signed['pid']})"
        return who, str(signed["pid"])
    except (ValueError, KeyError, TypeError):
        return "", ""


def _user() -> str:
    """Who asked for the run, through sudo or not."""
    if (known := outside()) is not None:
        return known.user
    named = os.environ.get("SUDO_USER")
    try:
        return named or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
