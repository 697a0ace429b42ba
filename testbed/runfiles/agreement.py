"""Whether a record agrees with itself: figures that are told twice, and figures that follow from others.

A line an agreement. A figure that is not there agrees with everything: null is no guess. What is held against
``samples.jsonl`` and ``pages.jsonl`` is in ``witnesses``. Whoever edits all of a run's files alike is not found here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, TypeAlias, TypeVar

from testbed.core.agents.moments import left
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.core.records.rounds import RoundRecord
from testbed.core.records.services import ServicePhaseRecord, ServiceRecord, struck
from testbed.model.full_scale import full_scale
from testbed.runfiles import derived

T = TypeVar("T")
Figure: TypeAlias = Callable[[T], float | None]
Check: TypeAlias = Callable[[T], str | None]

CLOSE = 1e-6
"""Share by which two ways to one figure may differ: they are sums of the same numbers, in another order."""
SECONDS = 1e-6
"""What two readings of one clock for one event may differ by."""
LINK, PACE, STEADY = 0.0201, 0.0101, 1e-3
"""How far goodput and write rate of a valid run may be from what was asked (2 %, 1 %) with a rounding's worth more, and
how far the write rate from 4096 times the guest's operations, which are counted by the same log."""


def same(figure: str, other: str | Figure[T], words: str = "") -> Check[T]:
    """Both are one number. ``figure``, and ``other`` if it is one, are named by their path in the record; ``words`` say
    what else the other is: ``bytes_sent is 3, its rounds add up to 4``.
    """
    return _compared(figure, other, words, alike)


def at_least(figure: str, other: str | Figure[T], words: str = "") -> Check[T]:
    """The figure is not less than the other, but for a rounding; named and worded as in ``same``."""
    return _compared(figure, other, words, lambda a, b: a >= b - CLOSE * abs(b) - SECONDS)


def at_most(figure: str, other: str | Figure[T], words: str = "") -> Check[T]:
    """The figure is not more than the other, but for a rounding; named and worded as in ``same``."""
    return _compared(figure, other, words, lambda a, b: a <= b + CLOSE * abs(b) + SECONDS)


def within(figure: str, other: str | Figure[T], share: float, words: str = "") -> Check[T]:
    """The figure differs from the other by at most this share of the other; named and worded as in ``same``."""
    return _compared(figure, other, words, lambda a, b: abs(a - b) <= share * abs(b))


def never(wrong: Callable[[T], bool], said: str) -> Check[T]:
    """What cannot be so of any record."""
    return lambda record: said if wrong(record) else None


def alike(a: float, b: float) -> bool:
    """Two ways to one figure: whole numbers are the same, others nearly so."""
    return a == b if isinstance(a, int) and isinstance(b, int) else abs(a - b) <= CLOSE * max(abs(a), abs(b)) + 1e-9


def _compared(figure: str, other: str | Figure[T], words: str, agree: Callable[[float, float], bool]) -> Check[T]:
    def check(record: T) -> str | None:
        a, b = _at(record, figure), _at(record, other) if isinstance(other, str) else other(record)
        if a is None or b is None or agree(a, b):
            return None
        return f"{figure} is {written(a)}, {words or other} {'is ' if not words else ''}{written(b)}"

    return check


def written(number: float) -> str:
    """With all the digits that matter here."""
    return f"{number:,}" if isinstance(number, int) else f"{number:.9g}"


def _at(record: Any, path: str) -> float | None:
    """The figure at a path such as ``guest.lost``; None where there is none."""
    for name in path.split("."):
        record = getattr(record, name, None)
    return record if isinstance(record, int | float) else None


ANEW = "(dirtied_bytes - unsent_bytes) / duration_s is"
ROUND: Sequence[Check[RoundRecord]] = (
    same("dirty_rate", lambda r: derived.per_second(r.dirtied_bytes - r.unsent_bytes, r), ANEW),
    at_least("bandwidth", lambda r: derived.per_second(r.sent_bytes, r), "sent_bytes / duration_s is"),
    at_most("throttle", lambda _: 1.0, "all of a guest is"),
    never(lambda r: min(r.started_s, r.duration_s, r.throttle) < 0, "a time or a share is below 0"),
)
MIGRATION: Sequence[Check[MigrationRecord]] = (
    same("bytes_sent", lambda m: sum(r.sent_bytes for r in m.rounds), "its rounds add up to"),
    same("downtime_s", lambda m: derived.total(m.downtime_phases_s.values()), "its phases add up to"),
    never(lambda m: min(m.downtime_phases_s.values(), default=0) < 0, "a phase of the downtime is below 0"),
    at_least("total_time_s", lambda m: derived.end(m.rounds), "its last round ends after"),
    at_least("total_time_s", "downtime_s"),
    at_least("guest_gap_s", derived.stood_still, "the downtime without its pause is"),
    within("downtime_s", derived.gap_end, STEADY, "by the guest's log it ended after"),
    same(
        "client_blackout_s",
        lambda m: derived.total(m.blackout.parts.values()) if m.blackout else None,
        "its parts add up to",
    ),
    same("blackout.begin_s", derived.last_answer, "its part last_answer says"),
    same("throttle.active_s", lambda m: sum(r.duration_s for r in m.rounds if r.throttle), "its rounds add up to"),
    same("throttle.peak", lambda m: max((r.throttle for r in m.rounds), default=0), "the most in a round is"),
    same("retransmits", lambda m: derived.total(s.retransmits for s in m.streams), "its streams add up to"),
    same("accounting.page_bytes", lambda m: derived.total(s.page_bytes for s in m.streams), "its streams add up to"),
    same(
        "accounting.socket_bytes", lambda m: derived.total(s.socket_bytes for s in m.streams), "its streams add up to"
    ),
    same("accounting.link_bytes", "wire_bytes"),
    same("accounting.page_bytes", derived.accounted, "bytes_sent is"),
    at_least("accounting.socket_bytes", "accounting.page_bytes"),
    same("vm.ram_bytes", derived.proved, "the pages compared, excluded and replayed add up to"),
    at_most("link.available", "link.goodput"),
    within("link.expected_goodput", derived.implied_goodput, LINK, "its rate and mtu imply"),
)
IF_VALID: Sequence[Check[MigrationRecord]] = (
    never(lambda m: bool(m.invalid_reasons), "it is valid, and has invalid_reasons"),
    never(lambda m: m.outcome == "failed" and not left(m.faults), "it is valid, and did not come to its end"),
    never(lambda m: m.outcome == "cancelled" or m.interrupted, "it is valid, and did not come to its end"),
    never(lambda m: any(not f.struck for f in m.faults), "it is valid, and a fault was not carried out"),
    never(lambda m: struck(m.faults) and m.runs_at is None, "it is valid, and after its faults no host runs the guest"),
    never(derived.incomplete, "it completed, and rounds, total_time_s or downtime_s are missing"),
    never(derived.unfinished, "it completed, and not its last round alone is the stop-and-copy"),
    never(lambda m: m.outcome != "completed" and m.total_time_s is not None, "it has a total, and did not complete"),
    never(lambda m: m.memory is not None and m.memory.match is False, "it is valid, and memory did not match"),
    never(lambda m: m.accounting is not None and m.accounting.consistent is False, "it is valid, its accounts are not"),
    never(lambda m: not m.link.verified, "it is valid, and the link was not verified"),
    never(lambda m: m.guest is not None and bool(m.guest.fault or m.guest.lost), "it is valid, the guest was not"),
    never(lambda m: m.guest is not None and bool(m.guest.errors), "it is valid, and operations of the guest failed"),
    never(lambda m: any(s.verified is False for s in m.services), "it is valid, and a service was not verified"),
    never(lambda m: any(not c.fault for c in m.controls), "it is valid, and was changed by hand"),
    within("link.goodput", "link.expected_goodput", LINK),
    within("vm.achieved_write_rate", "vm.write_rate", PACE),
    within("vm.achieved_write_rate", derived.written_rate, STEADY, "4096 times guest.rate_before is"),
)
OF_A_MODEL: Sequence[Check[MigrationRecord]] = (
    same("guest_gap_s", "downtime_s"),
    same("link.goodput", "link.expected_goodput"),
    same("vm.achieved_write_rate", "vm.write_rate"),
    at_least("link.available", lambda m: max((r.bandwidth * 8 for r in m.rounds), default=0), "a round has in bit/s"),
)
SERVICE: Sequence[Check[ServiceRecord]] = (
    same("rate_before", lambda s: derived.rate_in(s, "before"), "its phase says"),
    same("rate_throttled", lambda s: derived.rate_in(s, "throttled"), "its phase says"),
    same("rate_after", lambda s: derived.rate_in(s, "after"), "its phase says"),
    at_least("longest_halt_s", derived.longest_halt, "one of its phases has"),
    never(lambda s: bool(s.verified and (s.lost or s.doubled)), "it is verified, and lost or doubled something"),
)
STRETCH: Sequence[Check[ServicePhaseRecord]] = (
    same("rate", derived.rate_of, "operations / (end_s - begin_s) is"),
    at_most("latency_p50_s", "latency_p95_s"),
    at_most("latency_p95_s", "latency_p99_s"),
    at_most("latency_p99_s", "latency_max_s"),
)
SUMMARY: Sequence[Check[Summary]] = (
    never(lambda s: s.valid and bool(s.invalid_reasons), "the run is valid, and has invalid_reasons"),
    never(lambda s: s.valid and not all(m.valid for m in s.migrations), "the run is valid, one of its migrations not"),
    never(lambda s: len({m.key for m in s.migrations}) < len(s.migrations), "two have one name"),
)


def of_migration(record: MigrationRecord, engine: str) -> Iterator[str]:
    """What does not agree in one migration's record, a sentence each."""
    yield from said(MIGRATION, record)
    yield from said(IF_VALID if record.valid else (), record)
    yield from said(OF_A_MODEL if engine == "simulated" else (), record)
    yield from _full_scale(record)
    yield from _rounds(record.rounds)
    for service in record.services:
        yield from (f"{service.name}: {each}" for each in said(SERVICE, service))
        for stretch in service.phases:
            yield from (f"{service.name}, {stretch.phase}: {each}" for each in said(STRETCH, stretch))


def of_summary(summary: Summary) -> Iterator[str]:
    """What does not agree in what stands above the migrations, a sentence each."""
    return said(SUMMARY, summary)


def said(checks: Iterable[Check[T]], record: T) -> Iterator[str]:
    """What these checks find in a record."""
    return (found for check in checks if (found := check(record)) is not None)


def _rounds(rounds: Sequence[RoundRecord]) -> Iterator[str]:
    """Each by itself, their numbers, and that none begins before the one before it has ended."""
    for number, each in enumerate(rounds, 1):
        yield from (f"round {number}: {found}" for found in said(ROUND, each))
        if each.index != number:
            yield f"round {number} has the index {each.index}"
    for before, after in pairwise(rounds):
        if after.started_s < before.started_s + before.duration_s - SECONDS:
            yield f"round {after.index} begins before round {before.index} has ended"


def _full_scale(record: MigrationRecord) -> Iterator[str]:
    """What the figures stand for at real-world size follows from them; a record of an older version has none."""
    wanted = full_scale(record)
    for name, figure in record.full_scale.items():
        expected = wanted.get(name, figure)
        if (figure is None) != (expected is None) or (
            figure is not None and expected is not None and not alike(figure, expected)
        ):
            yield f"full_scale.{name} is {figure}, its figures say {expected}"
