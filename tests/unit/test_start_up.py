"""What a command does not need it does not load: seen in the modules of a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

LOADED = """
import sys
from testbed.cli import main
assert main(sys.argv[2:]) == 0
print(*sorted(set(sys.argv[1].split(",")) & set(sys.modules)), file=sys.stderr)
"""
HEAVY = ("altair", "jinja2", "mininet", "numpy", "psutil", "rich", "scapy", "starlette", "uvicorn", "vl_convert")


def loaded(names: tuple[str, ...], *argv: str) -> set[str]:
    """Which of these packages a command has loaded when it has ended."""
    command = [sys.executable, "-c", LOADED, ",".join(names), *argv]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("argv", [("--help",), ("list",), ("run", "--help"), ("doctor", "--help")])
def test_what_only_tells_loads_nothing_that_computes_or_draws(argv: tuple[str, ...]) -> None:
    assert loaded(HEAVY, *argv) == set()


def test_a_simulated_run_loads_nothing_of_real_hosts_nor_what_draws_where_nothing_is_drawn(tmp_path: Path) -> None:
    argv = ("run", "hello", "--engine", "simulated", "--out", str(tmp_path / "run"), "--quiet", "--no-page")
    real = ("mininet", "psutil", "scapy", "testbed.engines.native.engine")
    drawing = ("altair", "jinja2", "vl_convert")
    assert loaded(("numpy", *real, *drawing), *argv) == {"numpy"}, "and what a model is made of it does"


def test_a_prediction_draws_nothing_and_slows_no_guest() -> None:
    real = ("scapy", "psutil", "testbed.throttles", "testbed.migration.throttling")
    assert loaded(("altair", "jinja2", "vl_convert", *real), "predict", "hello") == set()
