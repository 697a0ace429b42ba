"""Runs of real hosts are believed, with services too; a friend's, shown as one's own, is not."""

import json
from pathlib import Path

import pytest

from tests.netns.launching import testbed

SMALL = (
    *("--set", "vm.ram=64MB", "--set", "vm.workload.working_set=16MB", "--set", "vm.workload.write_rate=8MB/s"),
    *("--set", "warmup=1s", "--set", "cooldown=500ms"),
)
"""An audit asks what the guest did before and after, too."""


@pytest.mark.parametrize("services", [(), ("--set", "vm.services=echo")], ids=["alone", "services"])
def test_an_honest_run_is_not_flagged_and_a_friends_is_told(tmp_path: Path, services: tuple[str, ...]) -> None:
    run = tmp_path / "run"
    made = testbed("run", "hello", *SMALL, *services, "--seed", "3", "--quiet", "--json", "--out", str(run))
    (migration,) = json.loads(made.stdout)["migrations"]
    assert all(each["operations"] for each in migration["rounds"]) and migration["memory"]["fingerprint"]
    honest = testbed("audit", str(run))
    assert honest.returncode == 0, honest.stdout
    assert "not held" not in honest.stdout and "not known" not in honest.stdout
    under_another_seed(run)
    found = json.loads(testbed("audit", "--json", str(run)).stdout)[0]["agreements"]
    assert {each["name"] for each in found if each["state"] == "not held"} == {"pages' seed", "memory's seed"}


def under_another_seed(run: Path) -> None:
    """Wherever the run says its seed it says another one."""
    for name, old, new in (
        ("summary.json", '"seed": 3', '"seed": 5'),
        ("scenario.yaml", "seed: 3", "seed: 5"),
        ("samples.jsonl", '"seed":3', '"seed":5'),
    ):
        text = (run / name).read_text()
        assert old in text
        (run / name).write_text(text.replace(old, new))
