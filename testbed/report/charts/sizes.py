"""What a chart is at the other size: emulated or real-world. The rule is the model's (``model.full_scale``); the page's
script only takes what stands here, so that a chart is drawn, and its rows are kept, once.

    rows      other rows for a chart of a few               domain   and other ends of its axis
    clock     other moments of ``t`` and ``end``, as a table of moments, for each value of the field ``by``
    panels    what ``low``, ``mean`` and ``high`` of each panel are multiplied by, for each value of ``by``
    titles    other titles of axes
"""

from collections.abc import Mapping, Sequence
from typing import Any

from testbed.core.records.migration import ComparisonRecord, MigrationRecord
from testbed.core.text.from_json import JsonObject
from testbed.model.full_scale import at_real_size, clock
from testbed.report.axis.timeline import Timeline
from testbed.report.charts.overview import bandwidth_rows, completion_rows
from testbed.report.charts.switchover import switchover_rows
from testbed.report.charts.timeline import scaled_panels
from testbed.report.drawing.export import pack

NAME = "what"
"""The field that says of which migration a row of lines over one another is."""
REAL_TOTAL, EMULATED_TOTAL = "total time at real-world size, s", "total time as emulated, s"


def is_scaled(migrations: Sequence[MigrationRecord]) -> bool:
    """Whether any of them stands for something larger or longer."""
    return any(each.scale[part] != 1 for each in migrations for part in ("size", "time"))


def moments(record: MigrationRecord) -> list[list[float]]:
    """Moments of a migration, and those at real-world size, of six digits behind the point."""
    made = clock(record)
    return [[round(each, 6) for each in times] for times in (made.emulated, made.real)]


def of_timeline(record: MigrationRecord, line: Timeline) -> JsonObject:
    """The other size of a migration's time axis; latencies and shares stay."""
    size = record.scale["size"]
    factors = [{"": size if scaled else 1} for scaled in scaled_panels(line, record)]
    return {"made": "emulated", "by": "", "clock": {"": moments(record)}, "panels": factors}


def of_lines(migrations: Sequence[MigrationRecord]) -> JsonObject:
    """The other size of lines over one another, of rates; what stands below them stays."""
    first = {each.name: each for each in migrations if each.repeat == 1}
    return {
        "made": "emulated",
        "by": NAME,
        "clock": {name: moments(each) for name, each in first.items()},
        "panels": [{name: each.scale["size"] for name, each in first.items()}],
    }


def of_completion(migrations: Sequence[MigrationRecord], claims: Sequence[ComparisonRecord] = ()) -> JsonObject:
    """Total times as they were: their chart is made at real-world size."""
    rows = completion_rows(migrations, claims, real=False)
    return {"made": "real", "rows": pack(rows), "titles": {REAL_TOTAL: EMULATED_TOTAL}}


def of_bandwidth(migrations: Sequence[MigrationRecord]) -> JsonObject:
    """Bandwidths of rounds at real-world size."""
    return {"made": "emulated", "rows": pack(bandwidth_rows([at_real_size(each) for each in migrations]))}


def of_switchover(record: MigrationRecord) -> JsonObject:
    """The downtime at real-world size, without what others saw of it."""
    rows, domain = switchover_rows(at_real_size(record))
    known: Sequence[Mapping[str, Any]] = rows
    return {"made": "emulated", "rows": pack(known), "domain": domain}
