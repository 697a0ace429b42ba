"""The tables at the end of a run say what was measured, and ``-`` where nothing was."""

import io
from pathlib import Path

from rich.console import Console

from testbed.core.records.migration import ComparisonRecord, MemoryRecord, Summary, ThrottleRecord
from testbed.core.records.services import CaptureRecord
from testbed.report.words.summary import difference, proof, show
from testbed.runfiles.published import comparisons
from testbed.scenario import load
from tests.unit.records import DIRTIED, SENT, a_migration, a_networked_migration, a_prediction, a_summary


def shown(summary: Summary, folder: Path | None = None, width: int = 200) -> str:
    file = io.StringIO()
    show(summary, folder, Console(file=file, width=width))
    return file.getvalue()


def test_one_migration_has_its_rounds_and_sentences() -> None:
    text = shown(a_summary(), Path("results/x"))
    for word in (
        "opvizor",
        "completed",
        "21.4 s",
        "70.0 ms",
        "2.7 GB",
        "1.332",
        "32.0 MB/s",
        "equal: 499,993 pages compared",
    ):
        assert word in text
    for index, (sent, dirtied) in enumerate(zip(SENT, DIRTIED, strict=True), 1):
        assert f"went on after round {index}" in text
        assert str(sent) in text.replace("2.0 GB", "2048") and str(dirtied) in text
    assert "stop 5" in text and "throttle" not in text
    assert "valid: every check held" in text and "results: results/x" in text


def test_several_have_a_line_each_and_no_rounds() -> None:
    text = shown(a_summary(a_migration(name="a"), a_migration(name="b", repeat=2, total_time_s=None, valid=False)))
    assert "b (repeat 2)" in text and "decision" not in text


def test_packets_that_were_not_kept_are_said_of_each_migration() -> None:
    full = CaptureRecord(file="packets/01-1.pcapng", packets=None, dropped=None, fault="No space left on device")
    said = "packets: not all are in packets/01-1.pcapng: No space left on device"
    lacking = a_migration(name="a", capture=full)
    assert said in shown(a_summary(lacking)).splitlines()
    whole = CaptureRecord(file="packets/02-1.pcapng", packets=7, dropped=0)
    text = shown(a_summary(lacking, a_migration(name="b", capture=whole)))
    assert f"a: {said}" in text and "packets/02" not in text


def test_why_it_is_not_valid_is_said() -> None:
    summary = a_summary(a_migration(valid=False))
    summary.valid, summary.invalid_reasons = False, ["opvizor: the link did not deliver its rate"]
    assert "not valid: opvizor: the link did not deliver its rate" in shown(summary)


def test_a_failed_migration_has_no_figures() -> None:
    empty = a_migration(rounds=[], total_time_s=None, downtime_s=None, memory=None, outcome="failed", bytes_sent=0)
    text = shown(a_summary(empty))
    assert "failed" in text and " - " in text


def test_markup_in_a_name_is_text() -> None:
    assert "[bold]x[/nonsense]" in shown(a_summary(a_migration(name="[bold]x[/nonsense]")))


def test_memory_is_said_loudly_when_it_differs() -> None:
    assert proof(MemoryRecord(match=False, method="x", pages_compared=3)).startswith("DIFFERENT: 3 pages")
    assert proof(MemoryRecord(match=None, method="x")) == "not checked"


def test_the_published_table_is_held_against_the_run() -> None:
    records = comparisons(load("opvizor").published, [a_migration()])
    assert [record.measured for record in records] == [*(sent * 1e6 for sent in SENT), 21.4]
    assert difference(records[0]) == "+0.00%"
    text = shown(a_summary(comparisons=tuple(records)))
    for word in ("round 1", "2,048.00 MB", "8.00 MB", "21.31 s", "+0.42%", "codenotary"):
        assert word in text


def test_a_reduction_is_in_points() -> None:
    record = ComparisonRecord(
        name="x", over="r", a="10Gbit", b="40Gbit", reduction=0.8, published=0.88, source="s", measured=0.8
    )
    assert difference(record) == "-8.0 points"
    assert "x, r 10Gbit to 40Gbit" in shown(a_summary(comparisons=(record,)))
    record.measured = None
    assert difference(record) == "-"


def test_both_sizes_are_shown_where_they_differ() -> None:
    real = {"ram_bytes": 128e9, "goodput": 9.4e9, "write_rate": 1.76e9, "total_time_s": 366.0, "bytes_sent": 430e9}
    text = shown(a_summary(a_migration(scale={"size": 32.0, "time": 8.0}, full_scale={**real, "downtime_s": None})))
    for word in ("at full size", "128 GB", "9.4 Gbit/s", "366 s", "430 GB", "21.4 s"):
        assert word in text
    assert "at full size" not in shown(a_summary(a_migration(full_scale=real)))


def test_what_was_predicted_stands_beside_what_was_measured() -> None:
    text = shown(a_summary())
    line = next(line for line in text.splitlines() if "+0.4%" in line)
    assert "21.3 s" in line and "60.0 ms" in line and "+16.7%" in line and "+0" in line
    assert "predicted" not in shown(a_summary(a_migration(predicted=None)))


def test_where_chance_decides_the_prediction_is_an_interval_and_the_run_lies_within_it_or_is_so_far_off() -> None:
    text = shown(a_summary(a_migration(predicted=a_prediction())))
    for words in ("21.0 to 21.9 s", "within", "950 us to 60.0 ms", "+16.7%", "6 to 7", "-1", "completed (55 of 60)"):
        assert words in text, words
    assert "2,728" not in text and "2.7 GB" in text, "an interval that is a rounding is the figure"
    assert "21.0 to 21.9 s" in shown(a_summary(a_migration(predicted=a_prediction())), width=100)


def test_a_claim_says_whether_it_is_met() -> None:
    record = ComparisonRecord(
        name="x", over="r", a=1, b=2, reduction=0.8, published=0.88, source="s", measured=0.8, within=0.02, met=False
    )
    assert "2 points: NO" in shown(a_summary(comparisons=(record,)))
    record.measured = record.met = None
    assert "2 points " in shown(a_summary(comparisons=(record,)))
    record.unit, record.met = "seconds", True
    assert "2%: yes" in shown(a_summary(comparisons=(record,)))


THROTTLED = ThrottleRecord(policy="vmotion", mechanism="sdps", active_s=9.1, peak=0.8)
SCALED = {"scale": {"size": 20.0, "time": 8.0}, "full_scale": {"total_time_s": 171.0, "downtime_s": 0.3}}


def test_how_long_it_was_throttled_stands_in_both_tables() -> None:
    text = shown(a_summary(a_migration(throttle=THROTTLED, **SCALED), a_migration(name="free", **SCALED)))
    emulated, full, _ = (line for line in text.splitlines() if line.startswith("opvizor"))
    assert "9.1 s" in emulated and "72.8 s" in full and text.count("throttled") == 2
    assert "throttled" not in shown(a_summary(a_migration(**SCALED)))


def test_on_eighty_columns_no_word_is_broken_and_no_figure_folded() -> None:
    names = ("ram=128GiB goodput=9.4Gbit", "ram=256GiB goodput=36Gbit")
    done = [a_networked_migration(name=name, throttle=THROTTLED, **SCALED) for name in names]
    claim = ComparisonRecord(
        name="total_time vm.ram=128GiB", over="network.vmotion.goodput", a="9.4Gbit", b="36Gbit", reduction=0.8,
        published=0.88, source="the article, 10G against 40G", measured=0.8, within=0.02, met=False,
    )  # fmt: skip
    summary = a_summary(*done, comparisons=(claim,))
    wide, narrow = shown(summary, width=240), shown(summary, width=80)
    assert max(map(len, narrow.splitlines())) <= 80
    assert set(narrow.split()) <= set(wide.split())
    for words in ("21.4 s", "70.0 ms", "71.9 ms", "9.1 s", "72.8 s", "1.332", "171 s"):
        assert words in narrow, words
    assert "memory" in wide and "memory" not in narrow


def test_where_nothing_else_helps_words_are_broken_and_all_is_there() -> None:
    name = "x" * 90
    text = shown(a_summary(a_migration(name=name)), width=60)
    assert name in "".join(line[:20].strip() for line in text.splitlines()) or text.count("x") >= 90


def test_of_a_model_nothing_is_said_to_be_checked() -> None:
    summary = a_summary()
    summary.engine = "simulated"
    assert "simulated: a model's figures, no measurement" in shown(summary) and "valid: " not in shown(summary)
