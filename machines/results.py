"""What comes back from a machine: a tar archive that anybody may have made, of which files and folders are taken."""

import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from machines.faults import MachineError

MOST_BYTES, MOST_MEMBERS = 4 << 30, 100_000


def unpack(archive: IO[bytes], into: Path) -> list[str]:
    """Takes what is new at the top of ``into``, which is not touched where something has that name already.

    Returns the names that were taken. Raises ``MachineError`` for anything but plain files and folders below it.
    """
    into.mkdir(parents=True, exist_ok=True)
    here = set(os.listdir(into))
    taken: dict[str, None] = {}
    try:
        with tarfile.open(fileobj=archive, mode="r|") as members:
            for member, parts in _checked(members):
                if parts and parts[0] not in here:
                    taken[parts[0]] = None
                    _take(members, member, into.joinpath(*parts))
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise MachineError(f"results: they cannot be read ({' '.join(str(error).split())})") from error
    return list(taken)


def _checked(members: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, tuple[str, ...]]]:
    """Each member and the parts of its name, as long as nothing is wrong with any."""
    left, count = MOST_BYTES, 0
    for member in members:
        path = PurePosixPath(member.name)
        count, left = count + 1, left - member.size
        if path.is_absolute() or ".." in path.parts or "\0" in member.name:
            raise MachineError(f"results: {member.name!r} leads out of their folder; nothing more was taken")
        if not (member.isreg() or member.isdir()):
            raise MachineError(f"results: {member.name!r} is neither file nor folder; nothing more was taken")
        if left < 0 or count > MOST_MEMBERS:
            most = f"{MOST_BYTES >> 30} GiB or {MOST_MEMBERS:,} files"
            raise MachineError(f"results: they are more than {most}; nothing more was taken")
        yield member, path.parts


def _take(members: tarfile.TarFile, member: tarfile.TarInfo, file: Path) -> None:
    content = members.extractfile(member)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        (file if member.isdir() else file.parent).mkdir(parents=True, exist_ok=True)
        if member.isdir():
            return
        made = os.open(file, flags, 0o644 | (member.mode & stat.S_IXUSR))
    except OSError as error:
        raise MachineError(f"results: {file} cannot be written ({error.strerror})") from error
    with os.fdopen(made, "wb") as out:
        while content and (piece := content.read(1 << 20)):
            out.write(piece)
