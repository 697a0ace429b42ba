"""One network interface with its address, switched by netlink: tens of microseconds, where a command takes thousands.

Taking the *address* away silences a guest at once: nothing is received, answered (ARP either) or sent for it any more,
and its sockets stay as they are. Taking the *link* down does it too, but waits for the kernel (RCU) for 15 ms.

A guest that is stunned is still there for its kernel, which works on and would answer pings in its name: ``hush``.

Sources: include/uapi/linux/{rtnetlink,if_addr,if_link}.h.
"""

import errno
import socket
import struct

from testbed.linux.net.netlink import ROUTE, Netlink, attribute
from testbed.linux.net.netns import Sysctl, inside

_NEWLINK, _NEWADDR, _DELADDR = 16, 20, 21
_CREATE, _EXCLUSIVE = 0x400, 0x200
_IFF_UP = 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_ADDRESS_HEADER = struct.Struct("=BBBBI")
_LINK_HEADER = struct.Struct("=BxHiII")


class Nic:
    """Interface ``name`` in the network namespace of process ``pid``. Raises ``OSError`` of the kernel.

    Not for two threads at a time. All verbs do nothing where it is so already.
    """

    def __init__(self, pid: int, name: str, ip: str, prefix: int) -> None:
        self.index = inside(pid, lambda: socket.if_nametoindex(name))
        self._netlink = Netlink(ROUTE, pid)
        self._no_echo = Sysctl(pid, "net/ipv4/icmp_echo_ignore_all")
        address = socket.inet_aton(ip)
        self._address = (
            _ADDRESS_HEADER.pack(socket.AF_INET, prefix, 0, 0, self.index)
            + attribute(_IFA_LOCAL, address)
            + attribute(_IFA_ADDRESS, address)
        )

    def silence(self) -> None:
        """Takes the address away, and with it the routes through this interface."""
        self._unless(errno.EADDRNOTAVAIL, _DELADDR, 0)

    def restore(self) -> None:
        """Gives the address back; the kernel makes the subnet's route again by itself."""
        self._unless(errno.EEXIST, _NEWADDR, _CREATE | _EXCLUSIVE)

    def hush(self) -> None:
        """Pings of any address in this namespace are heard, and not answered: 2 us."""
        self._no_echo.write(b"1")

    def answer(self) -> None:
        """Pings are answered again."""
        self._no_echo.write(b"0")

    def up(self) -> None:
        """The link sends and receives from now on. Raises ``OSError``."""
        self._netlink.order(_NEWLINK, _LINK_HEADER.pack(socket.AF_UNSPEC, 0, self.index, _IFF_UP, _IFF_UP))

    def down(self) -> None:
        """The link is silent from now on. Takes about 15 ms. Raises ``OSError``."""
        self._netlink.order(_NEWLINK, _LINK_HEADER.pack(socket.AF_UNSPEC, 0, self.index, 0, _IFF_UP))

    def close(self) -> None:
        """Lets go of the namespace."""
        self._no_echo.close()
        self._netlink.close()

    def _unless(self, harmless: int, kind: int, flags: int) -> None:
        try:
            self._netlink.order(kind, self._address, flags=flags)
        except OSError as error:
            if error.errno != harmless:
                raise
