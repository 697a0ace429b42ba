"""A folder that its maker holds: the kernel lets go of it with the last process that did, however that ended. So what
nobody holds was left behind.
"""

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path


def hold(folder: Path) -> int | None:
    """A descriptor that holds it until it is closed; None where another does, or has taken it away. Raises ``OSError``
    where none can be held.
    """
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(held), os.lstat(folder)):
            return held
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:
        os.close(held)
        raise
    os.close(held)
    return None


def take_away(folder: Path) -> bool:
    """Whether it was there, held by nobody, and is gone now. What cannot be taken away stays."""
    with suppress(OSError):
        if (held := hold(folder)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)
            return not folder.exists()
    return False
