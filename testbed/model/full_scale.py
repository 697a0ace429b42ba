"""From emulated figures to real-world size, with what does not scale kept apart.

    emulated          real-world          why
    bytes             x size x time       RAM and all that is sent were divided by both
    rates             x size
    sending           x time              bytes / rate
    all other time    x 1                 set-up, stun, prepare, commit, resume: this machine's own, at any scale

A round's sending is what its bytes take at the goodput that it has (never more than it took; beside TCP that is what
was measured to be left by it); the rest of it (round trips, scans) is fixed as everything outside of rounds is. So
``total_time_s`` = ``sending_s`` + ``fixed_s``, and the same for the downtime: at real-world size the fixed part is
neither larger nor smaller than it was here, and says nothing about another machine's.
"""

from testbed.core.records.migration import MigrationRecord
from testbed.core.records.rounds import RoundRecord


def full_scale(record: MigrationRecord) -> dict[str, float | None]:
    """What a record's figures stand for: bytes, seconds, bytes per second; ``goodput`` in bit/s. None where the record
    has none.
    """
    size, time = record.scale["size"], record.scale["time"]
    goodput = _measured(record) or record.link.available or record.link.goodput or record.link.expected_goodput
    payload = goodput / 8 if goodput else None
    stunned = [done for done in record.rounds if done.kind == "stop_and_copy"]
    total = _carried(record.total_time_s, _sending(record.rounds, payload), time)
    down = _carried(record.downtime_s, _sending(stunned, payload), time)
    return {
        "total_time_s": total[0],
        "sending_s": total[1],
        "fixed_s": total[2],
        "downtime_s": down[0],
        "downtime_sending_s": down[1],
        "downtime_fixed_s": down[2],
        "ram_bytes": record.vm.ram_bytes * size * time,
        "bytes_sent": record.bytes_sent * size * time,
        "goodput": None if goodput is None else goodput * size,
        "write_rate": None if record.vm.write_rate is None else record.vm.write_rate * size,
    }


def _measured(record: MigrationRecord) -> float | None:
    """What TCP beside it left of the link, in bit/s: what ``available`` has of that is an estimate."""
    cross, goodput = record.cross_traffic, record.link.goodput
    if cross is None or cross.protocol != "tcp" or cross.achieved_rate is None or goodput is None:
        return None
    return max(goodput - cross.achieved_rate * 8, 0.0) or None


def _sending(rounds: list[RoundRecord], goodput: float | None) -> float:  # bytes per second
    return sum(min(r.duration_s, r.sent_bytes / goodput) if goodput else r.duration_s for r in rounds)


def _carried(seconds: float | None, sending: float, time: float) -> tuple[float | None, float | None, float | None]:
    """The whole, its sending part and its fixed part, at real-world size."""
    if seconds is None:
        return None, None, None
    sending = min(sending, seconds)
    fixed = seconds - sending
    return sending * time + fixed, sending * time, fixed
