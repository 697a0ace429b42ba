"""A run's migrations are those of its scenario, each by its name."""

import json
from pathlib import Path

import testbed
from testbed.labs.ownership import differing
from testbed.runfiles import summary_reader
from testbed.scenario import document as documents


def test_two_migrations_that_have_each_others_names_are_told(tmp_path: Path) -> None:
    out, asked = tmp_path / "run", {"network.vmotion.goodput": ["500Mbit", "900Mbit"]}
    testbed.run("hello", engine="simulated", set=asked, out=out, page=False)
    made = documents.parse((out / "scenario.yaml").read_text(), "scenario.yaml")
    assert list(differing(made, made, [], summary_reader.as_written(out))) == []
    summary = json.loads((out / "summary.json").read_text())
    one, other = summary["migrations"]
    one["name"], other["name"] = other["name"], one["name"]
    (out / "summary.json").write_text(json.dumps(summary))
    first, second = differing(made, made, [], summary_reader.as_written(out))
    assert "'goodput=900Mbit' was made with {'network.vmotion.goodput': '500Mbit'}, and is to have" in first
    assert second.startswith("'goodput=500Mbit' was made with ")
