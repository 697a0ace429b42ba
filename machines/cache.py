"""Where images stay, under a key over all that made them; and that one call at a time has them."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from machines.faults import CacheBusy, MachineError
from machines.kinds import PACKAGES, Kind

_MADE_OF = (
    "bootstrap",
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-docs.txt",
    "requirements-sweep.txt",
    "machines/fill",
    "machines/provision",
    "machines/image.py",
)


@dataclass(frozen=True, slots=True)
class Image:
    """A machine's files: its disk, its kernel, and the keys by which it is spoken to."""

    folder: Path

    disk = property(lambda self: self.folder / "disk")
    kernel = property(lambda self: self.folder / "vmlinuz")
    initrd = property(lambda self: self.folder / "initrd")
    user_key = property(lambda self: self.folder / "user")
    host_key = property(lambda self: self.folder / "host")
    known_hosts = property(lambda self: self.folder / "known_hosts")
    console = property(lambda self: self.folder / "console.log")
    said = property(lambda self: self.folder / "qemu.log")


def folder() -> Path:
    """Where images stay. It may be removed at any time when no machine runs. Raises ``MachineError`` for who has no
    home and has named no other place.
    """
    if own := os.environ.get("TESTBED_MACHINES"):
        return Path(own).absolute()
    home = Path(os.path.expanduser("~/.cache"))
    if not (cache := os.environ.get("XDG_CACHE_HOME")) and not home.is_absolute():
        raise MachineError("you have no home for images here: name a folder in TESTBED_MACHINES")
    return Path(cache or home) / "fast-motion" / "machines"


def key(kind: Kind, checkout: Path, told: list[str]) -> str:
    """What an image is known by: another wherever anything that made it is another."""
    made = hashlib.sha256(repr((kind, PACKAGES, told)).encode())
    for name in _MADE_OF:
        made.update(f"\0{name}\0".encode() + (checkout / name).read_bytes())
    return f"{kind.name}-{made.hexdigest()[:16]}"


@contextmanager
def held(place: Path) -> Iterator[None]:
    """The cache, for this call alone, until it ends in whatever way. Raises ``CacheBusy``."""
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise MachineError(f"{place} cannot be had ({error.strerror}): name another in TESTBED_MACHINES") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise CacheBusy(f"another machine of {place} is running; each has its processors to itself") from error
    finally:
        os.close(lock)
