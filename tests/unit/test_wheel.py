"""A wheel that was built of a checkout with its site has the documents in it, and ``testbed docs`` shows them."""

import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from testbed.grades.autograder import SOURCES
from tests.unit.documents import ROOT
from tests.unit.sites import SITE
from tests.unit.test_web_runs import get


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sources")
    for name in (*SOURCES, "setup.py", "MANIFEST.in"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, made / name)
    return made


def installed(sources: Path, to: Path) -> Path:
    """The files of the wheel that is built of them, as pip has it built once it has found what builds."""
    builds = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    to.mkdir(exist_ok=True)
    command = [sys.executable, "-c", builds, str(to)]
    done = subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = to.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(to / "packages")
    return to / "packages"


def docs(packages: Path, where: Path) -> "subprocess.Popen[str]":
    program = ["-P", str(packages / "testbed" / "linux" / "processes" / "module.py"), "testbed", "docs", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(packages)}
    return subprocess.Popen([sys.executable, *program], stderr=subprocess.PIPE, text=True, cwd=where, env=environment)


def test_the_documents_are_in_it_if_they_were_built(sources: Path, tmp_path: Path) -> None:
    (sources / SITE / "docs").mkdir(parents=True)
    (sources / SITE / "index.html").write_text("the front")
    (sources / SITE / "docs" / "audit.html").write_text("the audit")
    packages = installed(sources, tmp_path)
    with docs(packages, tmp_path) as process:
        assert len(list(tmp_path.glob("packages/*.data/data/share/man/man1/testbed.1"))) == 1
        assert process.stderr is not None
        said = process.stderr.readline()
        try:
            url = next(word for word in said.split() if word.startswith("http")).rstrip("/")
            assert get(f"{url}/") == (200, b"the front") and get(f"{url}/docs/audit.html") == (200, b"the audit")
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode in (0, 130)

    shutil.rmtree(sources / "docs")
    shutil.rmtree(sources / "build", ignore_errors=True)
    packages = installed(sources, tmp_path / "without")
    with docs(packages, tmp_path) as process:
        _, error = process.communicate(timeout=60)
    assert process.returncode == 3
    assert error == "testbed: this package has no documents in it; see them in a checkout: ./bootstrap docs\n"
