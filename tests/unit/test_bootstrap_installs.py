"""What `bootstrap` installs: why it could not, and the command of the testbed's name."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.unit.test_bootstrap import BOOTSTRAP, run

# ---- Why it failed ---------------------------------------------------------------------------------------------------


def as_root(tmp_path: Path, then: str, **tools: str) -> subprocess.CompletedProcess[str]:
    """The functions of bootstrap in an otherwise empty checkout, run by "root" with these tools and the plain ones."""
    functions = BOOTSTRAP.read_text().split("# ---- Commands", maxsplit=1)[0]
    functions = functions.replace("is_root() { ((EUID == 0)); }", "is_root() { true; }")
    functions = functions.replace("name=/usr/local/bin/testbed", f"name={tmp_path}/bin/testbed")
    checkout, fake = tmp_path / "checkout", tmp_path / "fake"
    for folder in (checkout, fake):
        folder.mkdir(exist_ok=True)
    for tool, script in tools.items():
        (fake / tool.replace("_", "-")).write_text(f"#!/bin/sh\n{script}\n")
        (fake / tool.replace("_", "-")).chmod(0o755)
    (checkout / "bootstrap").write_text(f"{functions}\n{then}\n")
    (checkout / "requirements.txt").write_text("numpy==1\n")
    path = f"{fake}:/usr/sbin:/usr/bin:/sbin:/bin"
    return run("/bin/bash", checkout / "bootstrap", "install", PATH=path, TMPDIR=str(tmp_path))


APT = """\
case "$*" in *update*)
    seq 3000 | sed 's/^/it says much, line /'
    echo "E: Failed to fetch http://deb.debian.org: Temporary failure resolving" >&2;;
esac
echo "E: Unable to locate package mininet" >&2
exit 100"""


def test_why_apt_failed_is_shown_and_where_the_rest_is(tmp_path: Path) -> None:
    failed = as_root(tmp_path, "install_all", apt_get=APT, dpkg_query="true", dpkg="true", sleep="true")
    assert failed.returncode == 3 and failed.stdout == ""
    *_, resolving, unable, last = failed.stderr.splitlines()
    assert "Temporary failure resolving" in resolving and "Unable to locate package mininet" in unable
    log = next(tmp_path.glob("fast-motion-bootstrap.*"))
    assert str(log) in last and last.endswith(f"{tmp_path}/checkout/bootstrap install")
    assert log.read_text().count("Temporary failure resolving") == 2 and log.stat().st_mode & 0o077 == 0


def test_why_pip_failed_is_shown_too(tmp_path: Path) -> None:
    venv = tmp_path / "checkout" / ".venv"
    python = """\
case "$*" in *ensurepip*) exit 0;; *venv*) mkdir -p "$4/bin"; ln -s "$0" "$4/bin/python"; exit 0;; esac
echo "ERROR: No matching distribution found for numpy==1" >&2; exit 1"""
    then = f"python={tmp_path}/fake/python3\nis_ready() {{ false; }}\ninstall_system() {{ :; }}\ninstall_all"
    failed = as_root(tmp_path, then, apt_get="true", python3=python)
    assert failed.returncode == 3, failed.stderr
    *_, why, last = failed.stderr.splitlines()
    assert "No matching distribution found for numpy==1" in why
    assert "requirements.txt" in last and last.endswith("bootstrap install")
    assert not (venv / ".stamp").exists()


def test_no_file_of_the_folder_the_user_stands_in_is_run_by_it() -> None:
    started = re.findall(r'"\$(?:python|venv/bin/python)" (-\S+)', BOOTSTRAP.read_text())
    assert started and set(started) <= {"-I", "-P", "-m"}
    assert re.findall(r'"\$venv/bin/python" -m (\w+)', BOOTSTRAP.read_text()) == ["pytest", "pytest"], "in the checkout"


# ---- The name --------------------------------------------------------------------------------------------------------


def test_root_gets_a_command_of_its_name_that_takes_nothing_from_where_one_stands(tmp_path: Path) -> None:
    assert as_root(tmp_path, "install_name").stderr == ""
    name = tmp_path / "bin" / "testbed"
    assert name.stat().st_mode & 0o777 == 0o755
    python = tmp_path / "checkout" / ".venv" / "bin" / "python"
    refused = run(name, "list")
    assert refused.returncode == 3 and refused.stderr.startswith(f"testbed: {python} cannot be run by you: run sudo")
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "<%s>" "$@"\n')
    python.chmod(0o755)
    assert run(name, "run", "a b", "*").stdout == "<-P><-m><testbed><run><a b><*>"
    before = name.stat().st_ino
    assert as_root(tmp_path, "install_name").stderr == "" and name.stat().st_ino == before


def test_of_several_checkouts_the_last_one_has_it_and_says_so(tmp_path: Path) -> None:
    as_root(tmp_path, "install_name")
    (tmp_path / "checkout").rename(tmp_path / "it's another")
    name = (tmp_path / "bin" / "testbed").read_text()
    said = as_root(tmp_path, f"here='{tmp_path}/a second'\nvenv=$here/.venv\ninstall_name").stderr
    assert said.splitlines() == [
        f"bootstrap: 'testbed' is now that of {tmp_path}/a second; it was that of {tmp_path}/checkout"
    ]
    assert (tmp_path / "bin" / "testbed").read_text() == name.replace(f"{tmp_path}/checkout", f"{tmp_path}/a second")


def test_two_checkouts_that_are_at_it_at_once_do_not_take_each_others_file(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    # Each waits, with its file written, until there are two: the other's, or what has become of it.
    waits = f"chmod() {{ until [[ $(ls {tmp_path}/bin) == *$'\\n'* ]]; do sleep 0.01; done; }}"
    then = f"{waits}\n(install_name) & (install_name) & wait"
    assert as_root(tmp_path, then).stderr == ""
    assert [each.name for each in (tmp_path / "bin").iterdir()] == ["testbed"]


def known(name: Path) -> tuple[int, ...]:
    """Which it is and when it was changed; when it was read last changes as it is looked at."""
    seen = name.lstat()
    return seen.st_ino, seen.st_mode, seen.st_size, seen.st_mtime_ns


@pytest.mark.parametrize("kind", ["file", "link", "folder", "empty"])
def test_a_command_that_is_not_ours_stays_as_it_is(tmp_path: Path, kind: str) -> None:
    name = tmp_path / "bin" / "testbed"
    name.parent.mkdir()
    match kind:
        case "file":
            name.write_text("#!/bin/sh\necho theirs\n")
        case "link":
            name.symlink_to("elsewhere")
        case "folder":
            name.mkdir()
        case _:
            name.touch()
    before = known(name)
    said = as_root(tmp_path, "install_name").stderr
    assert "is not ours and stays as it is" in said and len(said.splitlines()) == 1
    assert known(name) == before and [each.name for each in name.parent.iterdir()] == ["testbed"]


def test_without_root_there_is_no_command_of_its_name(tmp_path: Path) -> None:
    as_root(tmp_path, "is_root() { false; }\ninstall_name")
    assert not (tmp_path / "bin").exists()


def test_the_manual_page_lies_beside_the_name_and_takes_nobodys_place(tmp_path: Path) -> None:
    made, page = tmp_path / "checkout/testbed/cli/testbed.1", tmp_path / "share/man/man1/testbed.1"
    made.parent.mkdir(parents=True)
    made.write_text('.TH TESTBED 1 "" "new"\n')
    assert as_root(tmp_path, "install_manual").returncode == 0
    assert page.read_text() == made.read_text() and page.stat().st_mode & 0o777 == 0o644
    for before, after in ((".TH TESTBED 1 old\n", made.read_text()), ("another's\n", "another's\n")):
        page.write_text(before)
        assert as_root(tmp_path, "install_manual").returncode == 0
        assert page.read_text() == after
