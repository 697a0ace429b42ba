"""``samples.jsonl`` of both schemas: whose each line is, whatever stands between the lines of one migration."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import testbed
from testbed.core.errors import ScenarioError
from testbed.core.migration_key import MigrationKey
from testbed.core.records.sample_owner import NAMED, NUMBER, SCHEMA, named
from testbed.metrics.sampler import Sampler
from testbed.report.axis.timeline import timeline
from testbed.runfiles import samples
from testbed.runfiles.folder import RunFolder
from testbed.runfiles.samples import Recordings
from testbed.web.live.sections import Sections
from tests.unit.runs import KEPT, kept
from tests.unit.test_metrics_sampler import PERIOD, Counting

WEB, DB = MigrationKey(name="m", guest="web"), MigrationKey(name="m", repeat=2, guest="db")
Rows = list[dict[str, Any]]


def story(number: int, key: MigrationKey, ticks: int, early: int = 0) -> Rows:
    """What is written of one migration; ``early`` samples before it is named."""
    naming = {"t": 0.5, "kind": "event", "event": NAMED, **named(key, seed=1)}
    rows = [{"t": float(tick), "kind": "link", "tx_bytes": number * 1000 + tick} for tick in range(ticks)]
    mark = {"t": float(ticks), "kind": "event", "event": "mark", "name": "migrate"}
    return [row | {NUMBER: number} for row in [*rows[:early], naming, *rows[early:], mark]]


def written(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 9), st.integers(0, 20), st.data())
def test_lines_of_two_migrations_come_apart_however_they_stand_between_each_other(
    tmp_path_factory: pytest.TempPathFactory, turns: list[bool], early: int, ticks: int, data: st.DataObject
) -> None:
    stories = {True: story(7, WEB, ticks, early), False: story(3, DB, 9, early)}
    rest = {turn: iter(rows) for turn, rows in stories.items()}
    rows = [row for turn in turns if (row := next(rest[turn], None))] + [*rest[True], *rest[False]]
    path = tmp_path_factory.mktemp("run") / "samples.jsonl"
    for read in (samples.read, samples.events):
        found = {each.key: each for each in read(written(path, rows))}
        assert found.keys() == {WEB, DB}
        assert (found[WEB].mark("migrate"), found[DB].mark("migrate")) == (float(ticks), 9.0)
    found = {each.key: each for each in samples.read(path)}
    assert found[DB].columns("link")["tx_bytes"].tolist() == [3000 + tick for tick in range(9)]
    assert found[WEB].rows.get("link", []) == [{"t": t, "kind": "link", "tx_bytes": 7000 + t} for t in range(ticks)]
    cut = data.draw(st.integers(0, len(rows)))
    parts = Recordings()
    for part in (rows[:cut], rows[cut:]):
        parts.read(written(path, part))
    assert parts.pop(DB) == found[DB] and parts.pop(DB) is None and parts.all() == [found[WEB]]


def test_a_real_file_of_schema_1_is_read_as_it_was(tmp_path: Path) -> None:
    """Its lines have no number: they are of the migration that was named last."""
    assert f'"{NUMBER}":' not in (KEPT / "samples.jsonl").read_text()
    (recording,) = samples.read(KEPT / "samples.jsonl")
    (done,) = RunFolder(KEPT).read_summary().migrations
    assert done.valid and recording.key == done.key == MigrationKey(name="hello")
    assert timeline(done, samples.find([recording], done)).throughput is not None
    lines = [json.loads(line) for line in (KEPT / "samples.jsonl").read_text().splitlines()]
    assert sum(map(len, recording.rows.values())) + len(recording.events) + 1 == len(lines), "nothing is lost"


def as_schema_2(folder: Path, number: int, guest: str) -> Rows:
    """The same run as this version would have written it."""
    rows = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
    more = {"schema": SCHEMA, "guest": guest}
    return [{NUMBER: number} | row | (more if row.get("event") == NAMED else {}) for row in rows]


def test_the_same_run_in_both_schemas_is_drawn_alike(tmp_path: Path) -> None:
    first = samples.read(KEPT / "samples.jsonl")
    assert samples.read(written(tmp_path / "samples.jsonl", as_schema_2(KEPT, 1, "vm"))) == first


def test_what_the_sampler_writes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    both = [(1, WEB, Counting()), (2, DB, Counting())]
    samplers = [Sampler(path, (source,), PERIOD, {NUMBER: number}) for number, _, source in both]
    with samplers[0], samplers[1]:
        for sampler, (_, key, source) in zip(samplers, both, strict=True):
            assert source.reached.wait(10)
            sampler.event(NAMED, **named(key, seed=1))
    found = samples.read(path)
    assert sorted(each.key for each in found) == sorted([WEB, DB])
    for each in found:
        taken = next(source.taken for _, key, source in both if key == each.key)
        assert each.columns("count")["n"].tolist() == list(range(1, taken + 1))
        assert NUMBER not in each.columns("count"), "the identity says it"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 3}, "schema: 3 is not known here"),
        ({"schema": "2"}, "schema: expected a whole number"),
        ({"repeat": "x"}, "repeat: expected a whole number"),
        ({"name": None}, "name: expected a text"),
        ({"guest": 7}, "guest: expected a text"),
        ({NUMBER: "1"}, "m: expected a whole number"),
        ({NUMBER: -1}, "m: expected a number that is not below 0"),
    ],
)
def test_a_line_that_names_nothing_is_damage(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    (naming,) = [row for row in story(1, WEB, 0) if row["event"] == NAMED]
    with pytest.raises(ScenarioError, match=rf"samples\.jsonl:1: is not a sample: {said}"):
        samples.read(written(tmp_path / "samples.jsonl", [naming | change]))


def test_a_number_has_one_owner(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="m 1 was m, guest web before"):
        samples.read(written(tmp_path / "samples.jsonl", story(1, WEB, 2) + story(1, DB, 2)))


def test_from_python_each_sample_says_whose_it_is(tmp_path: Path) -> None:
    run = kept(tmp_path / "run")
    written(
        run / "samples.jsonl", [row for pair in zip(story(1, WEB, 3), story(2, DB, 3), strict=True) for row in pair]
    )
    link = testbed.load(run).samples["link"]
    assert link["guest"].tolist() == ["web"] * 3 + ["db"] * 3 and link["repeat"].tolist() == [1, 1, 1, 2, 2, 2]
    assert link["tx_bytes"].tolist() == [1000, 1001, 1002, 2000, 2001, 2002]


def test_one_that_ends_while_another_goes_on_takes_its_own_lines_alone(tmp_path: Path) -> None:
    """The live page's part of the report, for two guests that migrate at once."""
    (done,) = RunFolder(KEPT).read_summary().migrations
    other = replace(done, vm=replace(done.vm, name="db"))
    first, second = as_schema_2(KEPT, 1, "vm"), as_schema_2(KEPT, 2, "db")
    rows = first[:40] + [row for pair in zip(first[40:], second[:-40], strict=True) for row in pair]
    begin, end = (written(tmp_path / "part", part).read_text() for part in (rows, second[-40:]))
    pages = (KEPT / "pages.jsonl").read_text()
    theirs = "".join(json.dumps(json.loads(line) | {"guest": "db"}) + "\n" for line in pages.splitlines())
    at_once = Sections()
    at_once.take(begin, pages + theirs)
    one = at_once.add(done, 2)
    at_once.take(end, "")
    two = at_once.add(other, 2)
    alone = Sections()
    alone.take((KEPT / "samples.jsonl").read_text(), pages)
    assert len(one["charts"]) == len(two["charts"]) == len(alone.add(done, 2)["charts"]) > 1
    assert at_once._recordings.all() == [] and at_once._paged == "", "nothing is held any more"
