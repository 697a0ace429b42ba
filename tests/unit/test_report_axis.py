"""From samples and cells to what a chart draws: nothing is lost that a screen shows, nothing kept that it cannot."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.errors import ScenarioError
from testbed.core.extents import MOST_CELLS, cell_pages
from testbed.report.axis.bands import band, operations, rate
from testbed.report.axis.timeline import timeline
from testbed.runfiles import pages as cells
from testbed.runfiles import samples
from tests.unit.records import a_migration
from tests.unit.runs import KEPT, kept, made, round_cells, with_pages, with_samples


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=400), st.integers(1, 50))
def test_a_band_keeps_every_peak_and_no_more_points_than_columns(values: list[float], columns: int) -> None:
    times = np.arange(len(values), dtype=np.float64)
    seen = band(times, np.array(values), columns)
    assert len(seen) <= columns
    assert seen.low.min() == min(values) and seen.high.max() == max(values)
    assert (seen.low <= seen.mean + 1e-3).all() and (seen.mean <= seen.high + 1e-3).all()
    assert (np.diff(seen.times) > 0).all()


def test_what_was_not_measured_is_passed_over() -> None:
    seen = band(np.arange(4.0), np.array([1.0, np.nan, 3.0, np.nan]), 10)
    assert seen.times.tolist() == [0, 2] and seen.mean.tolist() == [1, 3]
    assert len(band(np.empty(0), np.empty(0), 10)) == 0


def test_a_counter_begun_anew_is_no_negative_rate() -> None:
    times, rates = rate(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0, 10, 0, 5]))
    assert times.tolist() == [0.5, 2.5] and rates.tolist() == [10, 5]


def test_two_guests_are_one() -> None:
    """The destination's counter jumps to where the source's stopped; no operation is counted twice."""
    t = np.array([0.0, 0.0001, 1.0, 1.0001, 2.0, 2.0001])
    times, rates = operations({"t": t, "operations": np.array([0, 0, 100, 0, 100, 150])})
    assert rates == pytest.approx([100, 50], rel=1e-3)
    assert len(times) == 2


def test_a_real_run_on_one_axis() -> None:
    (recording,) = samples.read(KEPT / "samples.jsonl")
    from testbed.runfiles.folder import RunFolder

    (done,) = RunFolder(KEPT).read_summary().migrations
    line = timeline(done, samples.find([recording], done))
    assert line.throughput is not None and line.operations is not None and done.link.goodput and done.total_time_s
    during = line.throughput.mean[(line.throughput.times > 0.1) & (line.throughput.times < done.total_time_s - 0.1)]
    assert np.median(during) / (done.link.goodput / 8) == pytest.approx(1, abs=0.1)
    assert line.begin < 0 < done.total_time_s <= line.end
    assert line.spans[-1].stunned and not line.spans[0].stunned


def test_the_guest_runs_in_a_post_copy_round() -> None:
    done = a_migration()
    done.rounds[-1].kind = "postcopy"
    assert not any(span.stunned for span in timeline(done, None).spans)


def test_each_migration_has_its_own_samples(tmp_path: Path) -> None:
    """What was sampled just before the second was named is the second's."""
    file = tmp_path / "samples.jsonl"
    file.write_text(
        '{"t":0.99,"kind":"link","tx_bytes":1}\n{"t":1,"kind":"event","event":"migration","name":"a","repeat":1}\n'
        '{"t":2,"kind":"link","tx_bytes":2}\n{"t":8.97,"kind":"link","tx_bytes":0}\n{"t":8.99,"kind":"link","tx_bytes":3}\n'
        '{"t":9,"kind":"event","event":"migration","name":"b","repeat":1}\n{"t":9.1,"kind":"link","tx_bytes":4}\n'
        '{"t":9.2,"kind":"li'
    )
    first, second = samples.read(file)
    assert first.columns("link")["tx_bytes"].tolist() == [1, 2]
    assert second.columns("link")["tx_bytes"].tolist() == [0, 3, 4]
    assert second.columns("link")["t"].tolist() == [8.97, 8.99, 9.1]
    assert second.columns("tcp") == {}


def test_no_samples_are_no_fault_and_damaged_ones_are(tmp_path: Path) -> None:
    assert samples.read(tmp_path / "none") == []
    (tmp_path / "bad").write_text('{"t":1,"kind":"link"}\nnonsense\n{"t":1,"kind":"link"}\n')
    with pytest.raises(ScenarioError, match="bad:2: is not JSON"):
        samples.read(tmp_path / "bad")


def test_columns_keep_types_and_mark_what_lacks() -> None:
    columns = samples.to_columns([{"t": 1.0, "n": 1, "s": "a", "x": 1}, {"t": 2.0, "n": 2, "s": "b", "x": None}])
    assert columns["n"].dtype == np.int64 and columns["s"].tolist() == ["a", "b"]
    assert columns["x"][0] == 1 and np.isnan(columns["x"][1])


@given(st.integers(1, 300_000), st.data())
def test_cells_count_every_page_once(pages: int, data: st.DataObject) -> None:
    numbers = np.array(data.draw(st.lists(st.integers(0, pages - 1), unique=True, max_size=200)), np.int64)
    sent, each = np.zeros(pages, np.bool_), cell_pages(pages)
    sent[numbers] = True
    counts = round_cells(1, sent, ~sent)
    assert counts.sent == tuple(np.bincount(numbers // each, minlength=-(-pages // each)).tolist())
    assert sum(counts.sent) + sum(counts.dirtied) == pages and len(counts.sent) == len(counts.dirtied) <= MOST_CELLS


def test_cells_are_read_as_they_were_written(tmp_path: Path) -> None:
    done = a_migration()
    folder = with_pages(made(tmp_path / "run"), done)
    known = cells.read(folder / "pages.jsonl")[done.key]
    assert known.rounds == list(range(1, 13)) and known.sent.shape == known.dirtied.shape
    assert known.sizes.sum() == known.pages == done.vm.ram_bytes // 4096
    assert (known.sent[0] == known.sizes).all() and (known.sent[1:] == known.dirtied[:-1]).all()
    coarse = known.coarser(100)
    assert coarse.sent.shape[1] <= 100 and coarse.sent.sum() == known.sent.sum()
    assert (coarse.sent[0] == coarse.sizes).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]\n", "is no JSON object"),
        ('{"migration":"a"}\n', "repeat is missing"),
        ("{\n", "is not JSON"),
        ('{"migration":"a","repeat":1,"round":1,"pages":9,"cell_pages":1,"sent":[1],"dirtied":[1]}\n', "do not cover"),
    ],
)
def test_damaged_cells_are_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "pages.jsonl").write_text(text)
    with pytest.raises(ScenarioError, match=said):
        cells.read(tmp_path / "pages.jsonl")


def test_three_minutes_become_a_screen(tmp_path: Path) -> None:
    done = a_migration(total_time_s=178.0)
    folder = with_samples(kept(tmp_path / "run"), done, 180)
    line = timeline(done, samples.find(samples.read(folder / "samples.jsonl"), done))
    assert line.throughput is not None and len(line.throughput) <= 480
    assert line.throughput.mean == pytest.approx(128e6, rel=0.01)
