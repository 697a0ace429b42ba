"""Hand-ins that anybody may have made: nothing which comes instead of one does more than be refused in one line."""

import io
import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed.core.errors import ScenarioError
from testbed.labs import handin
from testbed.labs.unpacking.archives import _Counted
from testbed.labs.unpacking.bounds import Bounds
from tests.unit.handins import LOCK, Make, a_folder, inside, refusal, zipped

pytestmark = pytest.mark.usefixtures("temporary")


def of_mode(name: str, mode: int) -> Make:
    def make(packed: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, (mode | 0o777) << 16
        packed.writestr(info, "/etc/passwd")

    return make


def named(*names: str) -> Make:
    def make(packed: zipfile.ZipFile) -> None:
        for name in names:
            packed.writestr(name, "x")

    return make


def holding(contents: dict[str, bytes]) -> Make:
    def make(packed: zipfile.ZipFile) -> None:
        for name, content in contents.items():
            packed.writestr(name, content)

    return make


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (named("/etc/cron.d/x"), "'/etc/cron.d/x', which is an absolute path"),
        (named("C:\\x"), "absolute path"),
        (named("../../x"), "'../../x', which leads out of its folder"),
        (named("a\\..\\..\\x"), "leads out of its folder"),
        (named("./x"), "no name of a file"),
        (named("a//x"), "no name of a file"),
        (named("a\nb\x1b[2J"), "'a b\\x1b[2J', which is no name of a file"),
        (named("x" * 300), "a name that is too long"),
        (named("/".join("abcdefghijklmnop")), "a name that is too long"),
        (named("x.py", "x.py"), "'x.py' twice"),
        (named("x.py", "X.PY"), "'x.py' and 'X.PY', which some systems take for one"),
        (named("a/x", "A/y"), "'a' and 'A', which some systems take for one"),
        (named("é", "e\u0301"), "which some systems take for one"),
        (named("a", "a/x"), "'a' as a file and as a folder"),
        (named("a/x", "a"), "'a' as a file and as a folder"),
        (of_mode("link", stat.S_IFLNK), "'link', which is a link"),
        (of_mode("tty", stat.S_IFCHR), "'tty', which is no ordinary file"),
        (of_mode("pipe", stat.S_IFIFO), "'pipe', which is no ordinary file"),
        (named(*(f"{number}" for number in range(2001))), "more than 2,000 files; that is no hand-in"),
        (lambda packed: packed.writestr("x", "x", zipfile.ZIP_BZIP2), "packed in a way that is not read"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_that_is_no_hand_in_is_one_line(tmp_path: Path, make: Make, said: str) -> None:
    assert said in refusal(zipped(tmp_path / "bad.zip", make))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Bounds:
    """Bounds that a test can reach."""
    bounds = Bounds(entries=50, each=1 << 20, all=3 << 20, packed=1 << 20)
    monkeypatch.setattr(handin, "BOUNDS", bounds)
    return bounds


@pytest.mark.usefixtures("small")
def test_a_bomb_is_refused_by_what_it_says_and_by_what_it_is(tmp_path: Path) -> None:
    one = zipped(tmp_path / "one.zip", lambda packed: packed.writestr("zeros", bytes(2 << 20)))
    assert refusal(one) == "holds 'zeros' of more than 1 MB, which is the most"
    many = zipped(tmp_path / "many.zip", holding({f"zeros{each}": bytes(1 << 20) for each in range(4)}))
    assert refusal(many) == "holds more than 3 MB when it is unpacked; that is no hand-in"


@pytest.mark.usefixtures("small")
def test_a_bomb_that_lies_about_its_size_is_refused_too(tmp_path: Path) -> None:
    lies = zipped(tmp_path / "lies.zip", lambda packed: packed.writestr("zeros", bytes(2 << 20)))
    data = lies.read_bytes()
    assert data.count(struct.pack("<L", 2 << 20)) == 2, "in its header and in the table of contents"
    lies.write_bytes(data.replace(struct.pack("<L", 2 << 20), struct.pack("<L", 7)))
    assert "no zip that can be read, or a damaged one" in refusal(lies)


def test_real_sizes_are_counted(tmp_path: Path, small: Bounds) -> None:
    counted = _Counted(small)
    with (tmp_path / "out").open("wb") as out:
        for _ in range(3):
            counted.copy(io.BytesIO(bytes(1 << 20)), out, "x")
        with pytest.raises(ScenarioError, match="more than 3 MB"):
            counted.copy(io.BytesIO(b"x"), out, "x")


def test_a_table_of_contents_that_never_ends_is_not_read(tmp_path: Path) -> None:
    long = tmp_path / "long.zip"
    with zipfile.ZipFile(long, "w") as packed:
        for number in range(100):
            packed.writestr(f"{number:060000}", "")
    assert refusal(long) == "its table of contents is too long to be read"


def test_one_under_a_password_is_said(tmp_path: Path) -> None:
    file = zipped(tmp_path / "secret.zip", named("x"))
    data = bytearray(file.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    file.write_bytes(data)
    assert "'x' under a password; pack it without one" in refusal(file)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is an empty file; it was perhaps not sent whole"),
        (b"PK\x05\x06" + bytes(18), "is an empty zip"),
        (b"hello", "no zip that can be read"),
        (b"PK\x03\x04" + b"x" * 100, "no zip that can be read"),
        (b"\x1f\x8b" + b"x" * 100, "no zip that can be read"),
    ],
)
def test_what_is_no_zip_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "x.zip"
    file.write_bytes(content)
    assert said in refusal(file)


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    (tmp_path / "link.zip").symlink_to("/etc/passwd")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "mail").write_text("private")
    linked = a_folder(tmp_path / "linked")
    (linked / "passwd").symlink_to("/etc/passwd")
    assert "is no ordinary file" in refusal(tmp_path / "pipe.zip")
    assert "is a link" in refusal(tmp_path / "link.zip")
    assert "cannot be read" in refusal(tmp_path / "nowhere.zip")
    assert "there is no lab.lock in this folder: it is no hand-in" in refusal(tmp_path / "home")
    assert refusal(linked) == "holds 'passwd', which is a link"


@pytest.mark.usefixtures("small")
def test_a_home_folder_with_a_lab_in_it_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "lab.lock").write_text(LOCK)
    for number in range(60):
        (home / f"letter-{number}").write_text("private")
    assert refusal(home) == "holds more than 50 files; that is no hand-in"


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return handin.pack(a_folder(tmp_path_factory.mktemp("right") / "rounds")).read_bytes()


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_bytes_come_it_is_opened_or_refused(
    tmp_path: Path, temporary: Path, right: bytes, data: st.DataObject
) -> None:
    """Bytes of a right one exchanged (its table of contents above all), cut out, or put in."""
    damaged = bytearray(right)
    table = right.rindex(b"PK\x01\x02") - 600
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1) | st.integers(table, len(right) - 1).map(lambda n: n % 2**31))
        change = data.draw(st.binary(max_size=8))
        damaged[at : at + data.draw(st.integers(0, 12))] = change
    file = tmp_path / "fuzzed.zip"
    file.write_bytes(damaged)
    before = sorted(tmp_path.iterdir())
    try:
        with handin.opened(file) as folder:
            assert folder.is_relative_to(temporary)
            assert all(each.is_file() or each.is_dir() for each in folder.rglob("*"))
    except ScenarioError as error:
        assert str(error).startswith(f"{file}: ") and "\n" not in str(error)
    assert sorted(tmp_path.iterdir()) == before and list(temporary.iterdir()) == []


Names = st.text(st.sampled_from("aA./\\:é\0\n~ x"), min_size=1, max_size=12)


@given(st.lists(Names, max_size=6))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_whatever_names_come_all_is_written_below_one_folder(tmp_path: Path, temporary: Path, names: list[str]) -> None:
    def make(packed: zipfile.ZipFile) -> None:
        for name in names:
            info = zipfile.ZipInfo("x")
            info.filename = info.orig_filename = name
            packed.writestr(info, "content")

    file = zipped(tmp_path / "names.zip", make)
    before = sorted(tmp_path.iterdir())
    try:
        found = inside(file)
        assert len(found) == 1 + sum(not name.endswith(("/", "\\")) for name in names)
    except ScenarioError as error:
        assert str(error).startswith(f"{file}: ")
    assert sorted(tmp_path.iterdir()) == before and list(temporary.iterdir()) == []
