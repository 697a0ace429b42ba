"""A run in the formats of others: each is read by a reader of its own, and what it says is what the record says."""

import csv
import importlib
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics import parser

from testbed.cli import main
from testbed.core.errors import PrerequisiteMissing, ScenarioError
from testbed.core.records.migration import Summary
from testbed.core.records.services import FaultRecord, OrderRecord
from testbed.exports import csv_text, openmetrics, parquet, sampled, tables
from testbed.exports.cells import CellKind, Sheet, table
from testbed.exports.export import Form, export
from testbed.runfiles import samples
from testbed.runfiles.folder import RunFolder
from testbed.runfiles.samples import Recording
from tests.unit.records import a_migration, a_networked_migration, a_summary
from tests.unit.runs import kept, made, with_samples
from tests.unit.traces import events_of, overlapping

HOSTILE = '=HYPERLINK("http://x")\u202e'


def a_run() -> Summary:
    """Two migrations, one of which says little; texts as anybody may have written them."""
    faults = [FaultRecord(phase="commit", what="cut", at_s=1.5), FaultRecord(phase="commit", what="cut")]
    orders = [OrderRecord(at_s=0.5, what="throttle", value=0.25)]
    whole = a_networked_migration(settings={"vm.ram": "2GB", "migration.streams": 4}, faults=faults, controls=orders)
    bare = a_migration(name=HOSTILE, outcome="failed", reason='a "quote",\nand a line', rounds=[], throttle=None)
    bare.downtime_s = bare.predicted = bare.guest = bare.cpu = None
    return a_summary(whole, bare)


def at(record: Any, path: str) -> Any:
    """The figure at a path; a key may have dots in it."""
    for part in path.split("."):
        if not isinstance(record, dict):
            return None
        if path in record:
            return record[path]
        record, path = record.get(part), path.partition(".")[2]
    return record


def read(made_of: Sheet) -> list[dict[str, str]]:
    return list(csv.DictReader(csv_text.text(made_of).splitlines()))


def as_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


def families(text: str) -> Any:
    return parser.text_string_to_metric_families(text)  # type: ignore[no-untyped-call]


def by_name(summary: Summary) -> dict[str, Sheet]:
    return {each.name: each for each in tables.tables(summary)}


def test_each_figure_of_a_migration_has_a_column_and_is_the_records() -> None:
    summary = a_run()
    rows = read(by_name(summary)["migrations"])
    assert len(rows) == 2
    for row, done in zip(rows[:1], summary.migrations, strict=False):
        record = asdict(done)
        figures = [path for path in row if path not in ("migration", "guest", "scenario", "engine", "seed")]
        for path in figures[2:]:
            value = getattr(summary, path, None) if path in tables.OF_RUN else at(record, path)
            shown = row[path]
            assert shown == as_cell(value) or float(shown) == value, path
    assert {"vm.ram_bytes", "link.goodput", "downtime_phases_s.pause", "settings.vm.ram"} <= rows[0].keys()
    assert rows[0]["settings.migration.streams"] == "4" and rows[1]["settings.migration.streams"] == ""


def test_what_was_not_measured_is_empty_and_never_0() -> None:
    bare = read(by_name(a_run())["migrations"])[1]
    for path in ("downtime_s", "predicted.total_time_s", "guest.operations", "cpu.source_s", "wire_bytes"):
        assert bare[path] == "", path
    text = csv_text.text(table("x", (), [{"a": 1, "b": "", "c": None}, {"a": None, "b": None, "c": 1.5}]))
    assert text == '"a","b","c"\n1,"",\n,,1.5\n'


def test_columns_do_not_depend_on_what_a_run_has() -> None:
    """Least of all on whether the client's blackout reached the downtime, and one was reckoned at real-world size."""
    full = a_networked_migration()
    assert full.blackout is not None
    aside = replace(full, blackout=replace(full.blackout, parts={"before_switchover": 1.0}))
    one, *others = (by_name(a_summary(each)) for each in (replace(a_migration(), full_scale={}), full, aside))
    for other in others:
        assert {name: each.columns for name, each in one.items()} == {
            name: each.columns for name, each in other.items()
        }


def test_rounds_services_and_their_stretches_have_a_row_each() -> None:
    summary = a_run()
    found = by_name(summary)
    rounds = read(found["rounds"])
    assert [(int(row["index"]), float(row["duration_s"]), row["decision"]) for row in rounds] == [
        (each.index, each.duration_s, each.decision) for each in summary.migrations[0].rounds
    ]
    assert {row["migration"] for row in rounds} == {"opvizor"}
    assert [row["name"] for row in read(found["services"])] == ["iometer"]
    stretches = read(found["service_phases"])
    assert [row["phase"] for row in stretches] == ["before", "round 1", "throttled", "switchover", "after"]
    assert stretches[3]["latency_p99_s"] == "" and stretches[3]["operations"] == "0"
    assert [row["at_s"] for row in read(found["faults"])] == ["1.5", ""]
    assert [row["what"] for row in read(found["orders"])] == ["throttle"]


def test_no_text_is_a_formula_or_ends_a_line() -> None:
    text = csv_text.text(by_name(a_run())["migrations"])
    assert text.count("\n") == 3 and "\u202e" not in text
    assert read(by_name(a_run())["migrations"])[1]["migration"].startswith("'=HYPERLINK(")


def test_every_number_has_a_unit_that_is_told_or_counts_things() -> None:
    units = {
        f"{each.name}.{column.name}": column.unit
        for each in tables.tables(a_run())
        for column in each.columns
        if column.kind is CellKind.NUMBER
    }
    counted = {path for path, unit in units.items() if unit is None}
    assert counted == {"migrations.scale.size", "migrations.scale.time", "orders.value"}
    assert units["migrations.link.goodput"] == "bit/s" and units["rounds.bandwidth"] == "byte/s"
    assert units["services.rate_before"] == "operation/s" and units["rounds.duration_s"] == "s"


def test_samples_are_a_table_a_kind_on_one_clock(tmp_path: Path) -> None:
    run = with_samples(made(tmp_path / "run"), a_migration(), 2.0)
    recordings = samples.read(run / "samples.jsonl")
    found = {each.name: read(each) for each in sampled.tables(recordings)}
    assert list(found) == ["samples_link", "samples_qdisc", "samples_guest", "samples_process", "events"]
    rows = recordings[0].rows["link"]
    assert [float(row["t"]) for row in found["samples_link"]] == [row["t"] for row in rows]
    assert [int(row["tx_bytes"]) for row in found["samples_link"]] == [row["tx_bytes"] for row in rows]
    first = found["samples_link"][0]
    assert float(first["since_migrate_s"]) == pytest.approx(float(first["t"]) - 1.0)
    assert [row["what"] for row in found["events"]] == ["migrate"]


@pytest.mark.parametrize("kind", ["../../etc/x", "", "Link", "a" * 41, "."])
def test_a_kind_of_samples_is_no_way_to_another_folder(kind: str) -> None:
    recording = Recording(key=a_migration().key, rows={kind: [{"t": 1.0, "kind": kind}]})
    with pytest.raises(ScenarioError, match="is the name of none"):
        list(sampled.tables([recording]))


def test_what_would_be_too_wide_is_refused() -> None:
    with pytest.raises(ScenarioError, match="columns beside"):
        table("x", (), [{f"a{index}": 1 for index in range(5000)}])


def test_a_field_that_holds_anything_is_text() -> None:
    made_of = table("x", (), [{"a": 1, "b": True}, {"a": "one", "b": 1}, {"a": 1.5, "b": None}])
    assert [each.kind for each in made_of.columns] == [CellKind.TEXT, CellKind.TEXT]
    assert made_of.values == [["1", "one", "1.5"], ["true", "1", None]]


def test_metrics_are_read_by_prometheus_own_parser() -> None:
    summary = a_run()
    found = {each.name: each for each in families(openmetrics.text(summary))}
    downtime = found["fast_motion_migration_downtime_seconds"]
    assert downtime.unit == "seconds" and [each.value for each in downtime.samples] == [
        summary.migrations[0].downtime_s
    ]
    valid = found["fast_motion_migration_valid"]
    assert [each.labels["migration"] for each in valid.samples] == ["opvizor", HOSTILE]
    phases = {
        each.labels["phase"]: each.value for each in found["fast_motion_migration_downtime_phase_seconds"].samples
    }
    assert phases == summary.migrations[0].downtime_phases_s
    rounds = found["fast_motion_round_sent_bytes"].samples
    assert [each.value for each in rounds] == [each.sent_bytes for each in summary.migrations[0].rounds]
    goodput = summary.migrations[0].link.goodput
    assert goodput and found["fast_motion_migration_link_goodput_bytes_per_second"].samples[0].value == goodput / 8


def test_a_label_cannot_end_itself() -> None:
    summary = a_summary(a_migration(name='a"} 1\nx{b="\\'))
    found = list(families(openmetrics.text(summary)))
    assert {each.samples[0].labels.get("migration") for each in found[:-1]} == {'a"} 1\nx{b="\\'}


def test_the_command_writes_and_prints_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = kept(tmp_path / "run")
    assert main(["export", str(run), "--out", str(tmp_path / "out")]) == 0
    printed = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(printed) == sorted((tmp_path / "out").iterdir())
    assert {"migrations.csv", "rounds.csv", "trace.json", "metrics.prom"} <= {each.name for each in printed}
    package = json.loads((tmp_path / "out" / "datapackage.json").read_text())
    for resource in package["resources"]:
        with (tmp_path / "out" / resource["path"]).open(newline="") as file:
            text = file.read()
        head = next(csv.reader(text.splitlines()))
        assert text.endswith(resource["dialect"]["lineTerminator"]) and "\r" not in text
        assert head == [each["name"] for each in resource["schema"]["fields"]]


def test_a_table_that_only_an_earlier_run_had_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It stays, for it is somebody's; but nobody shall take it for this run's."""
    with_samples, without = kept(tmp_path / "one"), made(tmp_path / "two")
    both = ("--csv", "--out", str(tmp_path / "out"))
    assert main(["export", str(with_samples), *both]) == 0
    assert "was there before" not in capsys.readouterr().err
    assert main(["export", str(without), *both]) == 0
    ended = capsys.readouterr()
    left = {each.name for each in (tmp_path / "out").glob("*.csv")} - {Path(line).name for line in ended.out.split()}
    assert left and {line.split()[0] for line in ended.err.splitlines() if "was there before" in line} == left
    assert main(["export", str(without), "--metrics", "--out", str(tmp_path / "out")]) == 0
    assert "was there before" not in capsys.readouterr().err, "its tables of another time may be its own"


def test_only_what_was_asked_for_is_written(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    assert main(["export", str(run), "--metrics"]) == 0
    assert [each.name for each in (run / "export").iterdir()] == ["metrics.prom"]


def test_a_run_that_contradicts_itself_is_exported_and_said_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = made(tmp_path / "run", a_summary(a_migration(bytes_sent=3)))
    assert main(["export", str(run), "--csv"]) == 1
    assert "not valid, edited or damaged" in capsys.readouterr().err
    with (run / "export" / "migrations.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["valid"] == "false"


def test_a_folder_that_is_no_run_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    (made(tmp_path / "run") / "samples.jsonl").symlink_to("/etc/passwd")
    assert main(["export", str(tmp_path / "run")]) == 2
    assert "is a link" in capsys.readouterr().err


def test_without_pyarrow_parquet_says_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(PrerequisiteMissing, match=r"needs pyarrow; .*pip install pyarrow"):
        export(made(tmp_path / "run"), None, (Form.CSV, Form.PARQUET))
    assert not (tmp_path / "run" / "export").exists()


def test_parquet_has_kinds_units_and_nulls() -> None:
    arrow, read = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet").read_table
    written = table("x", (), [{"scan_s": 1.5, "n": 1, "w": "a"}, {"scan_s": None, "n": 2, "w": None}])
    found = read(arrow.BufferReader(parquet.content(written)))
    assert found.to_pydict() == {"scan_s": [1.5, None], "n": [1, 2], "w": ["a", None]}
    assert [str(each.type) for each in found.schema] == ["double", "int64", "string"]
    assert [each.metadata for each in found.schema] == [{b"unit": b"s"}, None, None]


@pytest.mark.parametrize("frame", ["pandas", "polars"])
def test_frames_read_what_the_record_says(tmp_path: Path, frame: str) -> None:
    run = kept(tmp_path / "run")
    assert main(["export", str(run), "--csv", "--parquet"]) == 0
    library, record = importlib.import_module(frame), RunFolder(run).read_summary()
    for read, file in ((library.read_csv, "migrations.csv"), (library.read_parquet, "migrations.parquet")):
        found = read(run / "export" / file)
        assert [*found["migration"]] == [each.name for each in record.migrations]
        assert [*found["bytes_sent"]] == [each.bytes_sent for each in record.migrations]
        assert [*found["downtime_s"]] == pytest.approx([each.downtime_s for each in record.migrations])


def test_a_real_run_of_schema_1_goes_through_all(tmp_path: Path) -> None:
    run = kept(tmp_path / "run")
    summary = RunFolder(run).read_summary()
    events = events_of(summary, samples.read(run / "samples.jsonl"))
    assert overlapping(events) == []
    assert any(each["ph"] == "C" and each["name"].startswith("window: ") for each in events)
    assert list(families(openmetrics.text(summary)))
