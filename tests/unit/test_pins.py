"""The pins: complete, each with the hashes of its wheels, written by what pip says, and nothing else is installed."""

from __future__ import annotations

import configparser
import hashlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from machines import told
from machines.faults import MachineError
from machines.kinds import KINDS
from tests import pins
from tests.pins import COMING, FILES, SUPPORTED, Machine, Pin
from tests.unit.test_bootstrap import BOOTSTRAP, CHECKOUT
from tests.unit.test_bootstrap_installs import as_root

# ---- What is written down --------------------------------------------------------------------------------------------


def test_the_files_are_all_there_are() -> None:
    assert set(FILES) == {file.name for file in CHECKOUT.glob("requirements*.txt")}
    assert {(kind.python, kind.machine) for kind in KINDS.values()} <= set(SUPPORTED)


def test_everything_is_pinned_once() -> None:
    named = [key for file in FILES[:-1] for key in pins.read(file)]
    assert len(named) == len(set(named))
    others = {key: pin for file in FILES[:-1] for key, pin in pins.read(file).items()}
    swept = pins.read(FILES[-1])
    assert {key: pin for key, pin in swept.items() if others.get(key, pin) != pin} == {}, "and twice means the same"


@pytest.mark.parametrize("file", FILES)
def test_every_pin_says_which_wheels_are_meant(file: str) -> None:
    """One that fits everywhere, or at most one for each machine; none belongs to two packages."""
    found = pins.read(file)
    assert found and all(1 <= len(set(pin.hashes)) <= len((*SUPPORTED, *COMING)) for pin in found.values())
    every = [each for pin in found.values() for each in pin.hashes]
    assert len(every) == len(set(every))


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_as_it_would_be_written(file: str) -> None:
    text = (CHECKOUT / file).read_text()
    assert pins.written(text, all_have()) == text, "with nothing to be had, all stays"


@pytest.mark.parametrize(
    ("section", "option", "file"),
    [
        ("options", "install_requires", "requirements.txt"),
        ("options.extras_require", "docs", "requirements-docs.txt"),
        ("options.extras_require", "sweep", "requirements-sweep.txt"),
        ("options.extras_require", "parquet", "requirements-dev.txt"),
    ],
)
def test_what_the_package_asks_for_is_what_bootstrap_installs(section: str, option: str, file: str) -> None:
    config = configparser.ConfigParser()
    config.read(CHECKOUT / "setup.cfg")
    wanted, there = [Requirement(line) for line in config[section][option].split()], pins.read(file)
    assert wanted and all(each.specifier.contains(there[Pin(each.name, "").key].version) for each in wanted)


@pytest.mark.parametrize("line", ["a", "a>=1", "a==1 --hash=sha256:00", "a==1 --hash=md5:" + "0" * 32, "-e .", "a @ b"])
def test_what_is_no_pin_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="no pin"):
        list(pins.lines(f"# so\n{line}\n"))


# ---- What is to be had -----------------------------------------------------------------------------------------------

A, B, C, D = ("0a" * 32, "0b" * 32, "0c" * 32, "0d" * 32)
TEXT = f"# why\nSome_Thing==1.0 \\\n    --hash=sha256:{D}\n\n# plain\nplain==2.0b1\n"


def all_have(**hashes: str) -> dict[Machine, dict[str, str]]:
    return {machine: {key.replace("_", "-"): each for key, each in hashes.items()} for machine in (*SUPPORTED, *COMING)}


def test_hashes_are_written_in_the_order_of_machines_and_comments_stay() -> None:
    had = all_have(some_thing=B, plain=C)
    had[SUPPORTED[0]]["some-thing"] = had[SUPPORTED[2]]["some-thing"] = A
    text = pins.written(TEXT, had)
    assert text == (
        f"# why\nSome_Thing==1.0 \\\n    --hash=sha256:{A} \\\n    --hash=sha256:{B}\n\n"
        f"# plain\nplain==2.0b1 \\\n    --hash=sha256:{C}\n"
    )
    assert pins.written(text, had) == text


def test_what_a_machine_cannot_have_here_keeps_the_hash_that_it_has() -> None:
    had = all_have(some_thing=B, plain=C)
    del had[SUPPORTED[3]]["some-thing"]
    assert [each.hashes for each in pins.lines(pins.written(TEXT, had)) if isinstance(each, Pin)] == [(B, D), (C,)]
    del had[COMING[0]]["plain"]
    assert f"{C}\n" in pins.written(TEXT, had), "no release of today needs it"


def test_what_is_missing_and_what_is_another_is_told_with_its_machines() -> None:
    had = all_have(some_thing=D, plain=C)
    del had[SUPPORTED[3]]["some-thing"]
    had[SUPPORTED[0]]["plain"] = A
    known = [Pin("Some_Thing", "1.0", (D,)), Pin("plain", "2.0b1", (C,))]
    assert pins.complaints(known, had) == [
        "Some_Thing==1.0: no wheel for 3.12 aarch64",
        "plain==2.0b1: another hash for 3.11 x86_64",
    ]
    assert pins.complaints(known, all_have(some_thing=D, plain=C)) == []


def test_all_machines_are_asked_and_the_files_are_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in FILES:
        (tmp_path / file).write_text(TEXT.replace("Some_Thing", f"only-{file.removesuffix('.txt')}"))
    monkeypatch.setattr(pins, "CHECKOUT", tmp_path)
    asked = []

    def ask(machine: Machine, wanted: Iterable[Pin]) -> dict[str, str]:
        asked.append(machine)
        return {pin.key: A for pin in wanted}

    assert pins.main([], ask) == 1 and "another hash for 3.11 x86_64, 3.11 aarch64" in capsys.readouterr().out
    assert pins.main(["--write"], ask) == 0 and asked == [*SUPPORTED, *COMING] * 2
    assert all((tmp_path / file).read_text().count(A) == 2 for file in FILES)
    assert pins.main([], ask) == 0 and capsys.readouterr().out == ""


# ---- By a real pip, from a folder of wheels --------------------------------------------------------------------------


def wheel(folder: Path, name: str, tag: str, says: str = "") -> str:
    """A wheel of that name, version 1.0, with nothing but a module; returns its sha256."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}-1.0-{tag}.whl"
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(f"{name}.py", f"SAYS = {says!r}\n")
        packed.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        packed.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        packed.writestr(f"{about}/RECORD", f"{name}.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n")
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks."""
    place = tmp_path / "wheels"
    for name, value in {"CONFIG_FILE": "/dev/null", "NO_INDEX": "1", "FIND_LINKS": str(place)}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    return place


def test_pip_says_what_it_would_install_on_another_machine_and_what_it_has_no_wheel_for(folder: Path) -> None:
    pure = wheel(folder, "pure", "py3-none-any")
    _ours, theirs = (wheel(folder, "built", f"cp312-cp312-manylinux2014_{each}") for each in ("x86_64", "aarch64"))
    wanted = [Pin("pure", "1.0"), Pin("Built", "1.0", (A,)), Pin("absent", "1.0")]
    assert pins.to_be_had(("3.12", "aarch64"), wanted) == {"pure": pure, "built": theirs}


def test_what_else_pip_says_is_passed_on_and_nothing_is_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.mkdir()
    (folder / "pure-1.0-py3-none-any.whl").write_bytes(b"no zip")
    monkeypatch.setattr(pins, "CHECKOUT", tmp_path)
    for file in FILES:
        (tmp_path / file).write_text("pure==1.0\n")
    assert pins.main(["--write"]) == 3 and "pure-1.0-py3-none-any.whl" in capsys.readouterr().err
    assert {(tmp_path / file).read_text() for file in FILES} == {"pure==1.0\n"}


def test_an_index_that_is_not_reached_is_no_index_without_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "WARNING: Retrying (Retry(total=0))\nERROR: No matching distribution found for pure==1.0\n"
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, "", said))
    with pytest.raises(RuntimeError, match="Retrying"):
        pins.to_be_had(SUPPORTED[0], [Pin("pure", "1.0")])


def installing(tmp_path: Path, *written_down: Pin) -> subprocess.CompletedProcess[str]:
    """What bootstrap's own function does in a virtual environment of its own, with the pip of this one."""
    venv = tmp_path / "checkout" / ".venv"
    (venv / "bin").mkdir(parents=True, exist_ok=True)
    (venv / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@" --target {tmp_path}/installed\n')
    (venv / "bin" / "python").chmod(0o755)
    (tmp_path / "pins.txt").write_text("".join(f"{pin}\n" for pin in written_down))
    told_pip = f"export PIP_CONFIG_FILE=/dev/null PIP_NO_INDEX=1 PIP_FIND_LINKS={tmp_path}/wheels"
    return as_root(tmp_path, f"{told_pip}\nlog={tmp_path}/log\npip_install {tmp_path}/pins.txt")


def test_bootstrap_installs_the_wheel_that_is_written_down(tmp_path: Path, folder: Path) -> None:
    right = wheel(folder, "pure", "py3-none-any", "right")
    done = installing(tmp_path, Pin("pure", "1.0", (A, right)))
    assert (done.returncode, done.stderr) == (0, "")
    assert "right" in (tmp_path / "installed" / "pure.py").read_text()


def test_another_wheel_of_that_name_is_refused_in_one_line_and_not_installed(tmp_path: Path, folder: Path) -> None:
    right = wheel(folder, "pure", "py3-none-any", "right")
    other = wheel(folder, "pure", "py3-none-any", "another")
    refused = installing(tmp_path, Pin("pure", "1.0", (right,)))
    assert refused.returncode == 3 and refused.stdout == "" and len(refused.stderr.splitlines()) == 1
    place = (folder / "pure-1.0-py3-none-any.whl").as_uri()
    assert f"pins.txt has another sha256 for pure==1.0 from {place} (sha256 {other}):" in refused.stderr
    assert 'CONTRIBUTING.md, "Pins"' in refused.stderr and not (tmp_path / "installed").exists()
    # Who trusts it has it written down.
    assert installing(tmp_path, Pin("pure", "1.0", (right, other))).returncode == 0


def test_a_pin_without_a_hash_is_not_installed(tmp_path: Path, folder: Path) -> None:
    wheel(folder, "pure", "py3-none-any")
    refused = installing(tmp_path, Pin("pure", "1.0"))
    assert refused.returncode == 3 and "Hashes are required" in refused.stderr and "pins.txt" in refused.stderr


def test_an_image_is_not_made_of_another_wheel_either(tmp_path: Path, folder: Path) -> None:
    wheel(folder, "pure", "py3-none-any")
    for file in FILES:
        (tmp_path / file).write_text("")
    (tmp_path / "requirements.txt").write_text(f"{Pin('pure', '1.0', (A,))}\n")
    with pytest.raises(MachineError, match=r"debian-13: another sha256 is written down for pure==1\.0 from file:"):
        told.fetch_wheels(KINDS["debian-13"], tmp_path, tmp_path / "fetched")
    assert list((tmp_path / "fetched").iterdir()) == []


@pytest.mark.parametrize("user", [BOOTSTRAP, *sorted((CHECKOUT / "testbed" / "grades" / "kits").glob("*.in"))])
def test_whoever_installs_the_pins_has_their_hashes_checked(user: Path) -> None:
    installs = [line for line in user.read_text().splitlines() if re.search(r"only-binary", line)]
    assert all("--require-hashes" in line for line in installs)
    assert installs or user.name == "run_autograder.in"
