"""A run that is not valid for what its student set is as one that was not made; what a machine spoilt costs nothing."""

from pathlib import Path

import pytest

from testbed.labs.starting import start
from testbed.runfiles import summary_reader
from tests.unit.learning import a_lab, answer, by_name, edited, judged, run

SPEC = """\
lab: mine
title: mine
minutes: 1
runs:
  main: {}
  free: {set: [vm.workload.write_rate], optional: true}
"""
CHECKS = """\
from testbed.labs.check import check, own
@check(2, "of the run that is free", run="free", after=own)
def free(lab, run): ...
"""


@pytest.mark.parametrize(
    ("engine", "outcome", "reason", "standing"),
    [
        ("simulated", "aborted", "the migration was aborted", "wrong"),
        ("native", "cancelled", "the migration was cancelled", "wrong"),
        ("native", "completed", "the migration was expected to give up, and was completed", "wrong"),
        ("native", "completed", "the link was off by 3 %", "not asked"),
        ("native", "aborted", "the migration was aborted", "not asked"),
    ],
)
def test_what_was_set_is_no_way_round_a_check(
    tmp_path: Path, engine: str, outcome: str, reason: str, standing: str
) -> None:
    lab = a_lab(tmp_path / "lab", SPEC, CHECKS)
    mine = start(lab, "me", "", tmp_path / "mine")
    answer(mine, {})
    run(mine, lab=lab)
    made = run(mine, "free", "vm.workload.write_rate=500MB/s", lab=lab)
    assert not summary_reader.read(made).valid
    edited(made / "summary.json", lambda tree: tree.update(engine=engine))
    as_told = {"outcome": outcome, "invalid_reasons": [reason]}
    edited(made / "summary.json", lambda tree: tree["migrations"][0].update(as_told))
    found = by_name(judged(mine, lab))
    assert (found["own"].standing, found["free"].standing) == ("right", standing)
    assert found["free"].reason.startswith("run it again: ")
    run(mine, "free", "vm.workload.write_rate=20MB/s", lab=lab)
    assert by_name(judged(mine, lab))["free"].standing == "right"
