"""Files and folders that a run leaves: made by descriptor, not following links, for who called ``sudo``.

Root writes them, and who else uses this machine may have made the folder first, with a link in it. So the way to a
folder is walked directory by directory, each of which must be one in which nobody else can exchange anything
(``trust``), and a file is made new, or put in place whole, or was ours before.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from testbed.core.errors import ScenarioError
from testbed.linux.files.trust import Trusted
from testbed.linux.processes.caller import caller, is_root

FILE_MODE, FOLDER_MODE = 0o640, 0o750
"""Packets and a guest's every operation are in them: nobody else's business."""
_MOST_LINKS = 40
_SEEN = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_ANOTHER = "choose a folder of your own"


@contextmanager
def folder(path: Path, *, make: bool = False) -> Iterator[int]:
    """A descriptor of the folder; ``make``: it is made, and what lies above it, where it is not there.

    Links of those whom we trust are followed. Raises ``ScenarioError`` where it is, or lies in, one that is another's;
    ``OSError``.
    """
    trusted = Trusted.now()
    here = _walk(path, trusted, make)
    try:
        if fault := trusted.fault(here):
            raise ScenarioError(f"{path} {fault}: what is in it could be exchanged; {_ANOTHER}")
        readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=here)
    finally:
        os.close(here)
    try:
        yield readable
    finally:
        os.close(readable)


def make_folder(path: Path) -> list[str]:
    """Makes the folder and what lies above it, where they are not there; the names of what is in it."""
    with folder(path, make=True) as here:
        return os.listdir(here)


def new_folder(path: Path) -> None:
    """One that was not there; what lies above it is made where it is not. Raises ``FileExistsError``."""
    with folder(path.parent, make=True) as here:
        _new_folder(path.name, here)


def write(path: Path, content: bytes, *, sync: bool = False) -> None:
    """The whole file or nothing of it, in place of what had that name; ``sync``: on the disk when this returns. Takes
    up the room that ``reserve`` may have taken. Raises ``OSError``, also where a device or a pipe has that name.
    """
    with folder(path.parent) as here:
        if not _is_replaceable(path.name, here):
            raise FileExistsError(errno.EEXIST, f"'{path.name}' is a device or a pipe, and no file", str(path))
        new = f".{path.name}.{secrets.token_hex(4)}"
        try:
            with os.fdopen(_with_room(path.name, new, here), "wb") as file:
                file.write(content)
                file.truncate()
                file.flush()
                if sync:
                    os.fsync(file.fileno())
            os.replace(new, path.name, src_dir_fd=here, dst_dir_fd=here)
            if sync:
                os.fsync(here)
        except BaseException:
            _gone(new, here)
            raise


def reserve(path: Path, size: int) -> None:
    """Room for so many bytes, which ``write`` will find there when the disk is full."""
    with folder(path.parent) as here:
        _gone(_room(path.name), here)
        descriptor = _new(_room(path.name), os.O_WRONLY, here)
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError:
            _gone(_room(path.name), here)
            raise
        finally:
            os.close(descriptor)


def release(path: Path) -> None:
    """Gives back what ``reserve`` took, where that is still there."""
    with folder(path.parent) as here:
        _gone(_room(path.name), here)


def append(path: Path, buffering: int = -1) -> IO[bytes]:
    """To go on writing, or to begin. Raises ``OSError``, also for what is no plain file of those whom we trust."""
    with folder(path.parent) as here:
        flags = os.O_WRONLY | os.O_APPEND
        try:
            descriptor = _new(path.name, flags, here)
        except FileExistsError:
            descriptor = os.open(path.name, flags | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
    if not _is_ours(descriptor):
        os.close(descriptor)
        raise FileExistsError(errno.EEXIST, f"'{path.name}' is there and is no file of this run", str(path))
    return os.fdopen(descriptor, "ab", buffering)


def extend(file: IO[bytes], lines: bytes) -> None:
    """More lines for a file that ``append`` opened unbuffered: all of them or none, since half a line would spoil those
    that come after it. Raises ``OSError``.
    """
    whole, data = os.fstat(file.fileno()).st_size, memoryview(lines)
    try:
        while data:
            data = data[file.write(data) or 0 :]
    except OSError:
        with suppress(OSError):
            file.truncate(whole)
        raise


def create(path: Path) -> IO[bytes]:
    """A new file. Raises ``FileExistsError``, also where a link has its name."""
    with folder(path.parent) as here:
        return os.fdopen(_new(path.name, os.O_WRONLY, here), "wb")


def remove(path: Path) -> None:
    """A file, or a link and not what it leads to, if it is there."""
    with folder(path.parent) as here:
        _gone(path.name, here)


def _is_replaceable(name: str, here: int) -> bool:
    """Root that puts a file in the place of ``/dev/null``, or of ``/dev/stdout``, takes it from the whole machine."""
    try:
        kind = stat.S_IFMT(os.stat(name, dir_fd=here).st_mode)
        is_link = stat.S_ISLNK(os.lstat(name, dir_fd=here).st_mode)
        leads_to = os.readlink(name, dir_fd=here) if is_link else ""
    except OSError:
        return True  # there is nothing, or a link that leads nowhere
    return kind in (stat.S_IFREG, stat.S_IFDIR) and not leads_to.startswith("/proc/")


def _new(name: str, flags: int, here: int) -> int:
    descriptor = os.open(name, flags | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE, dir_fd=here)
    _give(descriptor)
    return descriptor


def _new_folder(name: str, here: int) -> None:
    os.mkdir(name, FOLDER_MODE, dir_fd=here)
    made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
    _give(made)
    os.close(made)


def _room(name: str) -> str:
    return f".{name}.room"


def _with_room(name: str, new: str, here: int) -> int:
    """A file of that new name, with what was reserved for it. In /tmp anybody may make one that looks like that, and
    would have what is written to it.
    """
    with suppress(OSError):
        descriptor = os.open(_room(name), os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
        try:
            if _is_ours(descriptor):
                os.rename(_room(name), new, src_dir_fd=here, dst_dir_fd=here)
                return os.dup(descriptor)
        finally:
            os.close(descriptor)
    return _new(new, os.O_WRONLY, here)


def _is_ours(descriptor: int) -> bool:
    """Whether it is a plain file of those whom we trust, and has no second name."""
    found = os.fstat(descriptor)
    return stat.S_ISREG(found.st_mode) and found.st_nlink <= 1 and found.st_uid in Trusted.now().uids


def _gone(name: str, here: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=here)


def _give(descriptor: int) -> None:
    """To who called ``sudo``. A shared folder of a virtual machine may have no owners: then it is as that makes it."""
    if to := caller():
        with suppress(OSError):
            os.fchown(descriptor, to.uid, to.gid)


def _walk(path: Path, trusted: Trusted, make: bool) -> int:
    """From the root, name by name; each directory is held by a descriptor before anything in it is looked at."""
    whole = path if path.is_absolute() else Path(Path.cwd(), path)  # the current folder may be gone
    left, links = list(reversed(whole.parts[1:])), 0
    here = os.open("/", _SEEN | os.O_DIRECTORY)
    try:
        while left:
            _check(here, path, trusted)
            name = left.pop()
            below = _below(name, here, make and name != "..")
            if stat.S_ISLNK(os.fstat(below).st_mode):
                links += 1
                target = _target(below, path, trusted, links)
                left += [part for part in reversed(target.parts) if part != "/"]
                below = os.open("/" if target.is_absolute() else ".", _SEEN | os.O_DIRECTORY, dir_fd=here)
            above, here = here, below  # first: a signal may be raised as soon as it is closed
            os.close(above)
    except BaseException:
        os.close(here)
        raise
    return here


def _below(name: str, here: int, make: bool) -> int:
    """What has that name: a directory or a link. Raises ``OSError`` for anything else."""
    if make:
        with suppress(FileExistsError):
            _new_folder(name, here)
    below = os.open(name, _SEEN, dir_fd=here)
    if stat.S_IFMT(os.fstat(below).st_mode) not in (stat.S_IFDIR, stat.S_IFLNK):
        os.close(below)
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name)
    return below


def _target(link: int, path: Path, trusted: Trusted, links: int) -> Path:
    """Where it leads; it is closed."""
    try:
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        if os.fstat(link).st_uid not in trusted.uids:
            raise ScenarioError(f"{path} is behind a link that is somebody else's; {_ANOTHER}")
        return Path(os.readlink("", dir_fd=link))
    finally:
        os.close(link)


def _check(here: int, path: Path, trusted: Trusted) -> None:
    """Only root can be led into what is not theirs: everybody else has but their own rights."""
    if is_root() and (fault := trusted.fault(here)):
        above = os.readlink(f"/proc/self/fd/{here}")
        raise ScenarioError(f"{path} lies in {above}, which {fault}: it could be exchanged; {_ANOTHER}")
