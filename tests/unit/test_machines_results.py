"""What a machine sends back may have been made by anybody: files and folders come out of it, below one folder."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machines import results
from machines.faults import MachineError


def archive(*members: tuple[str, bytes | None, bytes]) -> io.BytesIO:
    """Of names, contents (None: a link) and types."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as out:
        for name, content, kind in members:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size = kind, len(content or b"")
            entry.linkname = "/etc/passwd"
            entry.mode = 0o6777
            out.addfile(entry, io.BytesIO(content or b""))
    made.seek(0)
    return made


def file(name: str, content: bytes = b"x") -> tuple[str, bytes, bytes]:
    return name, content, tarfile.REGTYPE


def test_new_folders_are_taken_and_others_left(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a").write_bytes(b"mine")
    sent = archive((".", b"", tarfile.DIRTYPE), file("./old/a"), file("./new/b/c", b"there"), file("./old/other"))
    assert results.unpack(sent, tmp_path) == ["new"]
    assert (tmp_path / "new/b/c").read_bytes() == b"there"
    assert (tmp_path / "new/b/c").stat().st_mode & 0o7777 in (0o755, 0o744, 0o700), "neither set-user-ID nor writable"
    assert [each.name for each in (tmp_path / "old").iterdir()] == ["a"]
    assert (tmp_path / "old" / "a").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["../out", "/tmp/out", "a/../../out", "a/b/../../../out"])
def test_no_name_leads_out(tmp_path: Path, name: str) -> None:
    into = tmp_path / "results"
    with pytest.raises(MachineError, match="leads out"):
        results.unpack(archive(file("good/a"), file(name)), into)
    assert [each.name for each in tmp_path.iterdir()] == ["results"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_nothing_but_files_and_folders(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(MachineError, match="neither file nor folder"):
        results.unpack(archive(("a", None, kind), file("a/b")), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_then_a_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="cannot be written"):
        results.unpack(archive(file("a/b"), file("a/b/c")), tmp_path)
    with pytest.raises(MachineError, match="cannot be written"):
        results.unpack(archive(file("d/b"), file("d/b")), tmp_path)


def test_it_may_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MOST_BYTES", 10)
    with pytest.raises(MachineError, match="nothing more was taken"):
        results.unpack(archive(file("a", b"123456"), file("b", b"12345")), tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


@given(noise=st.binary(max_size=2000), cut=st.integers(0, 3000))
def test_what_is_no_archive_is_one_line(tmp_path_factory: pytest.TempPathFactory, noise: bytes, cut: int) -> None:
    into = tmp_path_factory.mktemp("results")
    whole = archive(file("a/b", b"y" * 700)).getvalue()
    for sent in (noise, whole[:cut], whole[:cut] + noise):
        try:
            assert set(results.unpack(io.BytesIO(sent), into)) <= {"a"}
        except MachineError as error:
            assert "\n" not in str(error)
