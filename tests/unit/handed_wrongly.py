"""What is handed in instead of work: each is one line, and the rest is graded."""

import os
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

from testbed.labs.workbook import LOCK
from tests.unit.handins import zipped
from tests.unit.oracle import Expected
from tests.unit.students import SAME, Classmates

NO_UTF8 = os.fsdecode(b"b\xff\xfe.zip")
UNREAD = "its record cannot be read"
CONTROLS = "two\nlines \x1b[2J.zip"


def hostile(made: Classmates) -> list[Expected]:
    """All of it, beside a class of which the first two are right."""
    for name, write, fault in FAULTY:
        write(made.out / name)
        shown = name.replace("\n", " ").replace("\x1b", "\\x1b") if name == CONTROLS else name
        made.added("", KINDS.get(name, name), "none", file=SHOWN.get(name, shown), fault=fault)
    _unfinished(made)
    _twice(made)
    return made.expected


def _unfinished(made: Classmates) -> None:
    """Files that lack, or are none, in what is a hand-in otherwise; a record of which a figure is none."""
    for name, change, fault, reason in LACKING:
        student = f"{name}@uni.example"
        folder = made.worked(student)
        change(folder)
        shutil.move(folder, made.out / name)
        for each in (made.out / name, *(made.out / name).rglob("*")):
            each.chmod(0o755 if each.is_dir() else 0o644)
        flags = {"no-scenario": [reason], "nan-record": [UNREAD], "text-record": [UNREAD]}.get(name, [])
        made.added(student, name, "none", file=name, fault=fault, reasons=[reason], flags=flags)


def _twice(made: Classmates) -> None:
    """The second student's, again: by the file's time it is the later."""
    first = made.expected[1]
    again = made.out / first.handin.replace(".lab.zip", "-2.lab.zip")
    shutil.copy(made.out / first.handin, again)
    os.utime(made.out / first.handin, (1_700_000_000,) * 2)
    first.flags += [f"{again.name} {SAME}, and counts"]
    flags = [f"{first.handin} {SAME}; this one counts"]
    made.added("", "again", "all", file=again.name, flags=flags)
    first.may = made.expected[-1].may = ["the same measured figures as", "the answer 'why' is", SAME]


def _bomb(file: Path) -> None:
    zipped(file, lambda packed: packed.writestr("zeros", bytes(300 << 20)))


def _linked(file: Path) -> None:
    def make(packed: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo("passwd")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        packed.writestr(info, "/etc/passwd")

    zipped(file, make)


def _holding(name: str) -> Callable[[Path], object]:
    return lambda file: zipped(file, lambda packed: packed.writestr(name, "x"))


def _many(file: Path) -> None:
    """A hundred thousand files, by its table of contents: to pack so many takes longer than to refuse them."""
    zipped(file, lambda packed: packed.writestr("000000", ""))
    content = file.read_bytes()
    at = content.rindex(b"PK\x01\x02")
    entry, end = content[at : content.rindex(b"PK\x05\x06")], content.rindex(b"PK\x05\x06")
    table = b"".join(entry.replace(b"000000", b"%06d" % number) for number in range(100_000))
    tail = content[end : end + 8] + b"\xff\xff\xff\xff" + struct.pack("<LLH", len(table), at, 0)
    file.write_bytes(content[:at] + table + tail)


def _home(folder: Path) -> None:
    """Somebody's, with the lab somewhere in it."""
    (folder / "Documents" / "rounds").mkdir(parents=True)
    (folder / "Documents" / "rounds" / LOCK).write_text("lab: rounds\n")
    (folder / "mail").write_text("private")


def _home_is_lab(folder: Path) -> None:
    folder.mkdir()
    (folder / LOCK).write_text("lab: rounds\nstudent: me@uni.example\nversion: 1\n")
    for number in range(2001):
        (folder / f"letter-{number}").touch()


def _not_utf8_inside(file: Path) -> None:
    """A name of bytes that are none, which the zip says are UTF-8."""
    zipped(file, lambda packed: packed.writestr("\u00e9\u00e9.py", "x"))
    file.write_bytes(file.read_bytes().replace("\u00e9\u00e9.py".encode(), b"\xff\xfe\xff\xfe.py"))


def _without_answers(folder: Path) -> None:
    (folder / "answers.yaml").unlink()


def _without_summary(folder: Path) -> None:
    (folder / "runs" / "main-1" / "summary.json").unlink()


def _without_scenario(folder: Path) -> None:
    (folder / "runs" / "main-1" / "scenario.yaml").unlink()


def _figure(said: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / "runs" / "main-1" / "summary.json"
        head, _, tail = file.read_text().partition('"total_time_s": ')
        file.write_text(f'{head}"total_time_s": {said}{tail[tail.index(",") :]}')

    return change


FAULTY: list[tuple[str, Callable[[Path], object], str]] = [
    ("empty.zip", Path.touch, "is an empty file"),
    ("text.zip", lambda file: file.write_text("hello"), "is no zip that can be read"),
    ("bomb.zip", _bomb, "holds 'zeros' of more than"),
    ("links.zip", _linked, "holds 'passwd', which is a link"),
    ("absolute.zip", _holding("/etc/cron.d/x"), "which is an absolute path"),
    ("climbing.zip", _holding("../../x"), "which leads out of its folder"),
    ("many.zip", _many, "its table of contents is too long to be read"),
    ("home", _home, "there is no lab.lock in this folder"),
    ("home-is-lab", _home_is_lab, "holds more than 2,000 files"),
    ("inside.zip", _not_utf8_inside, "is no zip that can be read, or a damaged one"),
    (NO_UTF8, Path.touch, "is an empty file"),
    (CONTROLS, Path.touch, "is an empty file"),
]
KINDS = {"bomb.zip": "a bomb"}
SHOWN = {NO_UTF8: "b\\udcff\\udcfe.zip", CONTROLS: "two lines \\x1b[2J.zip"}
LACKING: list[tuple[str, Callable[[Path], object], str, str]] = [
    ("no-answers", _without_answers, "is not there", ""),
    ("no-record", _without_summary, "", "there is no summary.json"),
    ("no-scenario", _without_scenario, "", "there is no scenario.yaml"),
    ("nan-record", _figure("NaN"), "", "run it again"),
    ("text-record", _figure('"fast"'), "", "run it again"),
]
