"""Files of the other doors: what they name is there, and what stands in the documents is what is computed."""

import json
import platform
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from testbed.dirty import choice
from testbed.dirty.uffd_wp import UNKNOWN
from testbed.doctor import abilities, fitting
from testbed.fit.judging import NEAR_CORES, NEAR_MEMORY, SLOW_CORES, Abilities
from testbed.linux.processes.pace import SECONDS, THREADS
from tests.unit.documents import blocks

ROOT = Path(__file__).parents[2]
DOORS = (ROOT / "docs" / "doors.md").read_text(encoding="utf-8")


def test_the_dev_container_is_built_of_the_containers_file() -> None:
    folder = ROOT / ".devcontainer"
    read = json.loads((folder / "devcontainer.json").read_text(encoding="utf-8"))
    made = (folder / read["build"]["dockerfile"]).resolve()
    assert made == ROOT / "Containerfile" and (folder / read["build"]["context"]).resolve() == ROOT
    assert f"useradd --create-home --shell /bin/bash {read['remoteUser']}" in made.read_text(encoding="utf-8")
    assert f"COPY . {Path(read['containerEnv']['TESTBED_VENV']).parent}" in made.read_text(encoding="utf-8")


def test_the_container_is_made_by_our_own_script_and_takes_nothing_that_is_made() -> None:
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    assert "/opt/fast-motion/bootstrap install" in text and "USER student" in text
    left_out = (ROOT / ".containerignore").read_text(encoding="utf-8")
    assert left_out == (ROOT / ".dockerignore").read_text(encoding="utf-8")
    assert {".git", ".venv", "results", "docs/_build"} <= set(left_out.split())


def test_cloud_init_calls_the_script_of_all_machines() -> None:
    text = (ROOT / "machines" / "cloud-init.yaml").read_text(encoding="utf-8")
    assert text.startswith("#cloud-config\n")
    read = yaml.safe_load(text)
    (script,) = read["write_files"]
    assert "machines/provision" in script["content"] and read["runcmd"][0][0] == Path(script["path"]).name
    subprocess.run(["sh", "-n"], input=script["content"], text=True, check=True)


def test_every_machine_is_made_by_one_script() -> None:
    """By Vagrant, cloud-init and Lima, as the files and the document have it; and it is one that a shell reads."""
    script = "machines/provision"
    vagrant = (ROOT / "Vagrantfile").read_text(encoding="utf-8")
    cloud = yaml.safe_load((ROOT / "machines" / "cloud-init.yaml").read_text(encoding="utf-8"))
    (lima,) = (each.text for each in blocks() if each.document == "docs/doors.md" and "limactl" in each.text)
    copied = re.search(r"sudo cp -r \"\$PWD\" (\S+)\n", lima)
    assert copied and f"sudo bash {copied[1]}/{script} " in lima
    assert f"bash /vagrant/{script} " in vagrant
    assert f"exec bash /opt/fast-motion/checkout/{script} " in cloud["write_files"][0]["content"]
    subprocess.run(["bash", "-n", ROOT / script], check=True)


def test_what_cloud_init_is_told_is_of_the_kinds_that_its_schema_has() -> None:
    """As `cloud-init schema` says of the file; that needs a package, and was asked by hand."""
    read = yaml.safe_load((ROOT / "machines" / "cloud-init.yaml").read_text(encoding="utf-8"))
    assert read.keys() == {"package_update", "packages", "write_files", "runcmd"}
    (file,) = read["write_files"]
    assert file.keys() == {"path", "permissions", "content"} and file["permissions"] == "0755"
    assert all(isinstance(word, str) for command in read["runcmd"] for word in command)


def test_the_containers_file_has_these_steps_in_this_order() -> None:
    """What it copies it installs, as root, with lists of packages of that moment; it ends as who is no root."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    steps = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
    assert [word for word, _ in steps] == ["ARG", "FROM", "COPY", "RUN", "USER", "WORKDIR", "CMD"]
    told = dict(steps)
    commands = [each.split() for each in told["RUN"].split("&&")]
    assert [each[0] for each in commands] == ["chmod", "apt-get", "/opt/fast-motion/bootstrap", "rm", "useradd"]
    assert commands[-1][-1] == told["USER"] and told["WORKDIR"] == f"/home/{told['USER']}"
    assert json.loads(told["CMD"]) == ["bash"]


def test_whatever_the_umask_of_the_checkout_the_containers_user_may_read_it(tmp_path: Path) -> None:
    """COPY keeps modes, and what it copies is root's."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    copied = re.search(r"^COPY \. (\S+)$", text, re.MULTILINE)
    opened = re.search(r"^RUN (chmod .*?) \\$", text, re.MULTILINE)
    assert copied and opened
    folder = tmp_path / "testbed"
    folder.mkdir(mode=0o700)
    for name, mode in (("module.py", 0o600), ("bootstrap", 0o700)):
        (folder / name).touch(mode=mode)
    subprocess.run(["bash", "-c", opened[1].replace(copied[1], str(tmp_path))], check=True)
    assert [oct(each.stat().st_mode & 0o777) for each in (folder, folder / "module.py", folder / "bootstrap")] == [
        "0o755",
        "0o644",
        "0o755",
    ]


def test_the_document_says_what_is_computed() -> None:
    here = Abilities(memory=3_600_000_000, cores=1.71)
    rows = {row.scenario: row for row in fitting.rows(here)}
    for name in ("fast-motion", "hello", "opvizor"):
        row = rows[name]
        said = [row.scenario, *row.memory.split(), row.processors, *row.verdict.split(), *row.fits_with.split()]
        assert re.search(r"^" + r"\s+".join(map(re.escape, said)) + r"$", DOORS, re.MULTILINE), said
    assert fitting.told(here) in DOORS
    assert (NEAR_CORES, NEAR_MEMORY, SLOW_CORES, SECONDS, THREADS) == (0.5, 0.9, 1.4, 0.2, 4), "and in its words"


def test_under_windows_the_kernel_that_lacks_something_is_renewed_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    lacks = {"uffd-wp": (False, UNKNOWN), "checksum": (True, "")}
    monkeypatch.setattr(choice, "works_here", lambda: lacks)
    remedies = {}
    for release in ("6.6.87.2-microsoft-standard-WSL2", "6.1.0-37-amd64"):
        monkeypatch.setattr(platform, "release", lambda release=release: release)
        remedies[release[-4:]] = next(abilities.trackers()).remedy
    assert remedies["WSL2"].startswith("wsl --update") and "`wsl --update`" in DOORS
    assert remedies["md64"].startswith("another kernel")
