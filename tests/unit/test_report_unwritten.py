"""What a page or a file beside it says where it cannot be written: what this very command can do about it."""

import errno
import os
import shutil
from pathlib import Path

import pytest

import testbed
from testbed.cli import main
from testbed.linux.files import owned

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("pair")
    for name, rate in (("a", "300Mbit"), ("b", "900Mbit")):
        goodput = {"network.vmotion.goodput": rate}
        testbed.run("hello", engine="simulated", set=goodput, out=folder / name, page=False)
    return [str(folder / "a"), str(folder / "b")]


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path, content: bytes, *, sync: bool = False) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(owned, "write", write)


@pytest.mark.parametrize("option", ["--page", "--junit"])
@pytest.mark.usefixtures("full")
def test_a_comparison_has_another_file(pair: list[str], option: str, tmp_path: Path, capsys: Captured) -> None:
    assert main(["compare", *pair, "--fail-if", "slower=5%", option, str(tmp_path / "x")]) == 1
    assert f"testbed: no space left in {tmp_path}; make room, or name another file\n" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--page", "--junit"])
def test_a_folder_is_no_file(pair: list[str], option: str, tmp_path: Path, capsys: Captured) -> None:
    assert main(["compare", *pair, "--fail-if", "slower=5%", option, str(tmp_path)]) == 2
    assert f"testbed: {tmp_path}: is a folder, and a file is to be written\n" in capsys.readouterr().err


@pytest.mark.usefixtures("full")
def test_a_runs_own_page_has_no_other_place(pair: list[str], tmp_path: Path, capsys: Captured) -> None:
    run = shutil.copytree(pair[0], tmp_path / "run")
    assert main(["report", str(run)]) == 1
    said = f"no space left in {run}; make room, or take away what has its name, or copy the run elsewhere"
    assert capsys.readouterr().err == f"testbed: {said}\n"
