"""What is worked with is gone in the end, and taken away where its owner was killed; what is another's never is."""

import errno
import os
import stat
from pathlib import Path

import pytest

from testbed.linux.files import held
from testbed.linux.files.scratch import scratch, take_away_left
from tests.scratches import left, owner

NAME = "fast-motion-grade-abcd1234.scratch"


@pytest.fixture(autouse=True)
def below(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process and its children have theirs."""
    monkeypatch.setenv("TMPDIR", str(temporary))
    return temporary


def test_it_is_the_callers_own_and_gone_in_the_end(below: Path) -> None:
    with scratch("handin") as one, scratch("handin") as other:
        assert one != other and one.parent == below and one.name.startswith("fast-motion-handin-")
        assert stat.S_IMODE(one.stat().st_mode) == 0o700
        (one / "file").write_text("")
    assert not one.exists() and not other.exists()
    with pytest.raises(KeyboardInterrupt), scratch("handin") as one:
        raise KeyboardInterrupt
    assert not one.exists()


def test_what_is_worked_with_stays_and_what_a_killed_one_left_goes(below: Path) -> None:
    with owner() as (process, folder):
        assert folder.parent == below
        assert take_away_left() == [] and (folder / "below" / "hand-in").is_file()
        process.kill()
        process.wait()
        assert (folder / "below" / "hand-in").is_file()
        assert take_away_left() == [f"removed {folder}"] and not folder.exists()


@pytest.mark.parametrize("name", ["fast-motion-main", "fast-motion-grade-abcd1234", f"{NAME}.old", f"x{NAME}"])
def test_a_folder_of_another_name_is_nobodys_scratch(below: Path, name: str) -> None:
    (below / name).mkdir()
    assert take_away_left() == [] and (below / name).is_dir()
    (below / name).rmdir()


def test_what_a_link_leads_to_stays_and_so_does_a_file(below: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (below / NAME).symlink_to(tmp_path / "mine")
    (below / NAME.replace("a", "b")).write_text("")
    assert take_away_left() == [] and (tmp_path / "mine").is_dir()
    for each in below.iterdir():
        each.unlink()


@pytest.mark.needs_root("something is made another's")
def test_what_is_another_users_stays(below: Path) -> None:
    folder = left()
    os.chown(folder, 4242, 4242)
    assert take_away_left() == [] and folder.is_dir()
    os.chown(folder, 0, 0)
    assert take_away_left() == [f"removed {folder}"]


def test_one_that_was_taken_away_before_it_was_held_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[Path]()

    def late(folder: Path) -> int | None:
        seen.append(folder)
        if len(seen) == 1:
            folder.rmdir()
        return held.hold(folder)

    monkeypatch.setattr("testbed.linux.files.scratch.hold", late)
    with scratch("page") as folder:
        assert seen == [seen[0], folder] and folder.is_dir()


def test_where_a_file_system_knows_no_locks_it_serves_all_the_same(
    monkeypatch: pytest.MonkeyPatch, below: Path
) -> None:
    def refuses(_descriptor: int, _how: int) -> None:
        raise OSError(errno.EBADF, "no locks here")

    monkeypatch.setattr("fcntl.flock", refuses)
    with scratch("page") as folder:
        assert folder.is_dir() and take_away_left() == [] and folder.is_dir()
    assert not folder.exists()


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    one = held.hold(folder)
    assert one is not None and held.hold(folder) is None and not held.take_away(folder)
    os.close(one)
    assert held.take_away(folder) and not folder.exists() and held.hold(folder) is None
