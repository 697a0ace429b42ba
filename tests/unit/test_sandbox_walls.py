"""The walls of a sandbox: what code finds within and cannot do, and what is said where they cannot be put up."""

import os
import select
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from testbed import sandbox
from testbed.core.errors import PrerequisiteMissing
from testbed.linux.namespaces.contained import OPENED
from testbed.linux.namespaces.knobs import set_so
from testbed.sandbox import seccomp, walls
from tests.unit.sandboxes import HEAD, POLICY, asked, doing, needs_sandbox

ROOT = Path(__file__).parents[2]
HIDDEN = "a thing that nobody may see"


@pytest.fixture(autouse=True, scope="module")
def machine() -> None:
    needs_sandbox()


def test_files_and_the_checkout_are_not_there(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(HIDDEN)
    for path in ("/etc/shadow", str(secret), str(Path(__file__)), "/root"):
        assert "FileNotFoundError" in asked(doing(tmp_path, f"open({path!r}).read()")), path
    seen = asked(doing(tmp_path, "import os", "raise ValueError(' '.join(sorted(os.listdir('/'))))"))
    assert "ValueError: bin code dev lib lib64 policy.py proc tmp usr" in seen
    environment = asked(doing(tmp_path, "import os", "raise ValueError(' '.join(sorted(os.environ)))"))
    assert "ValueError: HOME LANG OPENBLAS_NUM_THREADS PATH" in environment


def test_it_is_nobody_and_alone(tmp_path: Path) -> None:
    who = "f'{os.getuid()} {os.getgid()} {os.getgroups()}'"
    assert "ValueError: 65534 65534 [" in asked(doing(tmp_path, "import os", f"raise ValueError({who})"))
    seen = asked(doing(tmp_path, "import os", "raise ValueError([n for n in os.listdir('/proc') if n.isdigit()])"))
    assert seen.count("'") <= 6 and str(os.getpid()) not in seen.split("ValueError")[1]
    held = "[line for line in open('/proc/self/status') if line[:6] in ('CapEff', 'CapPrm', 'CapInh', 'CapBnd')]"
    told = asked(doing(tmp_path, f"raise ValueError(''.join({held}))"))
    assert "lost" in told
    assert (
        "1" not in asked(doing(tmp_path, f"raise ValueError(''.join({held})[:18].split()[1])")).split("ValueError")[1]
    )


def test_there_is_no_network(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        connect = f"socket.create_connection(('127.0.0.1', {port}), 1)"
        assert "PermissionError" in asked(doing(tmp_path, "import socket", connect))
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


def test_nor_any_other_way_out_by_a_socket(tmp_path: Path) -> None:
    """In a virtual machine AF_VSOCK leads to its host from whatever network namespace."""
    for family in ("AF_VSOCK", "AF_UNIX", "AF_NETLINK"):
        made = f"socket.socket(socket.{family}, socket.SOCK_RAW if 'NET' in '{family}' else socket.SOCK_STREAM)"
        assert "PermissionError" in asked(doing(tmp_path, "import socket", made)), family


@pytest.mark.parametrize("folder", ["/tmp", "/", "/dev/shm", "/code", "/venv", "/usr"])
def test_nothing_can_be_written(tmp_path: Path, folder: str) -> None:
    path = Path(folder, f"written-by-{tmp_path.name}-{os.getpid()}")  # nobody's yet, whatever else lies on this machine
    assert "lost" in asked(doing(tmp_path, f"open({str(path)!r}, 'w').write('x')"))
    assert not path.exists()


def test_nor_can_the_policy_itself(tmp_path: Path) -> None:
    assert "lost" in asked(doing(tmp_path, "open('/policy.py', 'w').write('x')"))


def test_it_starts_nothing(tmp_path: Path) -> None:
    assert "BlockingIOError" in asked(doing(tmp_path, "import os", "for _ in range(200): os.fork()"))
    assert "can't start new thread" in asked(
        doing(tmp_path, "import threading", "threading.Thread(target=print).start()")
    )
    assert "lost" in asked(doing(tmp_path, "import subprocess", "subprocess.run(['/usr/bin/id'])"))


def test_memory_has_an_end(tmp_path: Path) -> None:
    assert "MemoryError" in asked(doing(tmp_path, "bytearray(3_000_000_000)"))
    shared = ("import ctypes", "libc = ctypes.CDLL(None, use_errno=True)", "id = libc.shmget(0, 1 << 30, 0o1600)")
    assert "ValueError: -1 1" in asked(doing(tmp_path, *shared, "raise ValueError(f'{id} {ctypes.get_errno()}')"))


@pytest.mark.needs_root("all others are such tests where nobody is root")
def test_anybody_can_have_one_not_root_alone(tmp_path: Path) -> None:
    code = HEAD + POLICY.format(doing="import os; os.fork()")
    script = f"""
from testbed.core.rounds import Round, RoundKind
from testbed.sandbox import Sandbox
from tests.unit.sandboxes import round
with Sandbox({code.encode()!r}) as box:
    box.ask("make", {{"offered": {{}}}})
    box.ask("decide", {{"known": 0, "rounds": [round(1)]}})
"""
    user = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--"]
    for needed in (ROOT / "testbed", Path(sys.prefix)):
        if subprocess.run([*user, "test", "-x", needed], check=False).returncode:
            pytest.skip(f"only root may read {needed}")
    command = [*user, sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)
    if "cannot be put up" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    assert "BlockingIOError" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("root", "refusing", "words"),
    [
        (True, [], "root may make no namespaces here"),
        (False, [], "run it with sudo, which needs"),
        (False, ["kernel/apparmor_restrict_unprivileged_userns"], "restrict_unprivileged_userns=0"),
        (False, ["user/max_user_namespaces"], "sudo sysctl -w user.max_user_namespaces=10000"),
    ],
)
def test_where_there_can_be_none_what_refuses_it_is_named(
    root: bool, refusing: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walls, "filtered", lambda: False)
    monkeypatch.setattr(walls, "masked", lambda: False)
    assert words in walls.remedy(root, refusing)
    said = walls.remedy_without_root(refusing)
    assert "run it with sudo" not in said and (words in said or not refusing)


@pytest.mark.parametrize("how", ["filtered", "masked"])
def test_in_a_container_it_is_mended_by_how_that_is_started(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walls, how, lambda: True)
    assert walls.remedy(False, []) == OPENED


def test_what_refuses_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel/apparmor_restrict_unprivileged_userns").write_text("1\n")
    (tmp_path / "kernel/unprivileged_userns_clone").write_text("1\n")
    assert set_so(tmp_path) == ["kernel/apparmor_restrict_unprivileged_userns"]


def test_without_bubblewrap_no_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = tmp_path / "canary"
    file = doing(tmp_path, "pass", before=f"open({str(canary)!r}, 'w')\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PrerequisiteMissing, match="there is no bwrap, and code"), sandbox.policy(file):
        pass
    refuses = tmp_path / "bwrap"
    refuses.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n")
    refuses.chmod(0o755)
    with pytest.raises(PrerequisiteMissing, match="uid map: Permission denied"), sandbox.policy(file):
        pass
    assert not canary.exists()


def test_a_filter_refuses_and_permits() -> None:
    steps = [struct.unpack("HBBI", part) for part in batched(seccomp.program("x86_64"), 8)]
    assert verdict(steps, 0xC000003E, 0) == verdict(steps, 0xC000003E, 257) == 0x7FFF0000
    for arch, number in ((0xC000003E, 29), (0xC000003E, 303), (0xC000003E, 0x40000000), (0x40000003, 0)):
        assert verdict(steps, arch, number) == 0x00050001
    assert seccomp.program("riscv64") == b""


def batched(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def verdict(steps: list[tuple[int, ...]], arch: int, number: int) -> int:
    """What the kernel would do."""
    at = held = 0
    while True:
        code, if_so, if_not, value = steps[at]
        at += 1
        match code:
            case 0x20:
                held = {0: number, 4: arch}[value]
            case 0x15 | 0x35:
                at += if_so if (held == value if code == 0x15 else held >= value) else if_not
            case 0x06:
                return value


def test_nothing_is_left_of_one_whose_owner_was_killed(tmp_path: Path) -> None:
    """Not even of one that never ends."""
    file = doing(tmp_path, "while True: pass")
    script = f"""
from pathlib import Path
from testbed import sandbox
from testbed.sandbox.messages import Limits
from tests.unit.sandboxes import round
with sandbox.policy(Path({str(file)!r}), limits=Limits(question_s=19.5, silent_s=61.25)) as policy:
    print("ready", flush=True)
    policy.decide([round(1)])
"""
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT)
    assert owner.stdout is not None
    with owner.stdout:
        assert owner.stdout.readline() == b"ready\n"
        mine = [each.pid for each in psutil.Process(owner.pid).children(recursive=True)]
        assert mine
        owner.kill()
        owner.wait()
        assert owner.stdout.read() == b""
    for pid in mine:
        gone = select.poll()
        with suppress(ProcessLookupError):
            fd = os.pidfd_open(pid)
            gone.register(fd, select.POLLIN)
            assert gone.poll(10_000), "it has ended"
            os.close(fd)


def test_what_it_loads_of_us_was_compiled_before() -> None:
    code = b"""
def loaded():
    import sys
    ours = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "testbed"}
    return [name for name, module in ours.items() if type(module.__loader__).__name__ != "Packed"]
def found():
    import sys, testbed.policies.plain, testbed.dirty.interleavings
    exit, quit
    return [testbed.policies.plain.__file__, "site-packages" in sys.path[-1] or "dist-packages" in sys.path[-1]]
"""
    with sandbox.Sandbox(code, serves="functions") as box:
        assert box.ask("loaded", []) == []
        assert box.ask("found", []) == ["/code/testbed/policies/plain.py", True]


def test_a_checkout_that_only_root_may_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    access, shut = os.access, f"{ROOT}/testbed"
    monkeypatch.setattr("os.access", lambda path, mode, **more: path != shut and access(path, mode, **more))
    lack = walls.missing("why")
    assert f"cannot read {ROOT}/testbed; move it where everybody may read it" in str(lack)
    assert "such as /opt" in walls.remedy_without_root([])
