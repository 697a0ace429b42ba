"""What `bootstrap` itself is told, and what it says of that: its help, its own words, whose `testbed` is ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_bootstrap import CHECKOUT, pretend, shell


def echoing(python: Path, before: str = "") -> None:
    """Instead of an environment's Python: tells what it was called with."""
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "{before}$*"\n')
    python.chmod(0o755)


def test_the_name_is_told_to_whom_it_would_obey(tmp_path: Path) -> None:
    """Not to an ordinary user of a machine on which nobody has it, nor where it is another checkout's."""
    script, name = pretend(tmp_path, uid=1000), tmp_path / "testbed"
    script.write_text(script.read_text().replace("name=/usr/local/bin/testbed", f"name={name}"))
    functions = script.read_text().split("# ---- Commands", maxsplit=1)[0]
    (tmp_path / "make").write_text(f"{functions}\nis_root() {{ true; }}\ninstall_name\n")
    for of_whom, told in ((None, ""), (tmp_path, "testbed COMMAND, or "), ("another", "")):
        if of_whom:
            shell(f"bash '{tmp_path}/make'")
            name.write_text(name.read_text().replace(str(tmp_path), str(of_whom)))
        assert shell(str(script)).stderr.endswith(f"bootstrap: ready: {told}{script} COMMAND\n")


@pytest.mark.parametrize("word", ["-h", "--help", "help"])
def test_its_help_is_its_own_and_installs_nothing(tmp_path: Path, word: str) -> None:
    script = pretend(tmp_path, uid=0)
    done = shell(f"{script} {word}")
    assert (done.returncode, done.stderr) == (0, "") and "sudo ./bootstrap [install]" in done.stdout
    assert done.stdout.startswith("Installs what is missing") and "pipefail" not in done.stdout
    python = tmp_path / ".venv" / "bin" / "python"
    echoing(python, "and testbed: ")
    assert shell(f"{script} {word}").stdout == f"{done.stdout}\nand testbed: -P -m testbed --help\n"


@pytest.mark.parametrize("wrong", ["tset", "test docs", "--help", "run hello"])
def test_what_is_to_be_installed_is_a_word_that_it_knows(tmp_path: Path, wrong: str) -> None:
    done = shell(f"{pretend(tmp_path, uid=0)} install {wrong}")
    assert done.returncode == 2 and f"and not '{wrong}'" in done.stderr and len(done.stderr.splitlines()) == 1
    for word in ("", "test", "docs", "machine"):
        assert shell(f"{tmp_path}/bootstrap install {word}").returncode == 0


def test_docs_with_options_is_testbeds_which_shows_them(tmp_path: Path) -> None:
    script, python = pretend(tmp_path, uid=0), tmp_path / ".venv" / "bin" / "python"
    echoing(python)
    assert shell(f"{script} docs --port 8123").stdout == "-P -m testbed docs --port 8123\n"
    assert not (tmp_path / "docs").exists()


@pytest.mark.parametrize("wrong", ["instal", "lab run", "Run", "r.n", ""])
def test_a_command_that_there_is_not_is_told_before_anything_is_installed(tmp_path: Path, wrong: str) -> None:
    script, python = pretend(tmp_path, uid=0), tmp_path / ".venv" / "bin" / "python"
    manual = tmp_path / "testbed" / "cli" / "testbed.1"
    manual.parent.mkdir(parents=True)
    manual.write_bytes((CHECKOUT / "testbed" / "cli" / "testbed.1").read_bytes())
    done = shell(f"{script} '{wrong}'")
    assert done.returncode == 2 and done.stderr.startswith("bootstrap: no such command '")
    assert len(done.stderr.splitlines()) == 1 and not python.exists()
    echoing(python)
    for right in ("run hello", "lab run", "--version"):
        assert shell(f"{script} {right}").stdout == f"-P -m testbed {right}\n"
