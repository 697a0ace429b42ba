"""What platforms are given: a zip that grades by itself, and says something whatever happens to it."""

import io
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.cli import main
from testbed.grades import autograder
from testbed.labs import find
from tests.unit.classmates import Classmates
from tests.unit.test_grades_formats import CLASSROOM50, GRADESCOPE, taken

ROOT = Path(__file__).parents[2]
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel takes seconds to build."""
    monkeypatch.setattr(autograder, "_common", lambda: {"requirements.txt": b"", "wheels/x.whl": b""})


def unpacked(file: Path, folder: Path) -> Path:
    """As a platform unpacks it, with its modes."""
    with zipfile.ZipFile(file) as packed:
        for info in packed.infolist():
            Path(packed.extract(info, folder)).chmod(stat.S_IMODE(info.external_attr >> 16))
    return folder


def gradescope(tmp_path: Path, *options: str) -> Path:
    """Its ``/autograder``, with our zip in it, and a ``testbed`` that is this one."""
    given, root = tmp_path / "zip", tmp_path / "autograder"
    assert main(["lab", "autograder", "rounds", "--for", "gradescope", "--to", str(given), *options]) == 0
    unpacked(given, root / "source")
    (root / "submission").mkdir()
    bin_ = root / "testbed" / "bin"
    bin_.mkdir(parents=True)
    (bin_ / "testbed").write_text(f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m testbed "$@"\n')
    (bin_ / "testbed").chmod(0o755)
    return root


def autograded(root: Path) -> tuple[float, str]:
    """Its score and what it says."""
    command = ["bash", str(root / "source" / "run_autograder")]
    subprocess.run(command, env={**os.environ, "AUTOGRADER_ROOT": str(root)}, check=True, capture_output=True)
    made = taken((root / "results" / "results.json").read_text(), GRADESCOPE)
    return made["score"], made["output"]


@pytest.mark.usefixtures("without_wheel")
def test_gradescope_gets_a_result_whatever_comes(tmp_path: Path) -> None:
    root = gradescope(tmp_path)
    (root / "testbed" / "bin" / "testbed").rename(root / "testbed" / "bin" / "away")
    assert autograded(root)[0] == 0
    assert "no fault of yours" in autograded(root)[1]
    (root / "testbed" / "bin" / "testbed").write_text("#!/bin/sh\nexit 3\n")
    assert "no fault of yours" in autograded(root)[1]


@pytest.fixture
def anybodys(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody may read, too, which pytest's own are not."""
    if os.geteuid() != 0:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.mark.usefixtures("without_wheel")
def test_gradescope_grades(anybodys: Path) -> None:
    root, made = gradescope(anybodys), Classmates(anybodys / "class")
    made.right("me@uni.example")
    shutil.copy(made.out / "rounds-me.lab.zip", root / "submission")
    assert autograded(root) == (90, "90 of 100 points.")


@pytest.mark.usefixtures("without_wheel")
def test_a_teachers_own_lab_goes_along_without_its_answers(tmp_path: Path) -> None:
    own = tmp_path / "labs" / "07-rounds"
    shutil.copytree(find("rounds").path, own)
    (tmp_path / "course.yaml").write_text("course: net\n")
    given = tmp_path / "zip"
    options = ["--from", str(own.parent), "--course", str(tmp_path / "course.yaml"), "--to", str(given)]
    for platform in autograder.PLATFORMS:
        assert main(["lab", "autograder", "rounds", "--for", platform, *options]) == 0
        with zipfile.ZipFile(given) as packed:
            names = {name.removeprefix(".github/testbed/") for name in packed.namelist()}
        assert {"07-rounds/lab.yaml", "07-rounds/checks.py", "course.yaml", "requirements.txt"} <= names
        assert not any("right.yaml" in name or "wrong" in name for name in names)
    folder = unpacked(given, tmp_path / "template")
    workflow = (folder / ".github" / "workflows" / "classroom.yml").read_text()
    assert (
        '--lab rounds --from "$source"/07-rounds --course "$source"/course.yaml --classroom="$GITHUB_OUTPUT"'
        in workflow
    )


@pytest.mark.usefixtures("without_wheel")
def test_classroom_50s_script_leaves_its_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "zip"
    assert main(["lab", "autograder", "rounds", "--for", "classroom50", "--to", str(given)]) == 0
    script = unpacked(given, tmp_path / "bundle") / "autograder.py"
    text = script.read_text()
    compile(text, str(script), "exec")
    # As it is but for pip and the environment that it would make.
    text = text.replace("venv.create(folder, with_pip=True)", "pass").replace('f"{folder}/bin/python"', '"true"')
    script.write_text(text.replace('f"{folder}/bin/testbed"', f'{sys.executable!r}, "-m", "testbed"'))
    repository = tmp_path / "repository"
    made = Classmates(tmp_path / "class")
    made.right("me@uni.example")
    repository.mkdir()
    shutil.copy(made.out / "rounds-me.lab.zip", repository)
    names = {variable: variable.lower() for variable in ("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL")}
    environment = {**os.environ, **names, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    result = taken((repository / "result.json").read_text(), CLASSROOM50)
    assert result["classroom"] == "classroom" and result["review"] == "commit_url"
    assert result["score"] == (90 if os.geteuid() else result["score"])


def test_the_wheel_has_all_that_grading_needs(tmp_path: Path) -> None:
    common = autograder._common()
    (wheel,) = (data for name, data in common.items() if name.endswith(".whl"))
    with zipfile.ZipFile(io.BytesIO(wheel)) as packed:
        names = packed.namelist()
    assert {"labs/01-rounds/lab.yaml", "labs/01-rounds/checks.py", "testbed/grades/kits/setup.sh.in"} <= set(names)
    assert b"pydantic==" in common["requirements.txt"]


@pytest.mark.parametrize("script", ["setup.sh.in", "run_autograder.in"])
def test_scripts_are_shell(script: str) -> None:
    subprocess.run(["bash", "-n", str(autograder.KITS / script)], check=True)


def test_a_platform_that_is_none(capsys: Captured) -> None:
    assert main(["lab", "autograder", "rounds", "--for", "gradscope"]) == 2
    assert "did you mean 'gradescope'?" in capsys.readouterr().err
