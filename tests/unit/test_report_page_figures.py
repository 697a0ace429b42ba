"""Which charts a run has, and that their captions say what is drawn and what is not."""

from pathlib import Path
from typing import Any

from testbed.core.records.services import OrderRecord
from testbed.report.axis.timeline import timeline
from testbed.report.charts import export
from testbed.report.charts.overview import MOST, bandwidth_chart, halts_chart
from testbed.report.charts.timeline import timeline_chart
from testbed.report.page import figures, page
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
