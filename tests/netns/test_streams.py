"""A run whose standard streams are closed: what it opens gets none of their numbers, and it is as valid as any."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

from tests.netns.launching import ROOT

SMALL = (
    *("vm.ram=64MB", "vm.workload.working_set=16MB", "vm.workload.write_rate=4MB/s"),
    *("network.vmotion.goodput=200Mbit", "warmup=200ms", "cooldown=200ms"),
)


def test_a_run_with_all_standard_streams_closed(tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = [sys.executable, "-m", "testbed", "run", "hello", "--out", str(out)]
    words += [word for each in SMALL for word in ("--set", each)]
    subprocess.run(["bash", "-c", f"{shlex.join(words)} <&- >&- 2>&-"], cwd=ROOT, check=False, timeout=100)
    summary = json.loads((out / "summary.json").read_text())
    (migration,) = summary["migrations"]
    assert migration["outcome"] == "completed" and migration["memory"]["match"] is True
    for line in (out / "samples.jsonl").read_text().splitlines():
        assert isinstance(json.loads(line), dict), "nothing that is said to people is among the samples"
