"""Without root: what refuses namespaces is named with what mends it, and where the lock lies."""

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from testbed.experiment import rootless
from testbed.linux.namespaces.contained import OPTIONS
from testbed.linux.namespaces.entering import NotEntered
from testbed.linux.namespaces.knobs import KNOBS, mended, set_so
from testbed.sandbox import seccomp
from tests.unit.documents import ROOT

NOBODY_SPECIAL = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
"""What starts a command as an ordinary user, whoever tests."""
CAN = subprocess.run(["unshare", "-Ur", "true"], capture_output=True, check=False).returncode == 0
pytestmark = pytest.mark.skipif(not CAN, reason="no user namespaces here: what is tried is what they refuse")


def python(code: str, *before: str, **more: str) -> "subprocess.CompletedProcess[str]":
    command = [*before, sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=os.environ | more)


ENTERS = """
    import os, sys
    from testbed.linux.namespaces.entering import NotEntered, enter
    try:
        enter()
    except NotEntered as refused:
        sys.exit(f"{refused.step} {refused.errno}")
"""

# ---- In, and out again -----------------------------------------------------------------------------------------------


def test_inside_one_is_root_of_processes_mounts_and_a_network_of_ones_own() -> None:
    code = ENTERS + textwrap.indent(
        'print(os.geteuid(), os.getpid(), sorted(os.listdir("/sys/class/net") and os.listdir("/run")))\n', "    "
    )
    done = python(code, *NOBODY_SPECIAL)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 2 []\n", "")


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ("pass", 0),
        ("sys.exit(4)", 4),
        ("os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import signal; signal.signal(15, signal.SIG_DFL); os.kill(os.getpid(), 15)", -signal.SIGTERM),
    ],
)
def test_who_stays_outside_ends_as_the_command_does(ends: str, code: int) -> None:
    assert python(ENTERS + f"    {ends}\n", *NOBODY_SPECIAL).returncode == code


def test_an_orphan_is_nobodys_burden_and_ends_with_the_command() -> None:
    orphan = """
    import subprocess
    held = subprocess.Popen(["sh", "-c", "sleep 1000 & echo $!"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    sleeping = held.stdout.readline().strip().decode()
    held.wait()
    print(open(f"/proc/{sleeping}/stat").read().split()[3])
    os.kill(int(sleeping), 9)
    while os.path.exists(f"/proc/{sleeping}"):
        pass  # until process 1 has collected it
    """
    done = python(ENTERS + orphan, *NOBODY_SPECIAL)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


STAYS = """
    import signal, time
    heard = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, lambda number, _frame: heard.append(number))
    print("in", flush=True)
    while len(heard) < 1:
        time.sleep(0.01)
    print(*heard, flush=True)
    sys.exit(3)
"""


@contextmanager
def staying() -> Iterator[tuple["subprocess.Popen[str]", list[psutil.Process]]]:
    """A command that has gone in and waits for a signal, and all its processes from the outermost on."""
    command = [*NOBODY_SPECIAL, sys.executable, "-c", textwrap.dedent(ENTERS + STAYS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as started:
        try:
            assert started.stdout is not None and started.stdout.readline() == "in\n"
            outermost = psutil.Process(started.pid)
            yield started, [outermost, *outermost.children(recursive=True)]
        finally:
            started.kill()


@pytest.mark.parametrize("whom", [0, 1, 2, 3])
def test_whichever_process_of_the_chain_is_killed_all_of_it_goes(whom: int) -> None:
    with staying() as (started, chain):
        assert len(chain) == 4
        chain[whom].kill()
        assert started.wait(20) == -signal.SIGKILL
        _gone, alive = psutil.wait_procs(chain, timeout=20)
        assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_to_the_outermost_is_heard_by_the_command_once(number: signal.Signals) -> None:
    with staying() as (started, _chain):
        started.send_signal(number)
        out, _ = started.communicate(timeout=20)
        assert (started.returncode, out) == (3, f"{number}\n")


def test_the_keyboard_is_heard_once_and_not_by_way_of_the_outermost_too() -> None:
    """On a terminal of its own, whose Ctrl-C goes to all processes at once."""
    script = textwrap.dedent(ENTERS + STAYS).replace("print(*heard", "time.sleep(0.3); print(*heard")
    command = [*NOBODY_SPECIAL, sys.executable, "-c", script]
    terminal, end = os.openpty()
    started = subprocess.Popen(
        [sys.executable, "-c", TAKES_TERMINAL, *command], stdin=end, stdout=subprocess.PIPE, text=True
    )
    os.close(end)
    try:
        assert started.stdout is not None and started.stdout.readline() == "in\n"
        os.write(terminal, b"\x03")
        out, _ = started.communicate(timeout=20)
        assert (started.returncode, out) == (3, f"{int(signal.SIGINT)}\n")
    finally:
        started.kill()
        os.close(terminal)


TAKES_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""

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
    command = [*NOBODY_SPECIAL, sys.executable, "-c", textwrap.dedent(FILTERED), seccomp.program().hex()]
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
