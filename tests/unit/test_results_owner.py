"""A whole run's folder, made and made anew by root beside a hostile user: links in it lead nowhere, and it is theirs
who called ``sudo``.
"""

import os
import pwd
import stat
from pathlib import Path

import pytest

from testbed.cli import main
from tests.unit.runs import kept

pytestmark = pytest.mark.needs_root("only root has a caller, and can be led astray")
MALLORY = 4242
Captured = pytest.CaptureFixture[str]
RUN = ("run", "hello", "--engine", "simulated", "--quiet", "--set", "vm.ram=64MiB", "--set", "vm.workload=idle")


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> pwd.struct_passwd:
    known = next(each for each in pwd.getpwall() if each.pw_uid and each.pw_gid)
    monkeypatch.setenv("SUDO_UID", str(known.pw_uid))
    monkeypatch.setenv("SUDO_GID", str(known.pw_gid))
    return known


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("root's")
    return file


def everything(folder: Path) -> list[Path]:
    return [folder, *folder.rglob("*")]


def test_every_file_of_a_run_is_its_callers_and_nobody_elses_to_read(tmp_path: Path, user: pwd.struct_passwd) -> None:
    out = tmp_path / "results" / "run"
    assert main([*RUN, "--out", str(out)]) == 0
    assert {each.name for each in everything(out)} > {"summary.json", "scenario.yaml", "report.html", "figures"}
    for each in everything(out.parent):
        found = each.lstat()
        assert (found.st_uid, found.st_gid) == (user.pw_uid, user.pw_gid), each
        assert stat.S_IMODE(found.st_mode) == (0o750 if each.is_dir() else 0o640), each


def test_a_page_that_is_made_anew_is_its_callers_too(tmp_path: Path, user: pwd.struct_passwd) -> None:
    run = kept(tmp_path / "run")
    for each in everything(run):
        os.chown(each, user.pw_uid, user.pw_gid)
    (run / "report.html").unlink(missing_ok=True)
    assert main(["report", str(run)]) == 0
    assert main(["compare", str(run), "--page", str(run / "compared.html")]) == 0
    assert {(each.lstat().st_uid, each.lstat().st_gid) for each in everything(run)} == {(user.pw_uid, user.pw_gid)}


@pytest.mark.parametrize("command", [[*RUN, "--out"], ["report"], ["compare"]])
def test_a_folder_that_another_user_made_first_is_refused_in_one_line(
    tmp_path: Path, secret: Path, capsys: Captured, command: list[str]
) -> None:
    folder = tmp_path / "seen"
    if command[0] == "run":
        folder.mkdir(mode=0o777)
    else:
        kept(folder)
    (folder / ".summary.json.new").symlink_to(secret)
    (folder / "report.html").unlink(missing_ok=True)
    (folder / "report.html").symlink_to(secret)
    os.chown(folder, MALLORY, MALLORY)
    more = ["--page", str(folder / "report.html")] if command[0] == "compare" else []
    assert main([*command, str(folder), *more]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and f"belongs to user {MALLORY}" in err and "folder of your own" in err
    assert secret.read_text() == "root's"


def test_a_page_is_never_written_through_a_link(tmp_path: Path, secret: Path, user: pwd.struct_passwd) -> None:
    run, elsewhere = kept(tmp_path / "run"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious.svg").touch()
    os.chown(elsewhere, MALLORY, MALLORY)
    (run / "report.html").unlink(missing_ok=True)
    (run / "report.html").symlink_to(secret)
    assert main(["report", str(run)]) == 0
    assert secret.read_text() == "root's" and not (run / "report.html").is_symlink()
    for each in (run / "figures").iterdir():
        each.unlink()
    (run / "figures").rmdir()
    (run / "figures").symlink_to(elsewhere)
    assert main(["report", str(run)]) == 2, "nor are its figures put into a folder that is another's"
    assert [each.name for each in elsewhere.iterdir()] == ["precious.svg"]
