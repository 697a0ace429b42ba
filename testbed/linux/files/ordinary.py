"""A file that somebody else made, opened to be read: no link is followed, no pipe waited for, no device read."""

import os
import stat
from pathlib import Path


def ordinary(path: Path) -> int | None:
    """A descriptor, which is the caller's; None where something else than an ordinary file is. Raises ``OSError``, and
    ``ValueError`` for what can be no path.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    return None
