"""Each message of the protocol, and each announcement, in words."""

import struct
from ipaddress import IPv4Address

from testbed.core.units import in_bytes
from testbed.packets.frames import ARP, ICMP, RARP, Frame
from testbed.wire import messages as wire

EVERYBODY = "everybody"
_NOBODY = "0.0.0.0"  # noqa: S104 - nothing is bound


def words(message: wire.Message) -> str:  # noqa: C901, PLR0911, PLR0912 - one line a message
    """What a message says, in one line."""
    match message:
        case wire.Hello():
            strict = ", memory proved before commit" if message.strict else ""
            streams = counted(message.streams, "stream")
            return f"Hello: a guest of {in_bytes(message.ram_bytes)}, its pages over {streams}{strict}"
        case wire.Welcome():
            return f"Welcome: {in_bytes(message.ram_bytes)} are reserved"
        case wire.RoundBegin():
            stunned = "; the guest stands still" if message.stunned else ""
            return f"RoundBegin {message.index}: {in_bytes(message.page_bytes)} of pages{stunned}"
        case wire.RoundEnd():
            return f"RoundEnd {message.index}: {in_bytes(message.page_bytes)} are on the streams"
        case wire.RoundReceived():
            return f"RoundReceived {message.index}: {in_bytes(message.page_bytes)} are in memory"
        case wire.GuestConnection():
            return f"Connection: {_connection(message)}"
        case wire.Prepare():
            moved = f"; {counted(message.connections, 'connection')} came" if message.connections else ""
            return f"Prepare: that was all after {message.operations:,} operations{moved}"
        case wire.Prepared():
            moved = f", with {counted(message.connections, 'connection')}" if message.connections else ""
            return f"Prepared: could run it after {message.operations:,} operations{moved}"
        case wire.Commit():
            return "Commit: it is yours"
        case wire.Running():
            return _running(message)
        case wire.Abandon():
            return f"Abandon: {message.reason}"
        case wire.Failed():
            return f"Failed: {message.reason}"
        case _:
            return type(message).__name__


def _connection(message: wire.GuestConnection) -> str:
    each = message.connection
    queued = f"{len(each.received):,} B unread, {len(each.unacknowledged):,} B unacknowledged"
    return f"{each.local_ip}:{each.local_port} with {each.remote_ip}:{each.remote_port}, {queued}"


def _running(message: wire.Running) -> str:
    announced, first = ((at - message.commit_received_ns) / 1e6 for at in (message.announced_ns, message.first_step_ns))
    return f"Running: first step {first:.3f} ms, announced {announced:.3f} ms after Commit came"


def neighbours(frame: Frame) -> tuple[str, str, str] | None:
    """From, to, words of an ARP, a RARP or an ICMP packet; None for any other."""
    if frame.protocol == ICMP:
        at = 14 + 4 * (frame.data[14] & 15)
        kind = {b"\0": "answer", b"\3": "unreachable", b"\x08": "request"}.get(frame.data[at : at + 1], "other")
        return frame.address or "", str(IPv4Address(frame.data[30:34])), f"ICMP: {kind}"
    if frame.kind not in (ARP, RARP) or len(frame.data) < 42:
        return None
    operation, sender, ip, target, wanted = struct.unpack_from("!H6s4s6s4s", frame.data, 20)
    to = EVERYBODY if frame.data[:6] == b"\xff" * 6 else mac(frame.data[:6])
    if frame.kind == RARP:
        return mac(frame.data[6:12]), to, f"RARP: {mac(target)} is here now"
    own, asked = str(IPv4Address(ip)), str(IPv4Address(wanted))
    if own == asked:
        return own, to, f"ARP: {own} is at {mac(sender)} (gratuitous)"
    if operation == 1:
        return mac(sender) if own == _NOBODY else own, to, f"ARP: who has {asked}?"
    return own, asked, f"ARP: {own} is at {mac(sender)}"


def counted(number: int, what: str) -> str:
    """``1 packet``, ``2,000 packets``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def mac(address: bytes) -> str:
    """``02:00:0a:00:02:64``."""
    return address.hex(":")


def announced(frame: Frame) -> tuple[str, str] | None:
    """The IPv4 and the hardware address of whoever makes itself known by gratuitous ARP with this frame."""
    if frame.kind != ARP or len(frame.data) < 42 or frame.data[28:32] != frame.data[38:42]:
        return None
    return str(IPv4Address(frame.data[28:32])), mac(frame.data[22:28])
