"""Simulated repeats with what chance their guest has: by their seeds, made again alike, in a record that agrees."""

from pathlib import Path

import pytest

import testbed
from testbed.cli import main
from testbed.report.side import comparison

SMALL = {"vm.ram": "1GiB", "vm.workload.working_set": "512MB", "migration.policy": ["vmotion", "qemu", "xen"]}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> testbed.Run:
    folder = tmp_path_factory.mktemp("chance") / "run"
    given = SMALL | {"chance": True}
    return testbed.run("policies", engine="simulated", set=given, repeat=4, out=folder, page=False)


def test_each_repeat_has_a_luck_of_its_own_and_none_contradicts_itself(run: testbed.Run) -> None:
    assert run.valid, run.summary.invalid_reasons
    for policy in ("vmotion", "qemu", "xen"):
        totals = [each.total_time_s for each in run.migrations if each.name == f"policy={policy}"]
        assert len(set(totals)) == 4


def test_the_same_seeds_have_the_same_luck(run: testbed.Run, tmp_path: Path) -> None:
    given = SMALL | {"chance": True}
    again = testbed.run("policies", engine="simulated", set=given, repeat=2, seed=2, out=tmp_path / "a", page=False)
    theirs = [each for each in run.migrations if each.repeat in (2, 3)]
    assert [each.total_time_s for each in again.migrations] == [each.total_time_s for each in theirs]


def test_they_are_compared_as_what_has_noise(run: testbed.Run) -> None:
    lines = comparison.laid([run.path]).lines
    apart = [each for each in lines if each.measure.key == "total_time_s"][1:]
    assert all(each.difference and each.difference.pairs == 4 and each.adjusted is not None for each in apart)


def test_an_audit_makes_them_again_alike(run: testbed.Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(run.path)]) == 0, capsys.readouterr()
    assert "made again with seed" in capsys.readouterr().out


def test_without_it_all_are_the_expected_one(tmp_path: Path) -> None:
    still = testbed.run("hello", engine="simulated", repeat=2, out=tmp_path / "a", page=False)
    assert len({each.total_time_s for each in still.migrations}) == 1
