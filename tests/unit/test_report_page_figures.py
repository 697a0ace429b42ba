"""Which charts a run has, and that their captions say what is drawn and what is not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from testbed.core.records.migration import ComparisonRecord, MigrationRecord, ThrottleRecord
from testbed.core.records.services import OrderRecord
from testbed.report.axis.timeline import timeline
from testbed.report.charts.overview import MOST, bandwidth_chart, completion_chart, completion_rows, halts_chart
from testbed.report.charts.timeline import timeline_chart
from testbed.report.drawing import export
from testbed.report.page import captions, figures, page
from testbed.report.words import page as page_words
from tests.unit.records import a_migration, a_networked_migration, a_service, a_summary
from tests.unit.runs import made

BY_HAND = [
    OrderRecord(at_s=1.5, what="cut"),
    OrderRecord(at_s=2.5, what="mend"),
    OrderRecord(at_s=4.0, what="rate", value=2e9),
    OrderRecord(at_s=5.0, what="throttle", value=0.5, fault="the guest has no throttle"),
]


def caption(done: Any) -> str:
    return next(figures.of_migration(done, timeline(done, None), None, "x")).caption


def test_what_was_done_by_hand_stands_on_the_time_axis_and_in_a_table(tmp_path: Path) -> None:
    done = a_migration(controls=BY_HAND)
    drawn = export.svg(export.spec(timeline_chart(timeline(done, None), done)))
    for words in ("cut", "mend", "rate 2.0 Gbit/s", "throttle 50% (failed)"):
        assert words in drawn, words
    assert "what was done by hand" in caption(done) and "by hand" not in caption(a_migration())
    assert page_words.orders(done)[2:] == [
        ["4.00 s", "rate", "2.0 Gbit/s", "-"],
        ["5.00 s", "throttle", "50%", "the guest has no throttle"],
    ]
    page.rebuild(made(tmp_path / "run", a_summary(done)))
    assert "Done by hand" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    page.rebuild(made(tmp_path / "other"))
    assert "Done by hand" not in (tmp_path / "other" / "report.html").read_text(encoding="utf-8")


def test_only_what_was_measured_is_said_to_be_proved() -> None:
    assert "Dashed: the goodput proved on this link." in caption(a_migration())
    model = a_migration()
    model.link.drops = None
    assert "Dashed: the goodput that the link's rate implies." in caption(model)
    slow = a_migration()
    slow.link.verified = False
    assert "Dashed: the goodput measured on this link." in caption(slow)
    assert "Bands reach" not in caption(model)


def test_bandwidth_has_a_lane_for_precopy_and_one_for_the_switchover() -> None:
    chart = bandwidth_chart([a_migration(), a_migration(name="b")])
    assert chart is not None
    lanes = chart.to_dict()["encoding"]["yOffset"]
    assert lanes["field"] == "when" and lanes["scale"]["domain"] == ["pre-copy", "switchover"]


def test_that_only_some_are_drawn_is_said_and_the_others_have_no_colour() -> None:
    many = [a_networked_migration(name=f"m{i}", services=[a_service()]) for i in range(MOST + 2)]
    lines = [timeline(each, None) for each in many]
    found = {figure.name: figure.caption for figure in figures.of_run(a_summary(*many), lines)}
    assert f"of the first {MOST} of {MOST + 2} migrations" in found["halts-iometer"]
    few = {each.name: each.caption for each in figures.of_run(a_summary(*many[:3]), lines[:3])}
    assert "of the first" not in few["halts-iometer"]
    chart = halts_chart(many, lines, "iometer")
    assert chart is not None
    colour = chart.to_dict()["encoding"]["color"]
    assert colour["condition"]["test"]["oneOf"] == [f"m{i}" for i in range(MOST)] and "value" in colour


CLAIM = ComparisonRecord(
    name="total_time vm.ram=128GiB",
    over="rate",
    a="10Gbit",
    b="40Gbit",
    reduction=0.8,
    measured=0.8,
    published=0.88,
    source="the article, 10G against 40G",
)


def both(**changes: Any) -> list[MigrationRecord]:
    """The same guest at two rates."""
    return [
        a_networked_migration(name=rate, settings={"vm.ram": "128GiB", "rate": rate}, **changes)
        for rate in ("10Gbit", "40Gbit")
    ]


def titles(*claims: ComparisonRecord) -> dict[str, tuple[str, str]]:
    done = both(services=[a_service()])
    lines = [timeline(each, None) for each in done]
    return {
        each.name: (each.title, each.caption) for each in figures.of_run(a_summary(*done, comparisons=claims), lines)
    }


def test_the_articles_figures_are_named_where_a_run_reproduces_them() -> None:
    found = titles(CLAIM)
    assert found["completion"][0] == "The article's Figure 3: completion time"
    assert "88% less (vm.ram=128GiB)" in found["completion"][1] and "gives no times" in found["completion"][1]
    assert found["bandwidth"][0].startswith("The article's Figure 4: bandwidth")
    assert "gives no numbers" in found["bandwidth"][1]
    assert "article" not in " ".join(found["halts-iometer"])
    fifth = titles(replace(CLAIM, name="longest_halt", unit="ratio", source="the article, figure 5"))
    assert fifth["halts-iometer"][0] == "The article's Figure 5: when iometer halts, and for how long"
    assert "article" not in " ".join(fifth["completion"] + fifth["bandwidth"])


def test_other_sources_and_runs_name_no_figure_of_the_article() -> None:
    for found in (titles(), titles(replace(CLAIM, source="another article")), titles(replace(CLAIM, over=""))):
        assert all("article" not in title + caption for title, caption in found.values())


def test_a_published_reduction_is_marked_where_its_bar_would_end() -> None:
    rows = completion_rows(both(), [CLAIM])
    assert "published" not in rows[0] and rows[1]["published"] == pytest.approx(0.12 * float(rows[0]["seconds"]))
    assert "published" not in completion_rows(both(), [replace(CLAIM, name="total_time vm.ram=256GiB")])[1]
    chart = completion_chart(both(), [CLAIM])
    assert chart is not None
    chart.to_dict()  # raises what is not of the schema
    assert export.svg(export.spec(chart)).startswith("<svg")


@pytest.mark.parametrize(
    ("mechanism", "words"),
    [
        ("synchronous write-protection, answered late", "is one batch"),
        ("stop and continue, 10 ms slices", "each slice of time"),
        (None, ""),
    ],
)
def test_why_a_throttled_guest_bursts_is_said_by_how_it_was_throttled(mechanism: str | None, words: str) -> None:
    throttle = ThrottleRecord(policy="vmotion", mechanism=mechanism, active_s=2.0)
    said = captions.operations([a_migration(throttle=throttle)], [])
    assert ("bursts" in said) is bool(words) and words in said
    idle = replace(throttle, active_s=0.0)
    assert "bursts" not in captions.operations([a_migration(throttle=idle)], [])


def test_every_chart_says_in_a_sentence_what_to_see() -> None:
    done = both(services=[a_service()])
    lines = [timeline(each, None) for each in done]
    drawn = figures.of_run(a_summary(*done, comparisons=(CLAIM,)), lines)
    drawn += [each for record in done for each in figures.of_migration(record, timeline(record, None), None, "x")]
    assert len(drawn) > 5 and all(each.caption.endswith(".") and len(each.caption) > 40 for each in drawn)
