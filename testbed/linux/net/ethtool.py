"""Whether an interface has a carrier, asked so that the kernel acts upon it at once.

A change of carrier is told to the rest of the kernel (a bridge, the operational state) by a work item that runs at
most once a second, unless somebody asks for the link by ethtool: that flushes what is pending (``linkwatch_sync_dev``
in net/core/link_watch.c). Constants: include/uapi/linux/{ethtool,sockios}.h.
"""

import ctypes
import fcntl
import socket
import struct

from testbed.linux.net.netns import open_socket

_SIOCETHTOOL = 0x8946
_GET_LINK = 0x0A


def has_carrier(pid: int, interface: str) -> bool:
    """Whether an interface in the network namespace of process ``pid`` has a carrier. Raises ``OSError``."""
    value = ctypes.create_string_buffer(struct.pack("=II", _GET_LINK, 0))
    request = struct.pack("16sP16x", interface.encode(), ctypes.addressof(value))
    with open_socket(pid, socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, _SIOCETHTOOL, request)
    return bool(struct.unpack("=II", value.raw[:8])[1])
