"""What the page says in words: what was checked, and figures as people quote them; the answer is in ``answers``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from testbed.core.records.link import LinkRecord
from testbed.core.records.migration import ComparisonRecord, MigrationRecord
from testbed.core.records.services import OrderRecord
from testbed.core.units import in_bits_per_second, in_bytes, in_bytes_per_second, in_seconds
from testbed.report.side.measures import throttled_real_s, throttled_s
from testbed.report.words.foretold import foretold
from testbed.report.words.summary import difference, in_unit

NOTHING = "-"
State: TypeAlias = Literal["held", "failed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was checked over all migrations."""

    name: str
    state: State
    note: str


def checks(migrations: Sequence[MigrationRecord]) -> list[Check]:
    """Memory equal, accounts closed, link proved, one runner: each over all migrations."""
    pages = sum(each.memory.pages_compared for each in migrations if each.memory)
    return [
        _check(
            "memory equal",
            [each.memory.match if each.memory else None for each in migrations],
            f"{pages:,} pages compared",
        ),
        _check(
            "accounts closed",
            [each.accounting.consistent if each.accounting else None for each in migrations],
            "page bytes, socket bytes and link bytes agree",
        ),
        _check("link proved", [_proved(each) for each in migrations], "its goodput was measured just before"),
        _check(
            "one runner",
            [_one_runner(each) for each in migrations],
            "no operation was lost, and none made at both hosts",
        ),
        *_services_whole(migrations),
    ]


def key_figures(record: MigrationRecord) -> list[tuple[str, str, str]]:
    """Name, at emulated size, at real-world size."""
    full, ram = record.full_scale, record.vm.ram_bytes
    rounds, of_ram = str(len(record.rounds)), sent_of_ram(record)
    return [
        ("total time", seconds(record.total_time_s), seconds(full.get("total_time_s"))),
        ("downtime (hypervisor)", seconds(record.downtime_s), seconds(full.get("downtime_s"))),
        ("gap (guest)", seconds(record.guest_gap_s), NOTHING),
        ("blackout (client)", seconds(record.client_blackout_s), NOTHING),
        ("rounds", rounds, rounds),
        ("sent", in_bytes(record.bytes_sent), _bytes(full.get("bytes_sent"))),
        ("sent / RAM", of_ram, of_ram),
        ("RAM", in_bytes(ram), _bytes(full.get("ram_bytes"))),
        ("throttled for", *throttled(record)),
        ("write rate", _rate(record.vm.write_rate), _rate(full.get("write_rate"))),
    ]


def first_of(figures: Sequence[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """The names of ``key_figures``, and those at emulated size."""
    return [(name, emulated) for name, emulated, _ in figures]


def last_of(figures: Sequence[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """The names of ``key_figures``, and those at real-world size."""
    return [(name, real) for name, _, real in figures]


def predicted(record: MigrationRecord) -> list[tuple[str, str, str, str]]:
    """Name, measured, predicted, difference; nothing where nothing was predicted."""
    return [(each.name, each.measured, each.said, each.off) for each in foretold(record)]


def rounds(record: MigrationRecord) -> list[list[str]]:
    """A row a round: number, sent, time, bandwidth, dirtied, dirty rate, throttle, decision."""
    names = {"precopy": "", "stop_and_copy": "stop ", "postcopy": "post "}
    return [
        [
            f"{names[each.kind]}{each.index}",
            in_bytes(each.sent_bytes),
            in_seconds(each.duration_s),
            in_bytes_per_second(each.bandwidth),
            in_bytes(each.dirtied_bytes) if each.dirtied_bytes else "0",
            in_bytes_per_second(each.dirty_rate) if each.dirty_rate else "0",
            f"{each.throttle:.0%}",
            each.decision,
        ]
        for each in record.rounds
    ]


ORDER_HEADS = ("when", "what", "value", "not done because")


def orders(record: MigrationRecord) -> list[list[str]]:
    """A row for each thing that somebody did by hand, under ``ORDER_HEADS``."""
    return [[f"{each.at_s:.2f} s", each.what, _of_order(each), each.fault or NOTHING] for each in record.controls]


FAULT_HEADS = ("when", "phase", "fault", "not done because")


def faults(record: MigrationRecord) -> list[list[str]]:
    """A row for each fault that was planned for it, under ``FAULT_HEADS``."""
    return [
        [
            NOTHING if each.at_s is None else f"{each.at_s:.2f} s",
            each.phase,
            each.what,
            each.fault or (NOTHING if each.struck else "it was never reached"),
        ]
        for each in record.faults
    ]


def published(comparisons: Sequence[ComparisonRecord]) -> list[list[str]]:
    """A row a claim: what, measured, published, difference, source."""
    return [
        [
            f"{each.name}, {each.over} {each.a} to {each.b}" if each.over else each.name,
            in_unit(each.measured, each.unit),
            in_unit(each.published, each.unit),
            difference(each),
            each.source,
        ]
        for each in comparisons
    ]


def sent_of_ram(record: MigrationRecord) -> str:
    """How many times its memory went over the link: the same at either size."""
    return f"{record.bytes_sent / record.vm.ram_bytes:.3f}" if record.vm.ram_bytes else NOTHING


def throttled(record: MigrationRecord) -> tuple[str, str]:
    """For how long, as emulated and at real-world size."""
    return seconds(throttled_s(record)), seconds(throttled_real_s(record))


def measured(link: LinkRecord) -> bool:
    """Whether there was a link to measure: a model's has no drops to count."""
    return link.drops is not None


def title(record: MigrationRecord) -> str:
    """Its name, with the repeat where there are more."""
    return record.name if record.repeat == 1 else f"{record.name}, repeat {record.repeat}"


def seconds(value: float | None) -> str:
    """``-`` where it was not measured."""
    return NOTHING if value is None else in_seconds(value)


def _of_order(each: OrderRecord) -> str:
    """A rate is in bit/s, a throttle a share."""
    if each.value is None:
        return NOTHING
    return in_bits_per_second(each.value) if each.what == "rate" else f"{each.value:.0%}"


def _check(name: str, answers: Sequence[bool | None], note: str) -> Check:
    held, failed = sum(each is True for each in answers), sum(each is False for each in answers)
    if failed:
        return Check(name=name, state="failed", note=f"not so in {failed} of {len(answers)} migrations")
    if not held:
        return Check(name=name, state="unknown", note=" in this run")
    return Check(
        name=name, state="held", note=note if len(answers) == 1 else f"{note}, in {held} of {len(answers)} migrations"
    )


def _proved(record: MigrationRecord) -> bool | None:
    return record.link.verified if measured(record.link) else None


def _one_runner(record: MigrationRecord) -> bool | None:
    if record.guest is None or record.guest.operations is None or record.guest.lost is None:
        return None
    return record.guest.lost == 0


def _services_whole(migrations: Sequence[MigrationRecord]) -> list[Check]:
    """One more where there were services."""
    answers = [_all_verified(each) for each in migrations if each.services]
    note = "nothing of what was acknowledged or written is lost or doubled"
    return [_check("services whole", answers, note)] if answers else []


def _all_verified(record: MigrationRecord) -> bool | None:
    answers = [each.verified for each in record.services if each.verified is not None]
    return all(answers) if answers else None


def _bytes(value: float | None) -> str:
    return NOTHING if value is None else in_bytes(value)


def _rate(value: float | None) -> str:
    return NOTHING if value is None else in_bytes_per_second(value)
