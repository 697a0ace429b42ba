"""A run that goes on as OpenMetrics text: what is over as ``openmetrics`` has it, what is under way as far as it is.

A migration under way has those figures of the export that are known by then, under the same names and labels, and a
few that only such a one has (``LIVE``). Text is made when it is asked for; an event only changes values.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from testbed.core.events import Event, MigrationFinished, MigrationStarted, RoundFinished, Sampled
from testbed.core.migration_key import MigrationKey
from testbed.core.outlook import Outlook, Outlooks
from testbed.core.records.link import LinkRecord
from testbed.core.records.migration import MigrationRecord, VmRecord
from testbed.core.records.rounds import RoundRecord, record_round
from testbed.core.records.services import ServiceRecord
from testbed.exports.openmetrics import FAMILIES, VALID, Family, Labels, Reading, document, key_labels, readings

MOVING = frozenset(
    {"migration_sent", "migration_rounds", "service_operations"}
    | {each.name for each in FAMILIES if each.name.startswith("round_")}
)
"""Figures of a record that are true of one that is not over."""


@dataclass(slots=True, kw_only=True)
class UnderWay:
    """A migration that is not over: what was said of it beside its ``outlook``."""

    key: MigrationKey
    outlook: Outlook
    rounds: list[RoundRecord] = field(default_factory=list)
    services: dict[str, int] = field(default_factory=dict)

    def as_record(self) -> MigrationRecord:
        """What is known so far where a record has it; nothing else in it means anything."""
        sent = sum(each.sent_bytes for each in self.rounds)
        begun = not self.rounds or self.outlook.round > self.rounds[-1].index
        return MigrationRecord(
            name=self.key.name,
            settings={},
            repeat=self.key.repeat,
            scale={},
            outcome="aborted",
            reason="",
            vm=VmRecord(ram_bytes=0, workload="", working_set_bytes=None, write_rate=None, name=self.key.guest),
            link=LinkRecord(
                rate=None, goodput=None, expected_goodput=None, rtt_s=None, drops=None, mtu=0, verified=False
            ),
            bytes_sent=sent + (self.outlook.sent_bytes if begun else 0),
            rounds=self.rounds,
            services=[ServiceRecord.counted(name, done) for name, done in self.services.items()],
        )


class FiguresSoFar:
    """What a run has said so far, as figures. ``run``: the labels that all of them have; ``outlooks`` are kept up by
    whoever calls ``take``, before it.
    """

    def __init__(self, outlooks: Outlooks, run: Labels | None = None) -> None:
        self._outlooks, self._run = outlooks, run or {}
        self._done: dict[MigrationKey, MigrationRecord] = {}
        self._under_way: dict[MigrationKey, UnderWay] = {}
        self.valid: bool | None = None
        """Whether the run was; None while it goes on, and where it was broken off."""

    def take(self, event: Event) -> None:
        """Takes an event in."""
        match event:
            case MigrationStarted(migration=key):
                self._under_way[key] = UnderWay(key=key, outlook=self._outlooks.of(key))
            case RoundFinished(migration=key) if key in self._under_way:
                self._under_way[key].rounds.append(record_round(event.round, event.decision, None))
            case Sampled(migration=key) if key in self._under_way:
                self._under_way[key].services = event.services
            case MigrationFinished(migration=key):
                self._under_way.pop(key, None)
                if event.record is not None:
                    self._done[key] = event.record

    def text(self) -> str:
        """All figures as they are now."""
        return document(self._lines())

    def _lines(self) -> Iterator[str]:
        over, begun = list(self._done.values()), [each.as_record() for each in self._under_way.values()]
        for family in FAMILIES:
            known = over + begun if family.name in MOVING else over
            yield from family.lines(readings(self._run, family, known))
        for live in LIVE:
            yield from live.lines(self._now(live))
        if self.valid is not None:
            yield from VALID.lines(VALID.read((self._run, self.valid)))

    def _now(self, family: Family[UnderWay]) -> Iterator[Reading]:
        for each in self._under_way.values():
            for labels, value in family.read(each):
                yield self._run | key_labels(each.key) | labels, value


LIVE: tuple[Family[UnderWay], ...] = (
    Family(
        name="migration_under_way",
        unit="",
        words="In which phase it is, as a label; always 1, and gone when it is over.",
        read=lambda m: [({"phase": m.outlook.phase}, 1.0)],
    ),
    Family(
        name="migration_left",
        unit="bytes",
        words="What the round under way has still to send.",
        read=lambda m: [({}, m.outlook.left_bytes if m.outlook.round_bytes else None)],
    ),
    Family(
        name="migration_left",
        unit="seconds",
        words="How long it will still take, where anything says so.",
        read=lambda m: [({}, m.outlook.left_s)],
    ),
    Family(
        name="migration_link_sent",
        unit="bytes_per_second",
        words="What its host sends on the vMotion link now.",
        read=lambda m: [({}, m.outlook.link_rate)],
    ),
    Family(
        name="migration_guest_rate",
        unit="operations_per_second",
        words="What the guest does now.",
        read=lambda m: [({}, m.outlook.guest_rate)],
    ),
)
"""What is told of a migration only while it is under way."""
