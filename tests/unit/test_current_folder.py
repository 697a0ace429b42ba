"""Where the user stands is data: no file there passes for a module, whichever way the testbed is started."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from testbed.doctor.abilities import current_folder
from testbed.linux.processes.module import ROOT, module
from tests.unit.hostile import SAYS, hostile_folder, imported_by_python_itself
from tests.unit.own_policies import own_policy
from tests.unit.runs import kept

SCRIPT = str(Path(sys.executable).with_name("testbed"))
SYSTEM = "/usr/bin/python3"
SMALL = ("--set", "vm.ram=64MiB", "--set", "vm.workload.working_set=16MiB")


def says(command: list[str], cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=100,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "policies"),
        ("predict", "hello"),
        ("run", "hello", "--engine", "simulated", *SMALL, "--out", "out", "--quiet", "--no-page"),
        ("schema", "summary"),
        ("doctor",),
    ],
)
def test_the_command_takes_no_module_from_there(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = says([SCRIPT, *arguments], hostile_folder(tmp_path / "hostile"))
    assert "HOSTILE" not in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 0 or arguments == ("doctor",), done.stderr


def test_nor_do_a_runs_page_and_a_comparison(tmp_path: Path) -> None:
    folder, run = hostile_folder(tmp_path / "hostile"), kept(tmp_path / "run")
    for arguments in (["report", str(run)], ["compare", str(run), "--page", "compared.html"]):
        done = says([SCRIPT, *arguments], folder)
        assert (done.returncode, "HOSTILE" in done.stderr) == (0, False), done.stderr


@pytest.mark.parametrize("python", [sys.executable, SYSTEM])
@pytest.mark.parametrize("arguments", [("list", "policies"), ("predict", "hello")])
def test_by_its_name_in_python_it_takes_none_but_what_python_took_before(
    tmp_path: Path, python: str, arguments: tuple[str, ...]
) -> None:
    before = imported_by_python_itself(python, tmp_path / "clean")
    folder = hostile_folder(tmp_path / "hostile", but=before | {"testbed"})
    done = says([python, "-m", "testbed", *arguments], folder, PYTHONPATH=ROOT, TESTBED_VENV=sys.prefix)
    assert "HOSTILE" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["keyword", "types"])
def test_what_python_took_from_there_before_our_first_line_is_said_by_name(tmp_path: Path, name: str) -> None:
    """That cannot be had: it was run. It is one line, and nothing of ours is run beside it. Which files Python takes so
    early is another with each of its versions; what it does not take is nothing to us.
    """
    real = Path(sysconfig.get_paths()["stdlib"], f"{name}.py").read_text()
    (tmp_path / f"{name}.py").write_text(f"import sys; sys.stderr.write('HOSTILE {name}\\n')\n{real}")
    done = says([SYSTEM, "-m", "testbed", "list", "policies"], tmp_path, PYTHONPATH=ROOT, TESTBED_VENV=sys.prefix)
    if "HOSTILE" in done.stderr:
        first, line = done.stderr.splitlines()
        assert (done.returncode, done.stdout, first) == (2, "", f"HOSTILE {name}")
        said = f"testbed: Python has run '{tmp_path}/{name}.py' of the current folder for its own module"
        assert line.startswith(said)
    else:
        assert done.returncode == 0 and "vmotion" in done.stdout, done.stderr
    for command in ([SCRIPT], [SYSTEM, "-P", "-m", "testbed"]):
        done = says([*command, "list", "policies"], tmp_path, PYTHONPATH=ROOT, TESTBED_VENV=sys.prefix)
        assert (done.returncode, "HOSTILE" in done.stderr) == (0, False), done.stderr


@pytest.mark.parametrize("name", ["numbers", "json", "numpy", "types", "testbed"])
def test_a_students_file_of_that_name_is_their_own(tmp_path: Path, name: str) -> None:
    """One alone, as it lies in the folder of a lab; only a ``testbed.py`` is what ``-m testbed`` means to Python."""
    (tmp_path / f"{name}.py").write_text(SAYS.format(name))
    commands = [[SCRIPT], module("testbed"), [sys.executable, "-P", "-m", "testbed"]]
    for command in [*commands, *([] if name == "testbed" else [[sys.executable, "-m", "testbed"]])]:
        done = says([*command, "predict", "hello"], tmp_path)
        assert (done.returncode, "HOSTILE" in done.stderr) == (0, False), done.stderr


def test_the_doctor_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert current_folder().works
    for name in ("numbers.py", "numpy.py", "mine.py", "answers.yaml", "testbed.py"):
        (tmp_path / name).touch()
    (tmp_path / "json").mkdir()
    assert not current_folder().works and current_folder().detail.startswith("numbers.py, numpy.py, testbed.py: ")
    (tmp_path / "json" / "__init__.py").touch()
    assert current_folder().detail.startswith("json, numbers.py, numpy.py, testbed.py: ")
    monkeypatch.chdir(ROOT)
    assert current_folder().works, "our own are no others"


def test_in_a_checkout_that_is_not_installed_it_is_the_last_place_to_look_into(tmp_path: Path) -> None:
    """By the system's Python, which hands over; then a file beside ``testbed`` is as little a module as any other."""
    before = imported_by_python_itself(SYSTEM, tmp_path / "clean")
    checkout = hostile_folder(tmp_path / "checkout", but=before | {"testbed", "guest_agent", "topologies"})
    for room in ("testbed", "guest_agent", "topologies"):
        (checkout / room).symlink_to(Path(ROOT, room))
    done = says([SYSTEM, "-m", "testbed", "list", "topologies"], checkout, TESTBED_VENV=sys.prefix)
    assert (done.returncode, "HOSTILE" in done.stderr) == (0, False), done.stderr
    assert "two-hosts" in done.stdout


@pytest.mark.parametrize(
    "name", ["guest_agent", "testbed.migration.agents.agent_process", "testbed.packets.capture_process", "testbed"]
)
def test_processes_of_ours_take_none_either(tmp_path: Path, name: str) -> None:
    done = says(module(name, "{}"), hostile_folder(tmp_path / "hostile"))
    assert "HOSTILE" not in done.stderr, done.stderr
    assert done.returncode != 0, "it was asked for nothing that there is"


def test_what_is_started_by_its_module_has_that_modules_arguments(tmp_path: Path) -> None:
    done = says(module("testbed", "list", "policies"), tmp_path)
    assert done.returncode == 0 and "vmotion" in done.stdout


def test_where_it_was_deleted_whole_paths_work_and_others_say_so(tmp_path: Path) -> None:
    policy = own_policy(tmp_path / "mine.py")
    there = ["bash", "-c", f'mkdir gone; cd gone; rmdir {tmp_path}/gone; exec "$@"', "bash", SCRIPT, "predict", "hello"]
    done, lost = (says([*there, *SMALL, "--policy", name], tmp_path) for name in (str(policy), "./mine.py"))
    assert done.returncode == 0, done.stderr
    said = "testbed: No such file or directory; the folder where you stand was deleted, go to another one"
    assert (lost.returncode, lost.stderr.splitlines()[-1]) == (1, said)
