"""The process that writes a pcapng: taps in the hosts' namespaces, a filter in the kernel, one file in order of time.

    esx1 vmotion ─▶ filter ─▶ ring ─┐
                                     ├─▶ sorted by the kernel's time ─▶ NN-R.pcapng
    client vm    ─▶ filter ─▶ ring ─┘

``capture.py`` starts it with one argument (JSON: file, taps, ports). It says ``ready`` when nothing can be missed any
more, goes on until its stdin ends, and then says how much it kept and what it lost.
"""

import os
import selectors
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from testbed.core.errors import in_words
from testbed.core.network.names import PROBE_PORT
from testbed.core.text.json_lines import JsonLines, read_argument
from testbed.linux.net.bpf import Step, assemble
from testbed.linux.net.packet_ring import RETIRE_S, PacketRing
from testbed.packets.pcapng_writer import PcapngWriter
from testbed.packets.remarks import Remarks

WHOLE = 1 << 18
HEADERS = 128
"""Ethernet, IPv4 and TCP with every option take 94 bytes; on a page stream the rest shows the head of a ``Pages``."""
PROBE_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureConfig:
    """``file``: an inherited descriptor. ``taps``: a process of the host, the interface there, and what that is called
    in the file, each. What is said at ``whole_ports`` (TCP) is kept whole, of what is said at ``probe_port`` (UDP)
    little.
    """

    file: int
    taps: list[tuple[int, str, str]]
    whole_ports: list[int]
    probe_port: int = PROBE_PORT


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureReady:
    """From now on nothing passes unseen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureFinished:
    """``packets`` are in the file; ``dropped`` came while no room was left for them."""

    packets: int
    dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureFailed:
    """``reason``: what the kernel refused."""

    reason: str


EVENTS = JsonLines[CaptureReady | CaptureFinished | CaptureFailed](
    "event", {"ready": CaptureReady, "finished": CaptureFinished, "failed": CaptureFailed}
)


def packet_filter(whole_ports: Sequence[int], probe_port: int = PROBE_PORT) -> bytes:
    """How much of each Ethernet frame is kept: ARP, RARP, ICMP and the TCP ports named whole, of all others headers."""
    whole = [Step("jeq", port, "whole") for port in whole_ports]
    return assemble(
        [
            Step("ldh", 12),  # EtherType
            Step("jeq", 0x0806, "whole"),  # ARP
            Step("jeq", 0x8035, "whole"),  # RARP
            Step("jeq", 0x0800, "", "headers"),  # IPv4, or else
            Step("ldh", 20),  # flags and offset of a fragment
            Step("jset", 0x1FFF, "headers"),  # not the first one: it has no ports
            Step("ldxb", 14),  # x = length of the IPv4 header
            Step("ldb", 23),  # protocol
            Step("jeq", 1, "whole"),  # ICMP
            Step("jeq", 17, "udp"),
            Step("jeq", 6, "", "headers"),  # TCP, or else
            Step("ldhx", 14),  # source port
            *whole,
            Step("ldhx", 16),  # destination port
            *whole,
            Step("ret", HEADERS, label="headers"),
            Step("ldhx", 14, label="udp"),
            Step("jeq", probe_port, "probe"),
            Step("ldhx", 16),
            Step("jeq", probe_port, "probe"),
            Step("ret", HEADERS),
            Step("ret", PROBE_BYTES, label="probe"),
            Step("ret", WHOLE, label="whole"),
        ]
    )


@dataclass(frozen=True, slots=True)
class Recorder:
    """All taps into one writer."""

    rings: list[PacketRing]
    writer: PcapngWriter

    def until_told(self, orders: int) -> None:
        """Reads until ``orders`` (a descriptor) ends."""
        with selectors.DefaultSelector() as ready:
            ready.register(orders, selectors.EVENT_READ, None)
            for ring in self.rings:
                ready.register(ring, selectors.EVENT_READ, ring)
            while True:
                for key, _ in ready.select(RETIRE_S * 4):
                    if key.data is None and not os.read(orders, 4096):
                        return
                self._collect()
                self.writer.write(time.time_ns() - self.writer.LAG)
                # So that many packets are read at once: a ring holds far more than come meanwhile.
                time.sleep(RETIRE_S)

    def finish(self) -> CaptureFinished:
        """What passed before this was called is in the file when it returns."""
        time.sleep(RETIRE_S * 2)  # a block that is being filled is given to us when it is RETIRE_S old
        self._collect()
        self.writer.write(time.time_ns() + self.writer.LAG)
        dropped = [ring.dropped() for ring in self.rings]
        self.writer.finish(dropped)
        return CaptureFinished(packets=self.writer.packets, dropped=sum(dropped))

    def _collect(self) -> None:
        for interface, ring in enumerate(self.rings):
            for packet in ring.read():
                self.writer.add(packet, interface)


def record(config: CaptureConfig) -> CaptureFinished:
    """One capture, until stdin ends. Raises ``OSError``."""
    program = packet_filter(config.whole_ports, config.probe_port)
    with ExitStack() as stack:
        file = stack.enter_context(os.fdopen(config.file, "wb", buffering=0))
        rings = []
        for pid, interface, _ in config.taps:
            rings.append(PacketRing(pid, interface, program))
            stack.callback(rings[-1].close)
        writer = PcapngWriter(file, [name for _, _, name in config.taps], WHOLE, Remarks().of)
        recorder = Recorder(rings, writer)
        _say(CaptureReady())
        recorder.until_told(sys.stdin.fileno())
        return recorder.finish()


def _say(event: CaptureReady | CaptureFinished | CaptureFailed) -> None:
    sys.stdout.buffer.write(EVENTS.line(event))
    sys.stdout.buffer.flush()


def main() -> int:
    """The process's life; its exit code: 1 when the capture could not be made or kept, which it says."""
    try:
        finished = record(read_argument(CaptureConfig, sys.argv[1]))
    except OSError as error:
        _say(CaptureFailed(reason=in_words(error)))
        return 1
    _say(finished)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
