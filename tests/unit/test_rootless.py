"""Without root: what refuses namespaces is named with what mends it, and where the lock lies."""

import errno
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from testbed.experiment import rootless
from testbed.linux.namespaces.contained import OPTIONS
from testbed.linux.namespaces.entering import NotEntered
from testbed.linux.namespaces.knobs import KNOBS, mended, set_so
from testbed.sandbox import seccomp
from tests.unit.documents import ROOT
from tests.unit.entered import CAN, ENTERS, NOBODY_SPECIAL, python

pytestmark = pytest.mark.skipif(not CAN, reason="no user namespaces here: what is tried is what they refuse")

# ---- Refused, by real means ------------------------------------------------------------------------------------------


def test_a_machine_that_allows_no_namespaces() -> None:
    none = 'open("/proc/sys/user/max_user_namespaces", "w").write("0")\n'
    done = python(none + textwrap.dedent(ENTERS), "unshare", "--user", "--map-root-user", "--")
    assert done.stderr.split() == ["users", str(errno.ENOSPC)]


FILTERED = """
    import ctypes, sys, os
    libc, program = ctypes.CDLL(None, use_errno=True), bytes.fromhex(sys.argv[1])
    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.byref(Program(len(program) // 8, program)), 0, 0) == 0
    os.execv(sys.executable, [sys.executable, "-m", "testbed", "run", "hello"])
"""


@pytest.mark.skipif(not seccomp.program(), reason="no filter is known for this processor")
def test_a_filter_of_system_calls_as_a_container_has(tmp_path: Path) -> None:
    calls = {name: numbers for name, numbers in seccomp.CALLS.items() if name != "socket"}  # a container has a network
    command = [*NOBODY_SPECIAL, sys.executable, "-c", textwrap.dedent(FILTERED), seccomp.program(calls=calls).hex()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == 3
    assert "a filter of system calls refuses them, as a container's does" in done.stderr
    assert "--security-opt seccomp=unconfined" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_container_that_hides_parts_of_proc_and_doctor_says_so() -> None:
    hide = 'mount -t tmpfs none /proc/tty && exec "$@"'
    masked = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", hide]
    command = [*masked, "sh", *NOBODY_SPECIAL, sys.executable, "-m", "testbed", "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3, done
    assert {"container", "hides", "/proc,", "systempaths=unconfined", "/sys:/sys,"} <= set(done.stdout.split()), (
        done.stdout
    )
    assert "no run is possible without root" in done.stderr
    assert "tracker" in done.stdout, "it goes on to what else there is"


HIDDEN_SYS = "mount -t sysfs none /sys && mount -t tmpfs none /sys/kernel"
READ_ONLY_SYS = "mount -t sysfs none /sys && mount -o remount,bind,ro /sys"
GIVEN = "mount --rbind /sys /mnt"
"""As ``--volume /sys:/sys`` gives it: the machine's, as it is."""


@pytest.mark.parametrize("sys", [HIDDEN_SYS, READ_ONLY_SYS])
def test_a_container_that_hides_parts_of_sys_or_lets_only_read_it(sys: str) -> None:
    masked = ["unshare", "--user", "--map-root-user", "--mount", "--net", "sh", "-c", f'{sys} && exec "$@"', "sh"]
    assert python(ENTERS, *masked, *NOBODY_SPECIAL).stderr.split() == ["sys", str(errno.EPERM)]
    masked[-2] = f'{GIVEN} && {sys} && mount --rbind /mnt /sys && exec "$@"'
    given = python(ENTERS, *masked, *NOBODY_SPECIAL)
    assert given.returncode == 0, given.stderr


def test_whatever_of_it_a_container_refuses_all_options_are_named() -> None:
    """They are those of the dev container and of the documents, which were tried together."""
    dev = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert " ".join(dev["runArgs"]) == OPTIONS
    for name in ("doors.md", "without-root.md"):
        assert OPTIONS in (ROOT / "docs" / name).read_text(encoding="utf-8"), name
    for step in ("users", "proc", "sys"):
        assert OPTIONS in rootless.why_not(NotEntered(step, errno.EPERM), [], True, True).remedy


# ---- Refused, in words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("knob", KNOBS)
def test_a_knob_is_named_with_the_command_that_turns_it(tmp_path: Path, knob: str) -> None:
    refuses, allows = KNOBS[knob]
    file = tmp_path / knob
    file.parent.mkdir()
    file.write_text(f"{refuses}\n")
    said = rootless.why_not(NotEntered("maps", errno.EACCES), set_so(tmp_path), False, False)
    assert said.exit_code == 3
    assert f"{knob.replace('/', '.')} refuses them here" in said.what
    assert f"sudo sysctl -w {knob.replace('/', '.')}={allows}" in said.remedy and "sudo" in said.remedy
    file.write_text(f"{allows}\n")
    assert set_so(tmp_path) == []
    assert mended(knob).endswith(allows)


@pytest.mark.parametrize(
    ("step", "number", "filters", "masks", "words"),
    [
        ("users", errno.ENOSPC, False, False, "as many as the machine allows"),
        ("users", errno.EINVAL, False, False, "this kernel has none"),
        ("users", errno.EPERM, False, False, "as in a chroot"),
        ("users", errno.EPERM, True, True, "a filter of system calls"),
        ("proc", errno.EPERM, True, True, "hides parts of /proc"),
        ("sys", errno.EPERM, True, True, "no /sys can be mounted"),
        ("run", errno.EACCES, False, False, "they are refused here (Permission denied at the step 'run')"),
    ],
)
def test_what_else_refuses_them(step: str, number: int, filters: bool, masks: bool, words: str) -> None:
    said = rootless.why_not(NotEntered(step, number), [], filters, masks)
    assert words in said.what and said.remedy


def test_a_refusal_crosses_the_processes_as_it_was() -> None:
    refused = NotEntered(**json.loads(json.dumps({"step": "proc", "number": errno.EPERM})))
    assert (refused.step, refused.errno) == ("proc", errno.EPERM)


# ---- The lock --------------------------------------------------------------------------------------------------------


def lock_of(monkeypatch: pytest.MonkeyPatch, temporary: Path, session: Path | None) -> Path:
    uid = os.geteuid()
    monkeypatch.setattr(rootless, "_of_session", lambda _uid: Path("/run/user/none"))
    monkeypatch.setattr(os, "geteuid", lambda: uid or 12345)
    if session:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    else:
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return rootless.lock_folder(temporary)


def test_without_a_session_it_lies_in_a_folder_of_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = lock_of(monkeypatch, tmp_path, None)
    assert found.parent == tmp_path and found.name == f"fast-motion-{os.geteuid()}"


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o720])
def test_a_folder_that_others_may_write_to_is_not_the_sessions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    session = tmp_path / "session"
    session.mkdir()
    session.chmod(mode)
    assert lock_of(monkeypatch, tmp_path, session).parent == tmp_path
