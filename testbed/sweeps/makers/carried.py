"""Code of one's own, carried to a worker with each point, which stands there as its user stood here.

asked from  /home/me/grid    ./mine/policy.py         ../shared/limits.py      /lab/tracker.py
there       SCRATCH/up       SCRATCH/up/mine/...      SCRATCH/shared/...       /lab/tracker.py, its own

A scenario has a file by its user's name for it, and so has the record. So it is not the name that is another one
there, but the folder from which it counts. A path that counts from no folder is looked for where it leads.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import replace
from pathlib import Path

from testbed.core.own.file import path_of
from testbed.core.own.running import forget_below
from testbed.linux.files import owned
from testbed.runfiles.folder import put
from testbed.sweeps.making import check_own_code
from testbed.sweeps.points import PointWanted


def with_code(wanted: PointWanted) -> PointWanted:
    """The point, with the bytes of its own code. Raises ``PrerequisiteMissing`` where that is another than it was."""
    names = {name for plan in wanted.plans for name in plan.own_code if _counts_from_here(name)}
    check_own_code(wanted)
    return replace(wanted, code={name: path_of(name).read_bytes() for name in names})


@contextmanager
def at_hand(code: Mapping[str, bytes], folder: Path) -> Iterator[None]:
    """Code lies in the new ``folder``, and names of it count from where this process stands, as long as that lasts.
    Raises as ``put`` does.
    """
    if not code:
        yield
        return
    here = folder.joinpath(*["up"] * max(map(_folders_up, code)))
    for name, content in code.items():
        put(Path(os.path.normpath(here / name)), content)
    owned.make_folder(here)
    with chdir(here):
        try:
            yield
        finally:
            forget_below(folder.resolve())


def _counts_from_here(name: str) -> bool:
    return not name.startswith(("/", "~"))


def _folders_up(name: str) -> int:
    """How many folders above where one stands it leads."""
    return Path(os.path.normpath(name)).parts.count(os.pardir)
