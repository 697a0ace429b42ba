"""A run as OpenMetrics text: for node_exporter's textfile collector, Prometheus, Grafana. Base units, as they ask for:
link rates, too, are in bytes a second.

Every figure is a gauge; ``scenario``, ``engine``, ``migration``, ``repeat`` and ``guest`` are its
labels. What was not measured is not there. No time is: whoever collects it says when. Older readers of Prometheus' own
text take it too.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from testbed.core.migration_key import MigrationKey
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.core.records.rounds import RoundRecord
from testbed.core.records.services import ServiceRecord

Labels: TypeAlias = dict[str, str]
Reading: TypeAlias = tuple[Labels, float | None]
Told = TypeVar("Told")
PREFIX = "fast_motion_"
OPENMETRICS = "application/openmetrics-text"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"
MOST_RANGES = 32
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Family(Generic[Told]):
    """One figure: its name without prefix and unit, what it is, and how it is read of a migration."""

    name: str
    unit: str
    words: str
    read: Callable[[Told], Iterable[Reading]]

    @property
    def whole(self) -> str:
        """The name, as a metric's must be: it ends in the unit."""
        return f"{PREFIX}{self.name}_{self.unit}" if self.unit else f"{PREFIX}{self.name}"

    def lines(self, readings: Iterable[Reading]) -> Iterator[str]:
        """What it is, and a line a reading; nothing where there is none. Of two that are the same, one."""
        found = [f"{self.whole}{_labels(labels)} {float(value)!r}" for labels, value in readings if value is not None]
        if found:
            yield f"# HELP {self.whole} {self.words}"
            yield f"# TYPE {self.whole} gauge"
            if self.unit:
                yield f"# UNIT {self.whole} {self.unit}"
            yield from dict.fromkeys(found)


OfMigration: TypeAlias = Family[MigrationRecord]


def text(summary: Summary) -> str:
    """All figures of a run that is over."""
    run = {"scenario": summary.scenario, "engine": summary.engine}
    lines = [line for family in FAMILIES for line in family.lines(readings(run, family, summary.migrations))]
    return document([*lines, *VALID.lines(VALID.read((run, summary.valid)))])


def document(lines: Iterable[str]) -> str:
    """These lines, and the mark of the end."""
    return "\n".join([*lines, "# EOF"]) + "\n"


def readings(run: Labels, family: OfMigration, migrations: Iterable[MigrationRecord]) -> Iterator[Reading]:
    """What the figure is of each of these, with the labels of the ``run`` and of the migration."""
    for done in migrations:
        for labels, value in family.read(done):
            yield run | key_labels(done.key) | labels, value


def key_labels(key: MigrationKey) -> Labels:
    """Which migration of the run it is."""
    return {"migration": key.name, "repeat": str(key.repeat), "guest": key.guest}


def content_type(accept: str) -> str:
    """What it is sent as to who asks with that ``Accept``: OpenMetrics where that is named and liked no less than plain
    text, else the text that Prometheus had before it, for which units and the end are comments.
    """
    liked = dict(_ranges(accept))
    plain = max((liked[name] for name in ("text/plain", "text/*", "*/*") if name in liked), default=0.0)
    named = liked.get(OPENMETRICS, 0.0)
    return f"{OPENMETRICS}; version=1.0.0; charset=utf-8" if named > 0 and named >= plain else PLAIN


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """Each media range with how much it is liked, the most last; one that cannot be read is left out."""
    found = []
    for each in accept.lower().split(",")[:MOST_RANGES]:
        name, *parameters = (part.strip() for part in each.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        with suppress(ValueError):
            found.append((name, float(quality)))
    return iter(sorted(found, key=lambda one: one[1]))


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items()) + "}"


def _one(name: str, unit: str, words: str, read: Callable[[MigrationRecord], float | None]) -> OfMigration:
    return Family(name=f"migration_{name}", unit=unit, words=words, read=lambda done: [({}, read(done))])


def _round(name: str, unit: str, words: str, read: Callable[[RoundRecord], float]) -> OfMigration:
    def readings(done: MigrationRecord) -> Iterator[Reading]:
        return (({"round": str(each.index), "kind": each.kind}, read(each)) for each in done.rounds)

    return Family(name=f"round_{name}", unit=unit, words=words, read=readings)


def _service(name: str, unit: str, words: str, read: Callable[[ServiceRecord], float | None]) -> OfMigration:
    def readings(done: MigrationRecord) -> Iterator[Reading]:
        return (({"service": each.name, "seen_by": each.seen_by}, read(each)) for each in done.services)

    return Family(name=f"service_{name}", unit=unit, words=words, read=readings)


def _phases(done: MigrationRecord) -> Iterator[Reading]:
    return (({"phase": name}, seconds) for name, seconds in done.downtime_phases_s.items())


def _outcome(done: MigrationRecord) -> Iterator[Reading]:
    return iter([({"outcome": done.outcome}, 1.0)])


def _bytes(bits: float | None) -> float | None:
    return None if bits is None else bits / 8


def _peak(done: MigrationRecord) -> float | None:
    return done.throttle.peak if done.throttle else None


def _foretold_total(done: MigrationRecord) -> float | None:
    return done.predicted.total_time_s if done.predicted else None


def _foretold_downtime(done: MigrationRecord) -> float | None:
    return done.predicted.downtime_s if done.predicted else None


FAMILIES: tuple[OfMigration, ...] = (
    _one("valid", "", "Whether every check of the migration held: 1, else 0.", lambda m: m.valid),
    Family(name="migration_outcome", unit="", words="How it ended, as a label; always 1.", read=_outcome),
    _one("total_time", "seconds", "From its request to the source's release.", lambda m: m.total_time_s),
    _one("downtime", "seconds", "From the request to pause to the guest heard elsewhere.", lambda m: m.downtime_s),
    Family(name="migration_downtime_phase", unit="seconds", words="The downtime in parts.", read=_phases),
    _one("guest_gap", "seconds", "The longest time without an operation, by the guest.", lambda m: m.guest_gap_s),
    _one("client_blackout", "seconds", "The longest time without an answer.", lambda m: m.client_blackout_s),
    _one("sent", "bytes", "Page bytes over all rounds.", lambda m: m.bytes_sent),
    _one("wire", "bytes", "What the source's interface sent, headers and all.", lambda m: m.wire_bytes),
    _one("retransmits", "", "TCP segments sent again, over all streams.", lambda m: m.retransmits),
    _one("rounds", "", "How many rounds it took, the last one too.", lambda m: len(m.rounds)),
    _one("ram", "bytes", "The guest's memory as emulated.", lambda m: m.vm.ram_bytes),
    _one("write_rate", "bytes_per_second", "What the guest writes, as asked.", lambda m: m.vm.write_rate),
    _one("link_rate", "bytes_per_second", "The vMotion link's rate as asked.", lambda m: _bytes(m.link.rate)),
    _one("link_goodput", "bytes_per_second", "TCP payload it carries, measured.", lambda m: _bytes(m.link.goodput)),
    _one("throttle_peak", "ratio", "The most of a round taken from the guest.", _peak),
    _one("predicted_total_time", "seconds", "By the model.", _foretold_total),
    _one("predicted_downtime", "seconds", "By the model.", _foretold_downtime),
    _round("start", "seconds", "When it began, from the migration's request on.", lambda r: r.started_s),
    _round("duration", "seconds", "How long it took.", lambda r: r.duration_s),
    _round("sent", "bytes", "Page bytes that it sent.", lambda r: r.sent_bytes),
    _round("dirtied", "bytes", "What it left to the next one.", lambda r: r.dirtied_bytes),
    _round("bandwidth", "bytes_per_second", "Bytes sent over the time of sending.", lambda r: r.bandwidth),
    _round("dirty_rate", "bytes_per_second", "Bytes dirtied over its duration.", lambda r: r.dirty_rate),
    _round("throttle", "ratio", "How far the guest was throttled in it, 0 to 1.", lambda r: r.throttle),
    _service("operations", "", "Completed in all.", lambda s: s.operations),
    _service("rate_before", "operations_per_second", "Before the migration.", lambda s: s.rate_before),
    _service("rate_during", "operations_per_second", "Until the switchover.", lambda s: s.rate_during),
    _service("rate_after", "operations_per_second", "After the switchover.", lambda s: s.rate_after),
    _service("longest_halt", "seconds", "Longest time without a completed operation.", lambda s: s.longest_halt_s),
    _service("lost", "", "Acknowledged operations that are gone.", lambda s: s.lost),
)
"""What is told of each migration, in this order."""
VALID: Family[tuple[Labels, bool]] = Family(
    name="run_valid", unit="", words="Whether every check of the run held: 1, else 0.", read=lambda told: [told]
)
