"""The frames that say where the guest is now: to switches, which learn from any frame, and to who knows its IP.

    RARP request        who is MAC?             ESXi's "Notify Switches": flooded, so that every switch learns the port
    gratuitous ARP      IP is at MAC (request)  neighbours that have the IP take over the MAC
    gratuitous ARP      IP is at MAC (reply)    for those who look at replies alone

RFC 903, RFC 826, RFC 5227 (why both). With ``dissect`` and ``quiet_scapy`` the only files with scapy.
"""

import testbed.packets.quiet_scapy  # noqa: F401, I001 - before scapy's own
from scapy.layers.l2 import ARP, Ether

from testbed.network.guest_interface import Identity

BROADCAST = "ff:ff:ff:ff:ff:ff"
_NOBODY, _NOWHERE = "00:00:00:00:00:00", "0.0.0.0"  # noqa: S104 - what RARP says instead of an address
_RARP = 0x8035


def frames(who: Identity) -> list[bytes]:
    """The three, ready to be sent on the guest's interface."""
    frame = Ether(src=who.mac, dst=BROADCAST)
    rarp = Ether(src=who.mac, dst=BROADCAST, type=_RARP) / ARP(
        op=3, hwsrc=who.mac, hwdst=who.mac, psrc=_NOWHERE, pdst=_NOWHERE
    )
    request = frame / ARP(op=1, hwsrc=who.mac, hwdst=_NOBODY, psrc=who.ip, pdst=who.ip)
    reply = frame / ARP(op=2, hwsrc=who.mac, hwdst=BROADCAST, psrc=who.ip, pdst=who.ip)
    return [bytes(each).ljust(60, b"\0") for each in (rarp, request, reply)]
