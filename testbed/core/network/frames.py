"""What a frame carries beside its payload, as tc and the counters of an interface count it.

payload / rate = (mtu - 52) / (mtu + 14)          1448 / 1514 at mtu 1500
"""

ETHERNET_BYTES = 14
"""What tc counts of a frame beside its IP packet."""
TCP_IP_BYTES = 52
"""IPv4 20, TCP 20, timestamps 12."""
UDP_IP_BYTES = 28
"""IPv4 20, UDP 8."""
TCP_FRAME_BYTES = ETHERNET_BYTES + TCP_IP_BYTES
"""What a link's counter adds to the payload of each packet."""


def payload(rate: float, mtu: int) -> float:
    """What TCP carries on a link of that rate, in full frames; in the rate's own unit."""
    return rate * (mtu - TCP_IP_BYTES) / (mtu + ETHERNET_BYTES)


def framed(payload: float, mtu: int) -> float:
    """The inverse: the rate that a link needs to carry that."""
    return payload * (mtu + ETHERNET_BYTES) / (mtu - TCP_IP_BYTES)
