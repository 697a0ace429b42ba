"""What a teacher gives to Gradescope, Classroom 50 or a template of GitHub Classroom's: one zip, with all that grading
needs but for the packages that pip brings.
"""

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from testbed.core.errors import PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.text.nearest import nearest
from testbed.core.text.printable import printable
from testbed.grades.judging import course_of
from testbed.labs import find
from testbed.labs.catalogue import RIGHT, WRONG, LabFolder
from testbed.labs.handin import ELSEWHERE, END, archive, target_of
from testbed.linux.files.installed import ROOT, is_checkout
from testbed.linux.files.scratch import scratch
from testbed.runfiles.folder import write_whole

KITS = Path(__file__).parent / "kits"
SOURCES = ("testbed", "guest_agent", "topologies", "labs", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
"""What a wheel is built of."""
BUILD_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """A platform: its files by what they are made of, and the folder in the zip where the rest lies."""

    files: dict[str, str]
    below: str = ""


PLATFORMS = {
    "gradescope": Kit(files={"setup.sh": "setup.sh.in", "run_autograder": "run_autograder.in"}),
    "classroom50": Kit(files={"autograder.py": "autograder.py.in"}),
    "classroom": Kit(files={".github/workflows/classroom.yml": "classroom.yml.in"}, below=".github/testbed/"),
}


def autograder(
    name: str, platform: str, to: Path | None = None, *, from_: Path | None = None, course: Path | None = None
) -> Path:
    """Writes the zip and says where it is; ``from_``: the lab is one of that folder, and goes into the zip. Raises
    ``ScenarioError``, and ``PrerequisiteMissing`` where there is no checkout to make a wheel of.
    """
    if platform not in PLATFORMS:
        raise ScenarioError(f"there is no platform '{platform}'; {nearest(platform, list(PLATFORMS))}", "--for")
    lab, kit = find(name, from_), PLATFORMS[platform]
    if course:
        course_of(course, lab.name, from_)
    target = _target(to, f"{lab.name}-{platform}.zip")
    options = ["--lab", lab.name]
    contents = {f"{kit.below}{file}": data for file, data in _common().items()}
    if from_ is not None:
        options += ["--from", f"$source/{lab.path.name}"]
        contents |= {f"{kit.below}{file}": data for file, data in _of_lab(lab).items()}
    if course:
        options += ["--course", "$source/course.yaml"]
        contents[f"{kit.below}course.yaml"] = course.read_bytes()
    code = bool(lab.spec.hand_in)
    scripts = {file: _filled((KITS / made_of).read_text("utf-8"), options, code) for file, made_of in kit.files.items()}
    write_whole(target, archive({**contents, **scripts}.items(), executable=scripts), otherwise=ELSEWHERE)
    return target


def _target(to: Path | None, name: str) -> Path:
    """The file to write, which takes no hand-in's name."""
    target = target_of(Path(), to, name)
    if target.name.endswith(END):
        raise ScenarioError(f"is called as a hand-in is; {ELSEWHERE}", str(target))
    return target


def _filled(text: str, options: list[str], code: bool) -> bytes:
    """``$source`` stays for the shell, all else of an option is quoted. Lines with ``@CODE@`` are for labs in which
    code is handed in.
    """
    text = re.sub("(?m)^@CODE@" if code else "(?m)^@CODE@.*\n", "", text)
    quoted = " ".join(each if each.startswith("--") else _quoted(each) for each in options)
    return text.replace("@OPTIONS_AS_LIST@", repr(options)).replace("@OPTIONS@", quoted).encode()


def _quoted(option: str) -> str:
    if option.startswith("$source/"):
        return f'"$source"/{shlex.quote(option.removeprefix("$source/"))}'
    return shlex.quote(option)


def _common() -> dict[str, bytes]:
    """The wheel of this very checkout, and the packages that it needs, by their versions."""
    if not is_checkout():
        raise PrerequisiteMissing("an autograder is made of a checkout of Fast Motion", "run this in one")
    with scratch("wheel") as folder:
        sources, wheels = folder / "sources", folder / "wheels"
        sources.mkdir()
        for name in SOURCES:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif (ROOT / name).is_file():
                shutil.copy(ROOT / name, sources / name)
        python = str(Path(sys.prefix) / "bin" / "python")
        pip = [python, "-I", "-m", "pip", "--no-input", "--disable-pip-version-check", "wheel", "--no-deps"]
        command = [*pip, "--no-build-isolation", "--no-index", "--wheel-dir", str(wheels), str(sources)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUILD_S)
        made = sorted(wheels.glob("*.whl"))
        if done.returncode or len(made) != 1:
            raise TestbedError(f"pip could not build the wheel: {printable(done.stderr.strip()[-300:])}")
        needed = (ROOT / "requirements.txt").read_bytes()
        return {"requirements.txt": needed, f"wheels/{made[0].name}": made[0].read_bytes()}


def _of_lab(lab: LabFolder) -> dict[str, bytes]:
    """A teacher's own lab, without its right and wrong answers."""
    return {
        f"{lab.path.name}/{path.relative_to(lab.path)}": path.read_bytes()
        for path in sorted(lab.path.rglob("*"))
        if path.is_file() and not {RIGHT, WRONG, "__pycache__"} & set(path.relative_to(lab.path).parts)
    }
