"""What a dead agent would still have done for its guest's place on the network, done by the run.

the source agent died, the guest is the source's              take_back
the destination agent died after the guest's first step       bring_up
"""

from collections.abc import Sequence
from contextlib import closing

from testbed.core.agents.told import Unaccepted
from testbed.linux.net import tcp_repair
from testbed.linux.net.interface import Nic
from testbed.linux.net.netns import inside
from testbed.migration.identity.announcer import Announcer
from testbed.migration.identity.connections import as_abort, reset_all
from testbed.migration.identity.inventory import sockets_of


def bring_up(pid: int, interface: str, ip: str, prefix: int, *, frames: Sequence[bytes] = ()) -> None:
    """What ``Arriving.appear`` would have done, for a destination agent that died after its guest's first step: link
    up, ``frames`` sent. What waits to be sent on its connections goes out within a second.

    Raises ``MigrationAborted``.
    """
    with as_abort("the guest could not be put on the network"):
        with closing(Nic(pid, interface, ip, prefix)) as nic:
            nic.up()
        _speak_up(pid, interface, ip, frames)


def take_back(
    pid: int,
    interface: str,
    ip: str,
    prefix: int,
    *,
    frames: Sequence[bytes] = (),
    unaccepted: Sequence[Unaccepted] = (),
) -> None:
    """What ``Departing.stay`` would have done, for a source agent that died: pings answered, address back, ``frames``
    sent, connections released. What it had taken out of a listener's queue went with it: those clients are told.

    Raises ``MigrationAborted``.
    """
    with as_abort("the guest could not be put back on the network"):
        with closing(Nic(pid, interface, ip, prefix)) as nic:
            nic.answer()
            nic.restore()
            nic.up()
        _speak_up(pid, interface, ip, frames)
        if unaccepted:
            inside(pid, lambda: reset_all(unaccepted))


def _speak_up(pid: int, interface: str, ip: str, frames: Sequence[bytes]) -> None:
    """With the link up: ``frames`` say where the guest is, and connections that were held for a move go on."""
    with closing(Announcer(pid, interface, frames)) as announcer:
        announcer.announce()
    for sock in sockets_of(pid, ip):
        with sock:
            if tcp_repair.in_repair(sock):
                tcp_repair.release(sock)
