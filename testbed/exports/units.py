"""What a column counts: by the ends of names, as everywhere in a record, and by a list where a name does not say it.

The words are those of UCUM without its brackets: s, byte, byte/s, bit/s, operation/s, 1 for a share.
"""

SECONDS, BYTES, BYTE_RATE, BIT_RATE, OPERATION_RATE, SHARE = "s", "byte", "byte/s", "bit/s", "operation/s", "1"
_BY_PATH = {
    BIT_RATE: (
        *("link.rate", "link.goodput", "link.expected_goodput", "link.available", "link.goodput_back"),
        "full_scale.goodput",
    ),
    BYTE_RATE: (
        *("vm.write_rate", "vm.achieved_write_rate", "throttle.dirty_rate", "full_scale.write_rate"),
        *("cross_traffic.rate", "cross_traffic.achieved_rate", "bandwidth", "dirty_rate", "delivery_rate"),
    ),
    OPERATION_RATE: (
        *("guest.rate_before", "guest.rate_during", "guest.rate_after"),
        *("rate_before", "rate_during", "rate_throttled", "rate_after", "rate"),
    ),
    SHARE: (
        *("throttle", "throttle.peak", "throttle.guest_slowdown", "cpu.sampler_share", "cpu.probe_share"),
        *("link.trim", "link.trim_back", "link.loss", "link.measured_loss"),
    ),
    BYTES: (
        *("bytes_sent", "predicted.bytes_sent", "predicted.low.bytes_sent", "predicted.high.bytes_sent"),
        *("full_scale.bytes_sent", "link.mtu", "bytes", "bytes_acked", "mss", "backlog"),
    ),
    SECONDS: ("t",),
    "segment": ("cwnd", "retransmits"),
}
_UNITS = {path: unit for unit, paths in _BY_PATH.items() for path in paths}
_IN_SECONDS = ("downtime_phases_s.", "blackout.parts.")


def unit_of(path: str) -> str | None:
    """The unit of a column of numbers; None where it counts things, or is a number of something."""
    if path in _UNITS:
        return _UNITS[path]
    if path.startswith(_IN_SECONDS) or path.endswith("_s"):
        return SECONDS
    return BYTES if path.endswith("_bytes") else None
