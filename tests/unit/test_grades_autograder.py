"""What platforms are given: a zip that grades by itself, and says something whatever happens to it."""

import io
import json
import os
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from testbed.cli import main
from testbed.core.errors import TestbedError
from testbed.grades import autograder, outputs
from testbed.labs import find
from testbed.labs.starting import start
from tests.unit.students import Classmates
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


def as_if(root: Path) -> dict[str, str]:
    """The environment in which that is ``/autograder``."""
    return {**os.environ, "AUTOGRADER_ROOT": str(root)}


def autograded(root: Path) -> tuple[float, str]:
    """Its score and what it says."""
    command = ["bash", str(root / "source" / "run_autograder")]
    subprocess.run(command, env=as_if(root), check=True, capture_output=True)
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
    (root / "submission_metadata.json").write_text('{"users": [{"email": "friend@uni.example"}]}')
    assert autograded(root) == (90, "90 of 100 points.")
    made_of = json.loads((root / "results" / "results.json").read_text())["extra_data"]
    assert made_of["flags"] == ["was handed in by friend@uni.example, and started as me@uni.example"]


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


@pytest.mark.usefixtures("without_wheel")
@pytest.mark.parametrize(("lab", "code"), [("rounds", False), ("build", True)])
def test_scripts_are_what_they_are_called_and_bring_a_sandbox_for_code(tmp_path: Path, lab: str, code: bool) -> None:
    for platform in autograder.PLATFORMS:
        given, folder = tmp_path / f"{platform}.zip", tmp_path / platform
        assert main(["lab", "autograder", lab, "--for", platform, "--to", str(given)]) == 0
        unpacked(given, folder)
        texts = {file: (folder / file).read_text() for file in autograder.PLATFORMS[platform].files}
        assert ("bubblewrap" in "".join(texts.values())) is code and "@CODE@" not in "".join(texts.values())
        for file, text in texts.items():
            if file.endswith(".py"):
                compile(text, file, "exec")
            elif file.endswith(".yml"):
                assert yaml.safe_load(text)["jobs"]
            else:
                subprocess.run(["bash", "-n", str(folder / file)], check=True)


@pytest.mark.usefixtures("without_wheel")
def test_a_bare_image_is_asked_for_its_python_first_and_one_that_has_none_is_named(tmp_path: Path) -> None:
    root, tools, asked = gradescope(tmp_path), tmp_path / "tools", tmp_path / "asked"
    tools.mkdir()
    for name in ("dirname", "readlink"):
        (tools / name).symlink_to(str(shutil.which(name)))
    (tools / "apt-get").write_text(f'#!/bin/sh\necho "$*" >>{asked}\n')
    (tools / "apt-get").chmod(0o755)
    command = [str(shutil.which("bash")), str(root / "source" / "setup.sh")]
    done = subprocess.run(command, env={"PATH": str(tools)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "choose Ubuntu 24.04" in done.stderr
    installed = [line.partition("--no-install-recommends ")[2] for line in asked.read_text().splitlines()]
    assert [each for each in installed if each] == ["python3 python3-venv", "python3.11 python3.11-venv"]


def fake(root: Path, *lines: str) -> None:
    """A ``testbed`` that does this; ``$results`` is the file that it is to write."""
    script = "\n".join(("#!/bin/sh", "for results; do :; done", "results=${results#--gradescope=}", *lines))
    (root / "testbed" / "bin" / "testbed").write_text(f"{script}\n")


@pytest.mark.usefixtures("without_wheel")
@pytest.mark.parametrize("written", ["", '{\n  "score": 50,\n  "tests": [\n    {\n', '{"score": 5'])
def test_half_a_result_is_none(tmp_path: Path, written: str) -> None:
    root = gradescope(tmp_path)
    (tmp_path / "written").write_text(written)
    fake(root, f'cat {tmp_path}/written >"$results"')
    assert autograded(root)[0] == 0 and "could not be written: is the disk full?" in autograded(root)[1]
    (tmp_path / "written").write_text('{\n  "score": 50\n}\n')
    made = json.loads((root / "results" / "results.json").read_text())
    subprocess.run(["bash", str(root / "source" / "run_autograder")], env=as_if(root), check=True)
    assert made["score"] == 0 and json.loads((root / "results" / "results.json").read_text()) == {"score": 50}


@pytest.mark.usefixtures("without_wheel")
def test_what_the_machine_lacks_is_no_fault_of_who_handed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = gradescope(tmp_path)
    fake(root, 'echo "{}" >"$results"')
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    assert "no fault of yours" in autograded(root)[1] and "no folder could be made" in autograded(root)[1]
    monkeypatch.delenv("TMPDIR")
    (root / "submission").rmdir()
    assert "no fault of yours" in autograded(root)[1] and "could not be copied" in autograded(root)[1]


@pytest.mark.usefixtures("without_wheel")
def test_a_time_out_of_gradescopes_ends_the_grading_too(tmp_path: Path) -> None:
    root = gradescope(tmp_path)
    fake(root, "echo begun", "exec sleep 1000")
    command = ["bash", str(root / "source" / "run_autograder")]
    with subprocess.Popen(command, env=as_if(root), stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and running.stdout.readline() == "begun\n"
        running.terminate()
        assert running.stdout.read() == "", "it is closed when the last process has gone"
    assert running.returncode == 0
    assert "no fault of yours" in taken((root / "results" / "results.json").read_text(), GRADESCOPE)["output"]


def test_what_was_written_stands_where_there_is_no_room_for_more(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with outputs.opened({"gradescope": file}) as files:
        files["gradescope"].write("not done\n")
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        try:
            with pytest.raises(TestbedError, match=r"results\.json cannot be written: .*; make room"):
                files["gradescope"].write("done\n" * 100)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert file.read_text() == "not done\n"


@pytest.mark.parametrize(("bwrap", "said"), [("", "there is no bwrap"), ("echo refused >&2; exit 1", "refused")])
def test_without_a_sandbox_nobody_is_short_of_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, bwrap: str, said: str
) -> None:
    monkeypatch.setattr("testbed.linux.processes.caller.give_up_root", lambda: "")
    monkeypatch.setenv("PATH", str(tmp_path))
    if bwrap:
        (tmp_path / "bwrap").write_text(f"#!/bin/sh\n{bwrap}\n")
        (tmp_path / "bwrap").chmod(0o755)
    work, result = tmp_path / "work", tmp_path / "results.json"
    start(find("build"), "me@uni.example", "", work)
    assert main(["grade", str(work), "--lab", "build", "--gradescope", str(result)]) == 3
    told = capsys.readouterr().err
    assert said in told and "run it with sudo" not in told
    output = taken(result.read_text(), GRADESCOPE)["output"]
    assert "no fault of yours" in output and said in output


def test_a_platform_that_is_none(capsys: Captured) -> None:
    assert main(["lab", "autograder", "rounds", "--for", "gradscope"]) == 2
    assert "did you mean 'gradescope'?" in capsys.readouterr().err


@pytest.mark.usefixtures("without_wheel")
def test_its_zip_goes_into_a_folder_and_over_no_hand_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["lab", "autograder", "rounds", "--for", "gradescope", "--to"]
    assert main([*asked, str(tmp_path)]) == 0 and (tmp_path / "rounds-gradescope.zip").is_file()
    (theirs := tmp_path / "rounds-me.lab.zip").write_text("theirs")
    assert main([*asked, str(theirs)]) == 2 and theirs.read_text() == "theirs"
    assert "is called as a hand-in is; choose another place with --to" in capsys.readouterr().err
