"""A real run where a hostile folder is the current one: neither it nor any process of it takes a module from there."""

import os
import subprocess
import sys
from pathlib import Path

from tests.unit.hostile import hostile_folder


def test_a_run_with_packets_and_services_takes_no_module_from_there(tmp_path: Path) -> None:
    settings = ("vm.ram=64MB", "vm.workload=idle", "vm.services=echo", "network.cross_traffic.rate=50Mbit")
    testbed = str(Path(sys.executable).with_name("testbed"))
    command = [testbed, "run", "hello", "--capture", "--live", "0", "--out", "out"]
    folder = hostile_folder(tmp_path / "hostile")
    done = subprocess.run(
        [*command, *(word for setting in settings for word in ("--set", setting))],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
        timeout=110,
    )
    assert "completed: the guest runs at the destination" in done.stderr, done.stderr
    said = done.stderr + (folder / "out" / "log.txt").read_text()
    assert "HOSTILE" not in said and "Traceback" not in said, said
