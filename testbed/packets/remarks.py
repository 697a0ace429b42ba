"""What is to be said of a packet in its capture: the messages of the channel that it completes, in words.

Rounds, stun and commit are then found in any tool that shows comments. Whoever is on the link may say anything there:
of what is no message, of what was not captured, and of more than is kept, nothing is said.
"""

from testbed.core.errors import ScenarioError
from testbed.core.network.names import CHANNEL_PORT
from testbed.linux.net.packet_ring import Packet
from testbed.packets.frames import End, Frame, Tcp
from testbed.packets.overheard import Overheard
from testbed.packets.words import words
from testbed.wire.messages import GuestConnection, Message, RoundBegin

MOST_DIRECTIONS, MOST_HELD = 16, 96 << 20
"""Of connections, strangers' too; and bytes that wait in each, of which one message may have 64 MiB."""
_PORT, _RESET, _FINISHED = CHANNEL_PORT.to_bytes(2), 0x04, 0x01


class Remarks:
    """Takes a capture's packets in order of time."""

    def __init__(self) -> None:
        self._heard: dict[tuple[End, End], Overheard] = {}

    def of(self, packet: Packet) -> str:
        """What is to be said of this one: nothing, mostly."""
        if len(packet.data) < packet.length or _PORT not in (packet.data[34:36], packet.data[36:38]):
            return ""
        segment = Frame(number=0, at=packet.at, length=packet.length, data=packet.data).tcp
        return "; ".join(self._said(segment)) if segment is not None else ""

    def _said(self, segment: Tcp) -> list[str]:
        direction = (segment.source, segment.destination)
        if direction not in self._heard and len(self._heard) >= MOST_DIRECTIONS:
            return []
        heard = self._heard.setdefault(direction, Overheard())
        said = []
        try:
            said = [_remark(each) for each in heard.add(segment) if not isinstance(each, GuestConnection)]
            over = bool(segment.flags & (_RESET | _FINISHED)) or heard.held > MOST_HELD
        except ScenarioError:
            over = True
        if over:
            del self._heard[direction]
        return said


def _remark(message: Message) -> str:
    stunned = isinstance(message, RoundBegin) and message.stunned
    return f"stun: {words(message)}" if stunned else words(message)
