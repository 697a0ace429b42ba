"""From emulated figures to real-world size, with what does not scale kept apart.

    emulated          real-world          why
    bytes             x size x time       RAM and all that is sent were divided by both
    rates             x size
    sending           x time              bytes / rate
    all other time    x 1                 set-up, stun, prepare, commit, resume: this machine's own, at any scale

A round's sending is what its bytes take at the goodput that it has (never more than it took; beside TCP that is what
was measured to be left by it); the rest of it (round trips, scans) is fixed as everything outside of rounds is. So
``total_time_s`` = ``sending_s`` + ``fixed_s``, and the same for the downtime: at real-world size the fixed part is
neither larger nor smaller than it was here, and says nothing about another machine's. ``clock`` says so of every
moment, and ``at_real_size`` of a whole record.
"""

from dataclasses import dataclass, replace

from testbed.core.records.migration import MigrationRecord
from testbed.core.records.rounds import RoundRecord
from testbed.core.records.services import OrderRecord, ServicePhaseRecord, ServiceRecord

FIGURES = (
    *("total_time_s", "sending_s", "fixed_s", "downtime_s", "downtime_sending_s", "downtime_fixed_s"),
    *("ram_bytes", "bytes_sent", "goodput", "write_rate"),
)
"""All that are told of a record at real-world size."""


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
    whole = (record.vm.ram_bytes * size * time, record.bytes_sent * size * time)
    rates = (None if each is None else each * size for each in (goodput, record.vm.write_rate))
    return dict(zip(FIGURES, (*total, *down, *whole, *rates), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Moments of a migration (s after it was asked for) and those at real-world size that they stand for, rising both.
    From one to the next time goes evenly; before the first and after the last it is this machine's own, and goes alike.
    """

    emulated: list[float]
    real: list[float]

    def at(self, moment: float) -> float:
        """The moment at real-world size."""
        place = sum(each <= moment for each in self.emulated)
        if not 0 < place < len(self.emulated):
            edge = min(max(place - 1, 0), len(self.emulated) - 1)
            return self.real[edge] + moment - self.emulated[edge]
        first, last = self.emulated[place - 1], self.emulated[place]
        share = (moment - first) / (last - first)
        return self.real[place - 1] + share * (self.real[place] - self.real[place - 1])


def clock(record: MigrationRecord) -> Clock:
    """The moments at which its rounds begin and end."""
    made = Clock(emulated=[0.0], real=[0.0])
    for done in record.rounds:
        begin, end = max(done.started_s, made.emulated[-1]), done.started_s + done.duration_s
        for moment, later in ((begin, begin - made.emulated[-1]), (end, _length(record, done))):
            if moment > made.emulated[-1]:
                made.real.append(made.real[-1] + later)
                made.emulated.append(moment)
    return made


def at_real_size(record: MigrationRecord) -> MigrationRecord:
    """The migration that this one stands for. What has no size but this machine's is None, or as it was: a gap or a
    blackout, latencies and halts of services, how a throttle was installed. An operation's size does not scale, how
    many there are of them in a second does. A round's bandwidth is what it sent, by the time that this takes.
    """
    size, time = record.scale["size"], record.scale["time"]
    full, moments = record.full_scale or full_scale(record), clock(record)
    phases = dict(record.downtime_phases_s)
    if "last_round" in phases and full["downtime_s"] is not None and record.downtime_s is not None:
        phases["last_round"] += full["downtime_s"] - record.downtime_s
    throttle = record.throttle
    return replace(
        record,
        scale={"size": 1.0, "time": 1.0},
        total_time_s=full["total_time_s"],
        downtime_s=full["downtime_s"],
        downtime_phases_s=phases,
        guest_gap_s=None,
        guest_gap_begin_s=None,
        client_blackout_s=None,
        blackout=None,
        bytes_sent=round(full["bytes_sent"] or 0),
        vm=replace(record.vm, ram_bytes=round(full["ram_bytes"] or 0), write_rate=full["write_rate"]),
        link=replace(record.link, goodput=None if record.link.goodput is None else record.link.goodput * size),
        rounds=[_round(record, done, moments) for done in record.rounds],
        throttle=None if throttle is None else replace(throttle, active_s=throttle.active_s * time),
        services=[_service(each, moments, size) for each in record.services],
        controls=[replace(each, at_s=moments.at(each.at_s), value=_of_hand(each, size)) for each in record.controls],
        faults=[replace(each, at_s=None if each.at_s is None else moments.at(each.at_s)) for each in record.faults],
    )


def _length(record: MigrationRecord, done: RoundRecord) -> float:
    """Of a round, at real-world size."""
    goodput = _measured(record) or record.link.available or record.link.goodput or record.link.expected_goodput
    sending = _sending([done], goodput / 8 if goodput else None)
    return done.duration_s + sending * (record.scale["time"] - 1)


def _round(record: MigrationRecord, done: RoundRecord, moments: Clock) -> RoundRecord:
    size, more = record.scale["size"], record.scale["size"] * record.scale["time"]
    sent, length = round(done.sent_bytes * more), _length(record, done)
    return replace(
        done,
        started_s=moments.at(done.started_s),
        duration_s=length,
        sent_bytes=sent,
        dirtied_bytes=round(done.dirtied_bytes * more),
        unsent_bytes=round(done.unsent_bytes * more),
        bandwidth=sent / sending if (sending := length - (done.scan_s or 0.0)) > 0 else 0.0,
        dirty_rate=done.dirty_rate * size,
    )


def _service(each: ServiceRecord, moments: Clock, size: float) -> ServiceRecord:
    return replace(
        each,
        longest_halt_s=None,
        phases=[_phase(phase, moments, size) for phase in each.phases],
        rate_before=_times(each.rate_before, size),
        rate_during=_times(each.rate_during, size),
        rate_throttled=_times(each.rate_throttled, size),
        rate_after=_times(each.rate_after, size),
    )


def _phase(each: ServicePhaseRecord, moments: Clock, size: float) -> ServicePhaseRecord:
    """As many operations as its rate makes in its length."""
    begin, end, lasted = moments.at(each.begin_s), moments.at(each.end_s), each.end_s - each.begin_s
    longer = (end - begin) / lasted if lasted > 0 else 1.0
    done = round(each.operations * size * longer)
    return replace(each, begin_s=begin, end_s=end, operations=done, rate=each.rate * size)


def _of_hand(each: OrderRecord, size: float) -> float | None:
    """A throttle is a share, and stays."""
    return each.value * size if each.what == "rate" and each.value is not None else each.value


def _times(rate: float | None, size: float) -> float | None:
    return None if rate is None else rate * size


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
