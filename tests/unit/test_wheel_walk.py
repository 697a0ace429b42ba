"""What is installed from a wheel alone, without the checkout, has everything, and does all that needs no root."""

import os
import subprocess
from pathlib import Path

from typer.main import get_command

from testbed import scenarios
from testbed.cli.app import app
from testbed.labs import catalogue

ROOT = Path(__file__).parents[2]
RUN = ("run", "hello", "--engine", "simulated", "--quiet", "--out")
WALK: list[tuple[str, ...]] = [
    ("list",),
    ("list", "topologies"),
    ("schema", "scenario"),
    ("schema", "summary"),
    ("schema", "lab"),
    ("schema", "sweep"),
    ("schema", "wireshark"),
    ("predict", "opvizor"),
    ("predict", "keep-talking", "--json"),
    (*RUN, "one"),
    (*RUN, "two", "--seed", "5", "--no-page"),
    ("report", "one"),
    ("compare", "one", "two"),
    ("audit", "one"),
    ("export", "one", "--out", "exported"),
    ("new", "begun"),
    ("sweep", "grid.yaml", "--engine", "simulated", "--out", "swept"),
    ("completion", "bash"),
    ("arena", "vmotion", "--guests", "2"),
    ("lab", "list"),
    ("lab", "start", "rounds", "--as", "me@uni.example"),
    ("lab", "start", "build", "--as", "me@uni.example"),
    ("lab", "new", "mine"),
    ("lab", "test", "mine"),
]
"""In one folder, one after the other; each has to end with 0."""
IN_A_LAB = [("lab", "run", "--engine", "simulated"), ("lab", "check"), ("lab", "submit"), ("lab", "try")]
"""Only said to be there: they want a student's answers."""
WITHOUT_END = [("serve", "one"), ("docs",)]
OF_ROOT = [("shell",), ("bench",), ("clean",), ("packets",)]
OF_A_CHECKOUT = [("lab", "autograder"), ("docs", "--build")]
OF_OTHERS = [("grade",), ("doctor",), ("worker",)]


def walked(elsewhere: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """The command that pip has made, in a folder of the user's."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "TESTBED"))}
    command = [str(elsewhere / "venv" / "bin" / "testbed"), *argv]
    return subprocess.run(
        command,
        cwd=elsewhere / "work",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_it_is_the_wheels(elsewhere: Path) -> None:
    asked = "import testbed, guest_agent, topologies, labs; print(testbed.__file__, labs.__file__)"
    python = elsewhere / "venv" / "bin" / "python"
    said = subprocess.run([python, "-I", "-c", asked], capture_output=True, text=True, check=True).stdout
    assert all(Path(each).is_relative_to(elsewhere) for each in said.split()) and str(ROOT) not in said


def test_every_file_of_ours_is_in_it(elsewhere: Path) -> None:
    (packages,) = (elsewhere / "venv" / "lib").glob("python3*/site-packages")
    of_ours = [
        file.relative_to(ROOT)
        for name in ("testbed", "guest_agent", "topologies", "labs")
        for file in (ROOT / name).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    ]
    assert len(of_ours) > 400 and [str(file) for file in of_ours if not (packages / file).is_file()] == []


def test_every_command_is_walked_or_said_why_not() -> None:
    named = {argv[:2] if argv[0] == "lab" else argv[:1] for argv in [*WALK, *IN_A_LAB, *WITHOUT_END, *OF_ROOT]}
    named |= {argv[:2] if argv[0] == "lab" else argv[:1] for argv in [*OF_A_CHECKOUT, *OF_OTHERS]}
    commands = get_command(app).commands  # type: ignore[attr-defined]
    there = {(name,) for name in commands if name != "lab"} | {("lab", name) for name in commands["lab"].commands}
    assert there == named


def test_all_that_needs_no_root_works_without_the_checkout(elsewhere: Path) -> None:
    (elsewhere / "work" / "grid.yaml").write_text("extends: hello\nsweep: {axes: {vm.ram: [256MB, 300MB]}}\n")
    for argv in WALK:
        done = walked(elsewhere, *argv)
        assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
    listed = walked(elsewhere, "list").stdout.split()
    assert {*scenarios.names(), "two-hosts", "uniform", "plain", "iometer"} <= set(listed)
    shown = walked(elsewhere, "lab", "list").stdout
    assert all(lab in shown for lab in catalogue.folders())
    assert (elsewhere / "work" / "one" / "report.html").is_file()
    assert (elsewhere / "work" / "rounds" / "README.md").is_file()


def test_all_others_are_there(elsewhere: Path) -> None:
    """Asked for their help in one process, by the environment's Python."""
    others = [*IN_A_LAB, *WITHOUT_END, *OF_ROOT, *OF_A_CHECKOUT, *OF_OTHERS]
    names = [" ".join(argv[:2] if argv[0] == "lab" else argv[:1]) for argv in others]
    asked = (
        "import sys; from testbed.cli import main; print([main([*each.split(), '--help']) for each in sys.argv[1:]])"
    )
    command = [str(elsewhere / "venv" / "bin" / "python"), "-I", "-c", asked, *names]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == str([0] * len(names)) and all(f"testbed {name} " in said for name in names)


def test_what_needs_the_checkout_says_so_in_one_line(elsewhere: Path) -> None:
    for argv in [("docs",), ("docs", "--build"), ("lab", "autograder", "rounds", "--for", "gradescope")]:
        done = walked(elsewhere, *argv)
        assert done.returncode == 3 and done.stderr.count("\n") == 1 and "checkout" in done.stderr, argv


def test_doctor_names_the_systems_packages_there_and_no_bootstrap(elsewhere: Path) -> None:
    done = walked(elsewhere, "doctor")
    assert done.returncode in (0, 3) and "bootstrap" not in done.stdout + done.stderr
    assert "opvizor" in done.stdout and "processors of 3 GHz" in done.stdout
