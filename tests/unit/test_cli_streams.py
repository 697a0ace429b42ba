"""Standard streams as a shell can make them: closed, full, without a reader, of another encoding."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.cli.streams import SIGNS

ROOT = Path(__file__).parents[2]
READER_LEFT = 141

COMMANDS = {
    "list": "list",
    "help": "run --help",
    "predict as JSON": "predict hello --json",
    "run as JSON": "run hello --engine simulated --json --quiet --no-page --out {out}",
}
"""What gives data on stdout."""
RUN = "run hello --engine simulated --no-page --out {out}"
"""What gives none."""


def sh(tmp_path: Path, command: str, around: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """A command as bash runs it, with redirections ``around`` it."""
    line = f"{shlex.quote(sys.executable)} -m testbed {command.format(out=tmp_path / 'run')} {around}"
    return subprocess.run(
        ["bash", "-c", line],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "error", **environment},
        capture_output=True,
        encoding="latin-1",
        check=False,
        timeout=100,
    )


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_closed_stdout_is_one_line_where_data_was_asked_for(command: str, tmp_path: Path) -> None:
    done = sh(tmp_path, command, ">&-")
    assert (done.returncode, done.stderr) == (1, "testbed: stdout is closed, and what was asked for goes there\n")


def test_a_closed_stdout_is_no_fault_where_nothing_goes_there(tmp_path: Path) -> None:
    done = sh(tmp_path, RUN, ">&-")
    assert done.returncode == 0 and "testbed: " not in done.stderr
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["valid"]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_full_stdout_is_one_line(command: str, tmp_path: Path) -> None:
    done = sh(tmp_path, command, ">/dev/full")
    assert (done.returncode, done.stderr) == (1, "testbed: stdout cannot be written: No space left on device\n")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_reader_who_leaves_is_a_quiet_end(command: str, tmp_path: Path) -> None:
    done = sh(tmp_path, command, '| true; echo "${PIPESTATUS[0]}"')
    assert (done.stdout, done.stderr) == (f"{READER_LEFT}\n", "")


@pytest.mark.parametrize("around", ["2>&-", "2>/dev/full", "<&-", "2> >(exec true)"])
def test_without_stderr_or_stdin_all_goes_on(around: str, tmp_path: Path) -> None:
    assert json.loads(sh(tmp_path, COMMANDS["predict as JSON"], around).stdout)["scenario"] == "hello"
    assert sh(tmp_path, RUN, around).returncode == 0
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["valid"]
    assert sh(tmp_path, "run helo", around).returncode == 2


def test_what_is_opened_later_does_not_get_a_closed_number(tmp_path: Path) -> None:
    assert sh(tmp_path, RUN.replace("--no-page", ""), "<&- >&- 2>&-").returncode == 0
    for file in (tmp_path / "run").iterdir():
        assert file.is_dir() or b"precopy\n" not in file.read_bytes()[:200], "no line for people in a file of data"
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["valid"]


def test_closed_numbers_are_taken_for_what_is_started_too(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys; from testbed.cli.streams import prepare; prepare()\n"
        "shown = subprocess.run(['ls', '-l', '/proc/self/fd'], stdout=subprocess.PIPE, text=True).stdout\n"
        f"open({str(tmp_path / 'seen')!r}, 'w').write(shown)"
    )
    line = f"{shlex.quote(sys.executable)} -c {shlex.quote(script)} <&- >&- 2>&-"
    subprocess.run(["bash", "-c", line], cwd=ROOT, check=True)
    seen = (tmp_path / "seen").read_text()
    assert "0 -> /dev/null" in seen and "2 -> /dev/null" in seen


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C"},
     {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}],
    ids=str,
)  # fmt: skip
def test_every_encoding_is_written(environment: dict[str, str], tmp_path: Path) -> None:
    scenario = tmp_path / "s.yaml"
    scenario.write_text(
        "title: ρ → 40 Gbit/s, naïve ✓ 日\nvm: {ram: 1GiB}\nnetwork: {vmotion: {rate: 1Gbit}}\n", "utf-8"
    )
    predicted, missing = (sh(tmp_path, f"predict {file}", **environment) for file in (scenario, "./é→.yaml"))
    assert (predicted.returncode, missing.returncode) == (0, 2)
    assert "Traceback" not in predicted.stderr + missing.stderr
    if "PYTHONIOENCODING" in environment:
        assert "rho -> 40 Gbit/s, na" in predicted.stdout


def test_every_sign_is_written_in_ascii() -> None:
    assert all(sign.isascii() is False and plain.isascii() and plain for sign, plain in SIGNS.items())


def test_quiet_still_says_in_a_line_why_a_run_is_not_valid(tmp_path: Path) -> None:
    scenario = "run no-convergence --engine simulated --set expect=completes --quiet --no-page --out {out}"
    done = sh(tmp_path, scenario)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("testbed: not valid: write_rate=10.47Gbit: ") and done.stderr.count("\n") == 1
    assert "(and 3 more)" in done.stderr and done.stderr.endswith(f"results: {tmp_path / 'run'}\n")


def test_quiet_says_nothing_of_a_valid_run(tmp_path: Path) -> None:
    done = sh(tmp_path, "run hello --engine simulated --quiet --no-page --out {out}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
