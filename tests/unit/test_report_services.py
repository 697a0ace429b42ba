"""Services in the report: what they got done, how long they halted, what a client saw, and what was found wrong."""

import io
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from testbed.core.records.claims import Claim
from testbed.core.records.migration import MigrationRecord
from testbed.report.axis.bands import completed
from testbed.report.axis.timeline import Timeline, timeline
from testbed.report.charts.overview import halts_chart
from testbed.report.charts.switchover import MEANING, PARTS, switchover_chart
from testbed.report.charts.timeline import timeline_chart
from testbed.report.drawing import export
from testbed.report.page import page
from testbed.report.words import page as page_words
from testbed.report.words import services
from testbed.report.words.summary import show
from testbed.runfiles import samples
from testbed.runfiles.folder import RunFolder
from testbed.runfiles.published import comparisons
from tests.unit.records import a_migration, a_networked_migration, a_service, a_summary
from tests.unit.runs import KEPT, made, with_samples

RATE = "network.vmotion.goodput"
CLAIM = Claim(
    figure="longest_halt", published=3, source="the article, figure 5", over=RATE, a="10Gbit", b="40Gbit", at_least=True
)


def with_services(folder: Path, done: MigrationRecord, seconds: float = 24.0) -> Path:
    """Samples where a service does 1000 operations a second, none from 16 s to 20 s, and moves then."""
    with_samples(folder, done, seconds)
    rows, count = [], {"esx1": 0, "esx2": 0}
    for tick in range(int(seconds / 0.02)):
        t = 0.02 + tick * 0.02
        if 17 <= t < 21:  # the migration is asked for at 1 s
            continue
        host = "esx1" if t < 21 else "esx2"
        count[host] += 20
        row = {"t": t, "kind": "service", "name": "iometer", "host": host, "operations": count[host]}
        rows.append({**row, "latency_s": 0.001})
        rows.append({"t": t, "kind": "client", "operations": tick, "latency_s": 0.0002})
    with (folder / "samples.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return folder


def line_of(folder: Path, done: MigrationRecord) -> Timeline:
    return timeline(done, samples.read(folder / "samples.jsonl")[0])


def shown(*migrations: MigrationRecord) -> str:
    file = io.StringIO()
    show(a_summary(*migrations), None, Console(file=file, width=240))
    return file.getvalue()


def test_the_tables_at_the_end_have_blackout_and_services() -> None:
    text = shown(a_networked_migration())
    for words in ("blackout", "71.9 ms", "iometer", "1,000", "12.5", "998", "1.2 s", "700 ms", "yes"):
        assert words in text, words
    assert "the switch forwarded 02:00:0a:00:02:64 to esx1 before and to esx2 after; 4 announcements" in text
    assert "connections: moved by TCP_REPAIR: 10 went on at the destination; no reconnects" in text
    assert "blackout: 71.9 ms = last answer 1.2 ms, downtime 70.0 ms, next request 300 us, next answer 400 us" in text


def test_what_moves_bytes_says_how_many_and_what_does_not_says_nothing() -> None:
    """1,000 operations of 4096 bytes a second before, 998 after."""
    done = a_networked_migration(services=[a_service(), a_service(name="oltp", operation_bytes=None)])
    heads, (iometer, oltp) = services.service_heads([done]), services.services(done)
    assert len(heads) == len(iometer) == len(oltp)
    assert (iometer[heads.index("MB/s before")], oltp[heads.index("MB/s before")]) == ("4.1", "-")
    assert heads[-1] == "verified" and services.numbers(heads) == list(range(2, len(heads) - 1))
    phases, rows = services.phase_heads(done.services[0]), services.phases(done.services[0])
    assert [row[phases.index("MB/s")] for row in rows if row[0] in ("before", "after")] == ["4.1", "4.09"]
    assert all(len(row) == len(phases) for row in rows)


def test_where_nothing_moves_bytes_there_is_no_such_column() -> None:
    done = a_networked_migration(services=[a_service(operation_bytes=None)])
    assert "MB/s before" not in services.service_heads([done])
    assert len(services.service_heads([done])) == len(services.services(done)[0])
    assert len(services.phase_heads(done.services[0])) == len(services.phases(done.services[0])[0])
    beside = a_networked_migration()
    assert len(services.service_heads([done, beside])) == len(services.services(done, [done, beside])[0])
    assert "MB/s before" in shown(done, beside) and "MB/s before" not in shown(done)


def test_a_run_without_services_has_no_such_lines() -> None:
    text = shown(a_migration())
    assert "blackout" not in text and "services" not in text and "connections" not in text


def test_what_was_lost_is_said_loudly() -> None:
    done = a_networked_migration(services=[a_service(verified=False, lost=2, doubled=1)])
    assert "NO: 2 lost, 1 doubled" in shown(done)
    assert services.verified(a_service(verified=None)) == "-"
    checks = {each.name: each for each in page_words.checks([done, a_migration()])}
    assert checks["services whole"].state == "failed"
    assert "services whole" not in {each.name for each in page_words.checks([a_migration()])}


def test_connections_that_were_reset_say_why() -> None:
    done = a_networked_migration()
    assert done.connections is not None
    done.connections.mechanism, done.connections.reason, done.connections.reconnects = "reset", "as asked", 1
    assert "connections: reset (as asked): 10 went on at the destination; 1 reconnect" in services.network(done)[1]


def test_without_connections_there_is_nothing_to_tell_of_them() -> None:
    done = a_networked_migration()
    assert done.connections is not None
    done.connections.moved = 0
    assert services.network(done)[1] == "connections: there were none"


def test_the_page_has_them_and_survives_the_round_trip(tmp_path: Path) -> None:
    lost = "operation <7> was lost"
    done = a_networked_migration(
        services=[a_service(verified=False, findings=[lost])], valid=False, invalid_reasons=[lost]
    )
    folder = with_services(made(tmp_path / "run", a_summary(done)), done)
    assert RunFolder(folder).read_summary().migrations[0] == done
    page.rebuild(folder)
    text = (folder / "report.html").read_text(encoding="utf-8")
    for words in ("What the guest&#39;s applications felt", "What the guest's applications felt"):
        if words in text:
            break
    else:
        pytest.fail("no table of services")
    assert "operation &lt;7&gt; was lost" in text and "iometer, stretch by stretch" in text
    assert "the switch forwarded" in text and "every operation once" in text


def test_a_run_that_had_no_services_still_has_its_page() -> None:
    """The folder of schema 1 was made before there were any."""
    (done,) = RunFolder(KEPT).read_summary().migrations
    assert done.services == [] and done.blackout is None and done.identity is None
    assert services.network(done) == [] and services.services(done) == []


def test_the_time_axis_shows_a_halt_as_nothing_done(tmp_path: Path) -> None:
    done = a_networked_migration()
    line = line_of(with_services(made(tmp_path / "run", a_summary(done)), done), done)
    (service,) = line.services
    rate = service.rate
    halted = (rate.times > 16.2) & (rate.times < 19.8)
    assert halted.any() and not rate.mean[halted].any()
    assert np.median(rate.mean[rate.times < 15.5]) == pytest.approx(1000, rel=0.02)
    assert np.median(rate.mean[rate.times > 20.5]) == pytest.approx(1000, rel=0.02)
    chart = timeline_chart(line, done)
    chart.to_dict()
    assert len(chart.to_dict(validate=False)["vconcat"]) == 5  # rates, guest, service's rate and latency, probe


def test_what_the_clients_saw_is_drawn_from_their_own_log(tmp_path: Path) -> None:
    done = a_networked_migration(services=[a_service(seen_by="client")])
    folder = with_services(made(tmp_path / "run", a_summary(done)), done)
    assert line_of(folder, done).services == []
    rows = (
        (folder / "samples.jsonl").read_text().replace('"host": "esx1", "operations"', '"host": "client", "operations"')
    )
    (folder / "samples.jsonl").write_text(rows)
    assert len(line_of(folder, done).services) == 1


def test_figure_5_is_curves_over_bars_and_files(tmp_path: Path) -> None:
    both = [
        a_networked_migration(name=f"goodput={rate}", settings={RATE: rate}, services=[a_service(longest_halt_s=halt)])
        for rate, halt in (("10Gbit", 1.25), ("40Gbit", 0.05))
    ]
    folder = made(tmp_path / "run", a_summary(*both, comparisons=tuple(comparisons([CLAIM], both))))
    with_services(folder, both[0])
    page.rebuild(folder)
    names = {file.name for file in (folder / "figures").iterdir()}
    assert {"halts-iometer.svg", "halts-iometer.png", "published-ratio.svg"} <= names
    chart = halts_chart(both, [line_of(folder, both[0]), timeline(both[1], None)], "iometer")
    assert chart is not None
    assert "longest time without an operation of iometer, ms" in export.svg(export.spec(chart))
    assert len(chart.to_dict()["vconcat"]) == 2
    bars = halts_chart(both, [], "iometer")
    assert bars is not None and "vconcat" not in bars.to_dict() and halts_chart(both, [], "oltp") is None
    assert "The longest halt is 25.0 times as long at 10Gbit as at 40Gbit (expected: at least 3)." in (
        folder / "report.html"
    ).read_text(encoding="utf-8")


def test_a_ratio_is_met_from_what_was_asked_on() -> None:
    def held(first: float, last: float) -> tuple[float | None, bool | None]:
        done = [
            a_networked_migration(settings={RATE: rate}, services=[a_service(longest_halt_s=halt)])
            for rate, halt in (("10Gbit", first), ("40Gbit", last))
        ]
        (record,) = comparisons([CLAIM], done)
        assert record.unit == "ratio" and record.reduction is None
        return record.measured, record.met

    assert held(3.0, 1.0) == (3.0, True)
    assert held(2.9, 1.0) == (2.9, False)
    (record,) = comparisons([CLAIM], [a_migration(settings={RATE: rate}) for rate in ("10Gbit", "40Gbit")])
    assert record.measured is record.met is None


def test_the_three_downtimes_lie_on_one_axis() -> None:
    chart = switchover_chart(a_networked_migration())
    assert chart is not None
    chart.to_dict()
    (rows,) = chart.to_dict(validate=False)["datasets"].values()
    by_name = {row["what"]: row for row in rows}
    down, gap, blackout = (by_name[name] for name in ("downtime (hypervisor)", "gap (guest)", "blackout (client)"))
    assert down["begin"] == 0 and gap["begin"] == pytest.approx(-0.5) and blackout["begin"] == pytest.approx(-1.2)
    parts = [by_name[name] for name in ("last answer", "next request", "next answer")]
    assert parts[0]["end"] == pytest.approx(down["begin"]) and parts[1]["begin"] == pytest.approx(down["end"])
    assert parts[2]["end"] == pytest.approx(blackout["end"]) and all(part["note"] for part in parts)
    phases = [row for row in rows if row["kind"] == "phase"]
    assert all(a["end"] == pytest.approx(b["begin"]) for a, b in pairwise(phases))
    assert all(row["note"] for row in phases)


def test_a_long_silence_before_it_does_not_hide_the_phases() -> None:
    done = a_networked_migration(client_blackout_s=2.2)
    assert done.blackout is not None
    done.blackout.begin_s, done.blackout.parts = -2.25, {"before_switchover": 2.2}
    chart = switchover_chart(done)
    assert chart is not None
    made = chart.to_dict(validate=False)
    first, last = made["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert first == pytest.approx(-70) and last < 150
    (rows,) = made["datasets"].values()
    assert all(first <= row["left"] <= row["right"] <= last for row in rows)


def test_every_phase_and_part_has_its_words() -> None:
    from testbed.core.records.stamps import PHASES
    from testbed.findings.blackout import blackout

    assert list(MEANING) == list(PHASES)
    answers = np.array([[0, at * 10**9, number, 0] for number, at in enumerate((1, 3, 8))], np.uint64)
    found: dict[str, float] = {}
    for asked in (1.5, 3.5, 0.9, 1.0):
        _, record = blackout(answers[: 3 if asked > 1.5 else 2], asked, asked + 0.1)
        found |= record.parts if record else {}
    assert found and set(found) <= set(PARTS)


@given(
    counts=st.lists(st.tuples(st.integers(1, 50), st.sampled_from(["esx1", "esx2"])), min_size=2, max_size=80),
    columns=st.integers(2, 40),
)
def test_no_operation_is_drawn_twice_or_never(counts: list[tuple[int, str]], columns: int) -> None:
    hosts = np.array([host for _, host in counts])
    done, totals = [], {"esx1": 0, "esx2": 0}
    for count, host in counts:
        totals[host] += count
        done.append(totals[host])
    times, rates = completed({"t": np.arange(len(done)) * 0.02, "host": hosts, "operations": np.array(done)}, columns)
    width = 2 * ((len(done) - 1) * 0.02 - times[-1])
    assert (rates * width).sum() == pytest.approx(sum(totals.values()))
    assert len(times) <= columns and (rates >= 0).all()
