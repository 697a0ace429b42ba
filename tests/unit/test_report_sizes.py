"""One switch for every figure: text has both sizes, and each chart what it is at the other."""

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.core.records.migration import MigrationRecord
from testbed.model.full_scale import at_real_size, clock
from testbed.report.page import page
from testbed.report.page.html import html
from testbed.report.page.model import Page
from tests.unit.records import a_migration, a_networked_migration, a_summary
from tests.unit.runs import made

SCALE = {"size": 32.0, "time": 8.0}


def shown(folder: Path, *migrations: MigrationRecord) -> Page:
    return page.load(made(folder / "run", a_summary(*migrations)))


@pytest.fixture(scope="module")
def scaled(tmp_path_factory: pytest.TempPathFactory) -> Page:
    both = [a_networked_migration(name=name, scale=SCALE, full_scale={}) for name in ("slow", "fast")]
    for each in both:
        each.rounds[2].throttle = 0.5
    return shown(tmp_path_factory.mktemp("sizes"), *both)


def sizes(of: Page, name: str) -> dict[str, Any]:
    chart = next(figure for figure in of.figures if figure.name == name).packed()
    known: dict[str, Any] = json.loads(json.dumps(chart["usermeta"]["size"]))
    return known


def test_tables_have_both(scaled: Page) -> None:
    text = html(scaled)
    assert '<span class="em">21.4 s</span><span class="rw">171 s</span>' in text
    assert '<span class="em">2.0 GB</span><span class="rw">524 GB</span>' in text  # of a round, and RAM
    assert 'data-size="real"' in text and "real-world size</b>, but for proofs" in text


def test_a_run_of_its_own_size_has_no_switch(tmp_path: Path) -> None:
    seen = shown(tmp_path, a_migration())
    text = html(seen)
    assert 'class="rw"' not in text and 'button type="button" data-size' not in text
    assert all(figure.sizes is None and not figure.stays for figure in seen.figures)


def test_a_services_operations_are_its_rate_times_its_length_at_either_size(scaled: Page) -> None:
    """They stayed as emulated, beside a rate and a length at real-world size."""
    record = scaled.summary.migrations[0]
    real = at_real_size(record)
    for before, after in zip(record.services[0].phases, real.services[0].phases, strict=True):
        assert after.operations == pytest.approx(after.rate * (after.end_s - after.begin_s), rel=0.01, abs=1)
        shown = f'<span class="em">{before.operations:,}</span><span class="rw">{after.operations:,}</span>'
        assert shown in html(scaled) or not before.operations


def test_a_time_axis_follows_the_models_clock_and_latencies_stay(scaled: Page) -> None:
    known, record = sizes(scaled, "timeline-slow"), scaled.summary.migrations[0]
    moments = clock(record)
    assert known["clock"][""][0] == pytest.approx(moments.emulated, abs=1e-6)
    assert known["clock"][""][1] == pytest.approx(moments.real, abs=1e-6)
    chart = next(figure for figure in scaled.figures if figure.name == "timeline-slow").packed()
    assert len(known["panels"]) == len(chart["vconcat"])
    titles = [panel["layer"][1]["encoding"]["y"]["title"] for panel in chart["vconcat"]]
    factors = dict(zip(map(str, titles), (each[""] for each in known["panels"]), strict=True))
    assert factors["MB/s"] == 32 and factors["throttle, %"] == 1


def test_charts_of_a_few_rows_have_them_at_the_other_size(scaled: Page) -> None:
    totals = sizes(scaled, "completion")
    assert totals["made"] == "real" and totals["rows"]["columns"]["seconds"] == [21.4, 21.4]
    rates = sizes(scaled, "bandwidth")
    assert rates["made"] == "emulated" and max(rates["rows"]["columns"]["sent"]) == pytest.approx(2048 * 256, rel=1e-4)
    down = sizes(scaled, "switchover-slow")
    assert "gap (guest)" not in down["rows"]["columns"]["what"]["words"]
    assert down["domain"][1] > down["domain"][0]


def test_each_migration_has_its_own_scale(tmp_path: Path) -> None:
    one = a_migration(name="one", full_scale={})
    other = a_migration(name="other", scale=SCALE, full_scale={})
    seen = shown(tmp_path, one, other)
    known = sizes(seen, "bandwidth")["rows"]["columns"]
    assert known["sent"][:5] == [2048, 512, 128, 32, 8] and known["sent"][5] == pytest.approx(2048 * 256, rel=1e-4)


def test_what_has_no_real_world_size_says_so(scaled: Page) -> None:
    stays = {figure.name: figure.stays for figure in scaled.figures}
    assert stays["timeline-slow"] == "Latencies and shares" and stays["gaps"] == "Bars"
    assert "Bars are drawn as emulated: they have no real-world size." in html(scaled)
