"""The way in: `bootstrap`, the handover to its Python, and the rule that a skip in CI is a failure."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import testbed.__main__ as entry

CHECKOUT = Path(entry.__file__).resolve().parent.parent
BOOTSTRAP = CHECKOUT / "bootstrap"


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run with this environment and no other, and no input."""
    return subprocess.run(
        list(map(str, command)), env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def shell(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in bash, with nothing but the plain tools on the path."""
    return run("/bin/bash", "-c", script, **{"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment})


# ---- bootstrap -------------------------------------------------------------------------------------------------------


def pretend(tmp_path: Path, *, uid: int) -> Path:
    """A copy of bootstrap in an otherwise empty checkout, which takes itself for user ``uid`` and installs nothing."""
    text = BOOTSTRAP.read_text()
    assert "is_root() { ((EUID == 0)); }" in text
    text = text.replace("is_root() { ((EUID == 0)); }", f"is_root() {{ (({uid} == 0)); }}")
    text = text.replace("\ninstall_all\n", "\necho would install >&2\n")
    copy = tmp_path / "bootstrap"
    copy.write_text(text)
    copy.chmod(0o755)
    return copy


def test_bash_can_parse_it_and_it_is_executable() -> None:
    assert os.access(BOOTSTRAP, os.X_OK)
    assert run("/bin/bash", "-n", BOOTSTRAP).returncode == 0


def test_alone_it_installs_and_says_what_comes_next(tmp_path: Path) -> None:
    done = shell(f"{pretend(tmp_path, uid=0)}")
    assert done.returncode == 0 and done.stderr.endswith(
        f"would install\nbootstrap: ready: {tmp_path}/bootstrap COMMAND\n"
    )


def test_a_line_break_in_its_path_is_refused_and_a_space_is_not(tmp_path: Path) -> None:
    for name, code in (("a b", 0), ("a\nb", 3)):
        (tmp_path / name).mkdir()
        done = run("/bin/bash", pretend(tmp_path / name, uid=0), "install", PATH="/usr/sbin:/usr/bin:/sbin:/bin")
        assert done.returncode == code and len(done.stderr.splitlines()) == (1 if code else 2)
        assert ("line break in the path" in done.stderr) is bool(code)


def test_it_is_found_through_a_link_and_whatever_the_shell_looks_for_folders_in(tmp_path: Path) -> None:
    place = tmp_path / "it's ü"
    place.mkdir()
    script = pretend(place, uid=0)
    (tmp_path / "link").symlink_to(script)
    for called in (tmp_path / "link", "it's ü/bootstrap"):
        done = shell(f"cd '{tmp_path}' && bash {shlex.quote(str(called))}", CDPATH=f".:{tmp_path}")
        assert (done.returncode, done.stdout) == (0, "")
        assert shlex.split(done.stderr.splitlines()[-1].partition("ready: ")[2]) == [str(script), "COMMAND"]


def packages_installed(tmp_path: Path, *names: str) -> str:
    """The path on which ``dpkg-query`` says that of all packages these are there."""
    tool = tmp_path / "tools" / "dpkg-query"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n" + "".join(f"echo installed {name}\n" for name in names))
    tool.chmod(0o755)
    return f"{tool.parent}:/usr/sbin:/usr/bin:/sbin:/bin"


HOSTS = ("mininet", "iproute2", "bridge-utils", "net-tools", "ethtool", "iputils-ping", "procps")


@pytest.mark.parametrize("command", ["run", "run opvizor --engine native", "shell", "bench"])
def test_without_root_hosts_need_packages_that_are_named(tmp_path: Path, command: str) -> None:
    path = packages_installed(tmp_path, *HOSTS[1:-1])
    refused = shell(f"{pretend(tmp_path, uid=1000)} {command}", PATH=path)
    assert refused.returncode == 3
    assert refused.stdout == ""
    first, last = refused.stderr.splitlines()
    assert "run and shell in namespaces of your own" in first
    assert "predict, run --engine simulated, report, compare" in first
    assert last.rstrip().endswith("sudo apt-get install mininet procps")


@pytest.mark.parametrize("command", ["run", "run opvizor --engine native", "shell", "bench", "clean", "test"])
def test_without_root_hosts_are_the_programs_own_affair(tmp_path: Path, command: str) -> None:
    path = packages_installed(tmp_path, *HOSTS)
    assert "would install" in shell(f"{pretend(tmp_path, uid=1000)} {command}", PATH=path).stderr


@pytest.mark.parametrize(
    "command",
    [
        "predict",
        "run hello --engine simulated",
        "run --engine=simulated",
        "report x",
        "compare x y",
        "machine arm64 true",
    ],
)
def test_what_works_without_root_goes_on(tmp_path: Path, command: str) -> None:
    assert "would install" in shell(f"{pretend(tmp_path, uid=1000)} {command}").stderr


def test_a_machine_without_apt_is_refused_in_one_line(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("bash", "dirname", "cat", "sha256sum", "readlink", "grep"):
        where = shutil.which(tool)
        assert where
        (tools / tool).symlink_to(where)
    text = BOOTSTRAP.read_text().replace("is_root() { ((EUID == 0)); }", "is_root() { true; }")
    (tmp_path / "bootstrap").write_text(text)
    (tmp_path / "requirements.txt").touch()
    refused = run("/bin/bash", tmp_path / "bootstrap", "list", PATH=str(tools))
    assert refused.returncode == 3
    assert len(refused.stderr.splitlines()) == 1
    assert "no apt-get" in refused.stderr
    assert "Vagrantfile" in refused.stderr


def test_a_folder_that_it_did_not_make_is_never_emptied(tmp_path: Path) -> None:
    precious = tmp_path / "venv" / "precious"
    precious.parent.mkdir()
    precious.touch()
    functions = BOOTSTRAP.read_text().split("# ---- Commands", maxsplit=1)[0]
    (tmp_path / "bootstrap").write_text(functions + "\nmake_venv\n")
    refused = shell(f"bash {tmp_path / 'bootstrap'}", TESTBED_VENV=str(precious.parent))
    assert refused.returncode == 3
    assert "did not make" in refused.stderr
    assert precious.exists()


@pytest.mark.parametrize("slash", ["", "/", "//"])
def test_a_folder_of_ones_own_is_emptied_whether_linked_or_named_with_a_slash(tmp_path: Path, slash: str) -> None:
    """And what says whose it is, or that somebody is at it, does not lie in it as something that is not ours."""
    old = tmp_path / "elsewhere" / "old"
    old.mkdir(parents=True)
    (old.parent / ".fast-motion").touch()
    (tmp_path / "venv").symlink_to(old.parent)
    functions = BOOTSTRAP.read_text().split("# ---- Commands", maxsplit=1)[0]
    then = "python=/bin/true\ninstall_python() { make_venv; }\nis_root() { false; }\ninstall_all"
    (tmp_path / "bootstrap").write_text(f"{functions}\n{then}\n")
    (tmp_path / "requirements.txt").touch()
    done = shell(f"bash {tmp_path / 'bootstrap'}", TESTBED_VENV=f"{tmp_path}/venv{slash}")
    assert done.returncode == 0, done.stderr
    assert [each.name for each in old.parent.iterdir()] == [".fast-motion"] and (tmp_path / "venv.lock").exists()


# ---- testbed -----------------------------------------------------------------------------------------------


class BecameAnother(Exception):
    """Stands for the process image that execv would have put in place of ours."""


@pytest.fixture
def handovers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """No dependency is here. Of two virtual environments one has a Python. Records which interpreter takes over."""
    became: list[str] = []

    def execv(python: str, _arguments: list[str]) -> None:
        became.append(python)
        raise BecameAnother

    for venv in ("named", "checkout/.venv"):
        (tmp_path / venv / "bin").mkdir(parents=True)
    (tmp_path / "checkout/.venv/bin/python").symlink_to(sys.executable)
    (tmp_path / "checkout/bootstrap").touch()
    monkeypatch.setattr(entry, "CHECKOUT", tmp_path / "checkout")
    monkeypatch.setattr(entry, "find_spec", lambda _name: None)
    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setenv("TESTBED_VENV", str(tmp_path / "named"))
    monkeypatch.delenv(entry.HANDED_OVER, raising=False)
    return became


def test_the_environment_that_bootstrap_made_takes_over(handovers: list[str], tmp_path: Path) -> None:
    with pytest.raises(BecameAnother):
        entry.main()
    assert handovers == [str(tmp_path / "checkout/.venv/bin/python")]


def test_broken_environments_end_in_one_line_and_not_in_a_loop(
    handovers: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for _attempt in range(3):
        try:
            code = entry.main()
            break
        except BecameAnother:
            continue
    assert code == 3
    assert len(handovers) == len(set(handovers))
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert f"sudo {tmp_path}/checkout/bootstrap install" in told.err


def test_without_a_checkout_no_bootstrap_is_named(
    handovers: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(entry, "CHECKOUT", tmp_path / "site-packages")
    monkeypatch.setattr(entry, "interpreters", list)
    assert entry.main() == 3
    told = capsys.readouterr().err
    assert "pip check" in told and "bootstrap" not in told and not handovers


def test_the_systems_python_will_do() -> None:
    listed = shell(f"cd {CHECKOUT} && /usr/bin/python3 -m testbed list policies", TESTBED_VENV=sys.prefix)
    assert listed.returncode == 0, listed.stderr
    assert "vmotion" in listed.stdout


# ---- Skips -----------------------------------------------------------------------------------------------------------

SKIPPING = """
import pytest

def test_skipped():
    pytest.skip("{reason}")
"""


def lay_conftest(folder: Path, was: str = "", now: str = "") -> None:
    """Ours, with what it imports of the tests, and with other words in a place."""
    (folder / "tests").mkdir(exist_ok=True)
    shutil.copy(CHECKOUT / "tests" / "kernel.py", folder / "tests")
    (folder / "conftest.py").write_text((CHECKOUT / "tests" / "conftest.py").read_text().replace(was, now))


def outcome_of_skip(tmp_path: Path, reason: str, **environment: str) -> str:
    lay_conftest(tmp_path)
    (tmp_path / "test_it.py").write_text(SKIPPING.format(reason=reason))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = netns: needs root\n")
    ran = run(
        sys.executable, "-m", "pytest", "-p", "no:cacheprovider", tmp_path, PATH=os.environ["PATH"], **environment
    )
    return ran.stdout.splitlines()[-1]


def test_a_skip_is_a_skip_at_home(tmp_path: Path) -> None:
    assert "1 skipped" in outcome_of_skip(tmp_path, "no mood")


@pytest.mark.parametrize("strict", [{"CI": "true"}, {"TESTBED_NO_SKIP": "1"}])
@pytest.mark.parametrize("reason", ["no mood", "kernel has no mood"])
def test_a_skip_is_a_failure_in_ci(tmp_path: Path, reason: str, strict: dict[str, str]) -> None:
    assert "1 failed" in outcome_of_skip(tmp_path, reason, **strict)
