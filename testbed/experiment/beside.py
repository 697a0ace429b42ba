"""Others' runs at the same time: each says that it is there, and each looks who is.

A lock is its user's own, so that nobody can hold up anybody else. Two runs beside each other share processors and
memory bandwidth all the same, and neither's figures are what they would be alone: both records say so.

What says so is a Unix socket without a file, called ``fast-motion/UID/PID``: the kernel lists those of everybody in
this network namespace, and takes it away with its process. A name can be claimed falsely; no more comes of it.
Where there is another network, as in a container of one's own, nobody is seen.
"""

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from testbed.core.records.migration import Summary
from testbed.linux.namespaces.outside import Outside, outside
from testbed.linux.processes.caller import name_of

KEY = "beside"
"""Of a summary's ``environment``: whose runs were under way meanwhile."""
LOOK_S = 1.0
MOST_BYTES = 1 << 22
MOST_TOLD = 20
"""Names cost nothing, and anybody may have any number of them."""
_NAMES = re.compile(rb" @fast-motion/([0-9]{1,10})/([0-9]{1,10})$", re.MULTILINE)


@contextmanager
def announced() -> Iterator[None]:
    """While this lasts, others can see that a run is under way."""
    taken = outside()
    known = taken or Outside.here()
    with suppress(OSError):  # it has the name already
        known.beacon.bind(f"\0fast-motion/{known.uid}/{known.pid}")
    try:
        yield
    finally:
        if taken is None:  # else there is one for as long as this process lasts
            known.close()


def others() -> set[tuple[int, int]]:
    """User and process of each run that is under way, but for this one."""
    known = outside()
    if known is None:
        descriptor, own = os.open("/proc/self/net/unix", os.O_RDONLY | os.O_CLOEXEC), os.getpid()
    else:
        descriptor, own = os.dup(known.sockets), known.pid
    with os.fdopen(descriptor, "rb", buffering=0) as listed:
        listed.seek(0)
        text = b"".join(iter(lambda: listed.read(1 << 16), b""))
    return {(uid, pid) for uid, pid in read(text[:MOST_BYTES]) if pid != own}


def read(sockets: bytes) -> Iterator[tuple[int, int]]:
    """User and process of each run in a list of sockets as the kernel has it; what has another name is passed over."""
    return ((int(uid), int(pid)) for uid, pid in _NAMES.findall(sockets))


@contextmanager
def watched(summary: Summary, say: Callable[[str], None]) -> Iterator[None]:
    """While this lasts, whoever else's run is under way is written into the summary, and said once."""
    over, seen = threading.Event(), set[tuple[int, int]]()
    summary.environment[KEY] = []

    def look() -> None:
        for uid, pid in sorted(others() - seen)[: MOST_TOLD - len(seen)]:
            seen.add((uid, pid))
            who = f"a run of {name_of(uid)} (process {pid})"
            summary.environment[KEY] = [*summary.environment[KEY], who]
            say(f"{who} is under way on this machine: the two disturb each other, and figures of both are suspect")

    def again() -> None:
        while not over.wait(LOOK_S):
            look()

    look()
    thread = threading.Thread(target=again, daemon=True, name="beside")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        look()
