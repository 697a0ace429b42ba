"""What a run leaves: nowhere that another user could exchange it, through no link, and its caller's."""

import os
import pwd
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed.core.errors import Interrupted, ScenarioError
from testbed.linux.files import owned, trust
from testbed.linux.processes.caller import Caller, caller

MALLORY = 4242
"""Another user of this machine; whether it has a name is all the same."""
by_root = pytest.mark.needs_root("something is made another's")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def owner(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("root's")
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "run"
    made.mkdir()
    return made


# ---- Links -----------------------------------------------------------------------------------------------------------


def _append(path: Path) -> None:
    with owned.append(path) as file:
        file.write(b"new")


def _create(path: Path) -> None:
    with owned.create(path) as file:
        file.write(b"new")


def _write(path: Path) -> None:
    owned.write(path, b"new")


def _remove(path: Path) -> None:
    owned.remove(path)


@pytest.mark.parametrize("do", [_append, _create, _write, _remove])
@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_a_link_in_the_folder_is_never_written_through(
    folder: Path, secret: Path, do: Callable[[Path], None], kind: str
) -> None:
    link = folder / "summary.json"
    if kind == "symbolic":
        link.symlink_to(secret)
    else:
        link.hardlink_to(secret)
    refused = do in (_append, _create)
    if refused:
        with pytest.raises(OSError, match=r"summary\.json"):
            do(link)
    else:
        do(link)
    assert secret.read_text() == "root's" and stat.S_ISREG(secret.lstat().st_mode)
    if do is _write:
        assert link.read_text() == "new" and not link.is_symlink()


def test_a_device_or_a_pipe_is_no_file_of_a_run(folder: Path) -> None:
    os.mkfifo(folder / "log.txt")
    for path in (folder / "log.txt", Path("/dev/full")):
        with pytest.raises(OSError, match=r"no file of this run|No such device"):
            owned.append(path)


@pytest.mark.parametrize("linked", [False, True])
def test_a_device_or_a_pipe_is_exchanged_for_no_file(folder: Path, linked: bool) -> None:
    """Which root did, with ``arena --page /dev/full``."""
    there, named = folder / "pipe", folder / ("page.html" if linked else "pipe")
    os.mkfifo(there)
    (folder / "stdout").symlink_to("/proc/self/fd/1")
    if linked:
        named.symlink_to(there)
    for path in (named, folder / "stdout"):
        with pytest.raises(OSError, match="is a device or a pipe, and no file"):
            owned.write(path, b"new")
    assert there.is_fifo() and named.is_fifo() and (folder / "stdout").is_symlink()
    assert {each.name for each in folder.iterdir()} == {"pipe", "stdout", named.name}


def test_what_is_written_whole_leaves_nothing_when_it_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owned.write(folder / "summary.json", b"old", sync=True)

    def full(*_arguments: object, **_named: object) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        owned.write(folder / "summary.json", b"new")
    assert [each.name for each in folder.iterdir()] == ["summary.json"]
    assert (folder / "summary.json").read_bytes() == b"old"


def test_a_folder_may_be_behind_ones_own_links(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "far").symlink_to("near")
    (tmp_path / "near").symlink_to(tmp_path)
    assert owned.make_folder(tmp_path / "far" / "run" / ".." / "another" / "deep") == []
    owned.write(tmp_path / "far" / "run" / "file", b"here")
    assert (folder / "file").read_bytes() == b"here" and (tmp_path / "another" / "deep").is_dir()


def test_links_without_an_end_are_an_error_of_the_file_system(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(OSError, match="Too many"):
        owned.make_folder(tmp_path / "round" / "run")


def test_relative_to_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    owned.make_folder(Path("results/run"))
    _append(Path("results/run/log.txt"))
    _append(Path("results/run/log.txt"))
    owned.write(Path("page.html"), b"")
    assert (tmp_path / "results/run/log.txt").read_bytes() == b"newnew" and Path("page.html").exists()


# ---- Whose -----------------------------------------------------------------------------------------------------------


def test_a_whole_path_needs_no_folder_to_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    owned.make_folder(tmp_path / "out")
    assert (tmp_path / "out").is_dir()


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    owned.make_folder(tmp_path / "results" / "run")
    _append(tmp_path / "results" / "run" / "log.txt")
    assert mode(tmp_path / "results") == mode(tmp_path / "results" / "run") == 0o750
    assert mode(tmp_path / "results" / "run" / "log.txt") == 0o640


@by_root
@pytest.mark.parametrize("where", ["run", "run/new", "run/a/b"])
def test_a_folder_of_another_user_is_refused(folder: Path, where: str) -> None:
    os.chown(folder, MALLORY, MALLORY)
    with pytest.raises(ScenarioError, match=f"belongs to user {MALLORY}.*choose a folder of your own"):
        owned.make_folder(folder.parent / where)
    assert list(folder.iterdir()) == []


@by_root
@pytest.mark.parametrize("loose", [0o777, 0o757, 0o775])
def test_a_folder_that_others_may_write_to_is_refused(folder: Path, loose: int) -> None:
    folder.chmod(loose)
    os.chown(folder, 0, MALLORY)
    for where in (folder, folder / "new"):
        with pytest.raises(ScenarioError, match="can be written to by"):
            owned.make_folder(where)
    folder.chmod(0o1777)
    owned.make_folder(folder / "new")


@by_root
@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, os.mkfifo])
def test_room_that_another_user_has_made_where_all_may_write_is_not_taken(
    folder: Path, make: Callable[[Path], None]
) -> None:
    folder.chmod(0o1777)
    make(folder / ".file.room")
    os.chown(folder / ".file.room", MALLORY, MALLORY)
    owned.write(folder / "file", b"new")
    assert owner(folder / "file") == (0, 0) and mode(folder / "file") == owned.FILE_MODE


@by_root
def test_a_link_of_another_user_is_refused(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "theirs").symlink_to(folder)
    os.lchown(tmp_path / "theirs", MALLORY, MALLORY)
    with pytest.raises(ScenarioError, match="behind a link that is somebody else's"):
        owned.make_folder(tmp_path / "theirs" / "new")
    assert list(folder.iterdir()) == []


@by_root
def test_a_shared_folder_of_a_virtual_machine_is_as_its_mount_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.chmod(0o777)
    monkeypatch.setattr(trust, "_is_loose", lambda _device: True)

    def refuses(*_arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuses)
    monkeypatch.setenv("SUDO_UID", str(_somebody().pw_uid))
    owned.make_folder(folder / "new")
    _append(folder / "new" / "log.txt")


def test_no_mount_of_this_test_is_such_a_one(folder: Path) -> None:
    assert trust._is_loose(folder.stat().st_dev) is False


# ---- Who called sudo -------------------------------------------------------------------------------------------------


def _somebody() -> pwd.struct_passwd:
    return next(each for each in pwd.getpwall() if each.pw_uid and each.pw_gid)


@by_root
def test_what_sudo_made_is_its_callers(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = _somebody()
    monkeypatch.setenv("SUDO_UID", str(known.pw_uid))
    monkeypatch.setenv("SUDO_GID", str(known.pw_gid))
    theirs = (known.pw_uid, known.pw_gid)
    owned.make_folder(folder / "results" / "run")
    run = folder / "results" / "run"
    _append(run / "log.txt")
    _create(run / "packets.pcap")
    owned.write(run / "summary.json", b"{}")
    assert {owner(each) for each in [*run.iterdir(), run, run.parent]} == {theirs}
    assert owner(folder) == (0, 0), "what was there stays whose it was"
    _append(run / "log.txt")
    owned.make_folder(run)
    os.chown(folder, *theirs)
    owned.write(folder / "report.html", b"")
    assert owner(folder / "report.html") == theirs


@by_root
@pytest.mark.parametrize(
    ("uid", "gid", "expected"),
    [
        ("{uid}", "{gid}", "theirs"),
        ("{uid}", "0", "theirs"),
        ("{uid}", "", "theirs"),
        ("{uid}", "4242", "theirs"),
        ("0", "0", "nobody's"),
        ("", "", "nobody's"),
        ("4242424", "4242424", "nobody's"),
        ("-1", "-1", "nobody's"),
        ("99999999999999999999", "", "nobody's"),
        ("\N{SUPERSCRIPT TWO}", "", "nobody's"),
    ],
)
def test_the_caller_is_a_user_that_there_is_with_a_group_of_theirs(
    monkeypatch: pytest.MonkeyPatch, uid: str, gid: str, expected: str
) -> None:
    known = _somebody()
    monkeypatch.setenv("SUDO_UID", uid.format(uid=known.pw_uid))
    monkeypatch.setenv("SUDO_GID", gid.format(gid=known.pw_gid))
    theirs = Caller(uid=known.pw_uid, gid=known.pw_gid)
    assert caller() == (theirs if expected == "theirs" else None)


def test_a_signal_as_a_folder_is_closed_is_that_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no file that is closed twice, wherever on the way it is raised."""
    close = os.close
    for last in range(1, len(tmp_path.parts) + 2):
        count = iter(range(1, 1000))

        def closed(descriptor: int, last: int = last, count: Iterator[int] = count) -> None:
            close(descriptor)
            if next(count) == last:
                raise Interrupted("interrupted by SIGHUP")

        with monkeypatch.context() as patched, pytest.raises(Interrupted):
            patched.setattr(os, "close", closed)
            owned.reserve(tmp_path / "one", 1)
