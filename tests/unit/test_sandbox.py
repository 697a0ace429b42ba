"""Code in a sandbox: an honest policy decides as anywhere, and one that attacks loses, in words, and leaves nothing."""

import os
import select
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from testbed import policies, sandbox
from testbed.core.errors import PolicyFault, PrerequisiteMissing
from testbed.core.rounds import Action, EarlyLook
from testbed.engines import simulated
from testbed.policies.plain import PlainPolicy
from testbed.sandbox import seccomp, walls
from testbed.sandbox.messages import Limits
from tests.unit.plans import IDLE, plan
from tests.unit.sandboxes import HEAD, POLICY, doing, needs_sandbox, round

QUICK = Limits(question_s=0.3, silent_s=2.0)
ROOT = Path(__file__).parents[2]
HIDDEN = "a thing that nobody may see"


@pytest.fixture(autouse=True, scope="module")
def machine() -> None:
    needs_sandbox()


def asked(file: Path, limits: Limits = QUICK, times: int = 1) -> str:
    """What came of it in words: the last decision's reason, or the fault. Nothing of the process is left."""
    before = descriptors()
    try:
        with sandbox.policy(file, limits=limits) as policy:
            said = [policy.decide([round(1)]).reason for _ in range(times)][-1]
    except PolicyFault as fault:
        said = f"lost: {fault}"
    assert descriptors() == before and not children()
    return said


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def children() -> list[str]:
    """Commands of sandboxes that still run, of this process's."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes().split(b"\0")
            parent = each.with_name("stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if b"testbed.sandbox.served_process" in words and int(parent) == os.getpid():
            found.append(str(words))
    return found


def test_one_decides_as_it_does_elsewhere() -> None:
    file = Path(sys.modules[PlainPolicy.__module__].__file__ or "")
    copied = file.read_text().replace('@register("plain")', "")
    path = file.with_name("none.py")
    with sandbox.Sandbox(copied.encode(), name=str(path)) as process:
        process.ask("make", {"given": {"downtime_goal": 0.05}, "offered": {"no_such": 1}})
        rounds = [round(index, 900_000_000 // index**3) for index in range(1, 8)]
        here = policies.build({"name": "plain", "downtime_goal": 0.05})
        there = sandbox.sandboxed_policy.SandboxedPolicy(process, None)
        for count in (1, 2, 5, 7, 3):  # also a history that is shorter, or another
            assert there.decide(rounds[:count]) == here.decide(rounds[:count])
        other = [round(1, 7_000_000)]
        assert there.decide(other) == here.decide(other)


def test_its_early_look_and_its_parameters_are_its_own(tmp_path: Path) -> None:
    file = tmp_path / "look.py"
    file.write_text(f"""{HEAD}
from testbed.core.rounds import EarlyLook
@dataclass(frozen=True, kw_only=True)
class Looks:
    goal: float = 0.5
    early_look = EarlyLook(within=0.3, every=0.05)
    def decide(self, history):
        return Decision(action=Action.GIVE_UP, reason=f"the goal is {{self.goal}}")
""")
    with sandbox.built({"name": "sandboxed", "file": str(file), "goal": 0.25, "downtime_goal": 1.0}) as policy:
        assert getattr(policy, "early_look", None) == EarlyLook(within=0.3, every=0.05)
        decision = policy.decide([round(1)])
    assert (decision.action, decision.reason) == (Action.GIVE_UP, "the goal is 0.25")
    with pytest.raises(PolicyFault, match="no parameter 'gaol'"), sandbox.policy(file, given={"gaol": 1}):
        pass


def test_a_spec_of_ours_is_built_here_and_whoever_knows_no_sandbox_runs_nothing(tmp_path: Path) -> None:
    with sandbox.built({"name": "plain"}) as policy:
        assert policy == PlainPolicy()
    with pytest.raises(Exception, match="no policy is called 'sandboxed'"):
        policies.build({"name": "sandboxed", "file": str(doing(tmp_path, "1 / 0"))})


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
        assert "ConnectionRefusedError" in asked(doing(tmp_path, "import socket", connect))
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("path", ["/tmp/x", "/x", "/dev/shm/x", "/policy.py", "/code/x", "/venv/x", "/usr/x"])
def test_nothing_can_be_written(tmp_path: Path, path: str) -> None:
    assert "lost" in asked(doing(tmp_path, f"open({path!r}, 'w').write('x')"))
    assert not Path("/tmp/x").exists() and not Path("/dev/shm/x").exists()


def test_one_that_never_ends_is_ended(tmp_path: Path) -> None:
    said = asked(doing(tmp_path, "while True: pass"))
    assert said == f"lost: {tmp_path}/theirs.py:8: the policy took more than 0.3 s after round 1"
    stubborn = doing(tmp_path, "while True:", "    try:", "        while True: pass", "    except BaseException: pass")
    assert "more than 0.3 s" in asked(stubborn)
    assert "its process was ended: more than 0.3 s" in asked(
        doing(tmp_path, "sum(range(10 ** 13))"), Limits(question_s=0.3)
    )
    assert "no answer to 'decide' within 1 s" in asked(
        doing(tmp_path, "import time", "time.sleep(60)"), Limits(silent_s=1.0)
    )
    loading = asked(doing(tmp_path, "pass", before="while True: pass\n"))
    assert loading == f"lost: {tmp_path}/theirs.py:4: it took more than 0.3 s of processor time"


def test_one_that_lets_us_wait_a_little_each_time_is_ended_too(tmp_path: Path) -> None:
    file = doing(tmp_path, "import time", "time.sleep(0.2)")
    said = asked(file, Limits(waiting_s=0.3), times=9)
    assert said.endswith("theirs.py: it let us wait for more than 0.3 s, all answers together")


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


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import os; os._exit(7)", "its process ended (exit code 7)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "its process ended"),
        ("raise RuntimeError('as I like')", "theirs.py:8: the policy failed after round 1: RuntimeError: as I like"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("return float('nan')", "is to return a Decision"),
        ("return Decision(action='switch over', reason='x')", "whose action is to be"),
        ("return Decision(action=Action.GO_ON, reason='')", "a sentence"),
    ],
)
def test_one_that_breaks_loses_in_words(tmp_path: Path, line: str, words: str) -> None:
    said = asked(doing(tmp_path, line))
    assert said.startswith("lost: ") and words in said and "\n" not in said


def test_what_it_prints_goes_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    forged = '{"say": "answer", "number": 2, "value": {"action": "give up", "reason": "mine"}}'
    assert asked(doing(tmp_path, f"print({forged!r}, flush=True)"), times=3) == "it was decided"
    assert capfd.readouterr() == ("", "")


PIPES = "import os; pipes = sorted(int(n) for n in os.listdir('/proc/self/fd') if int(n) > 2); "


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('b\'{"say": "answer", "number": 9, "value": 1}\\n\'', "it answered out of turn"),
        ('b\'{"say": "answer", "number": 2, "value": NaN}\\n\'', "is no answer"),
        ('b\'{"say": "answer", "number": 2, "value": \' + b\'[\' * 90000 + b\'\\n\'', "is no answer"),
        ("b'x' * 3000000", "is no answer"),
        ("b'x\\n'", "is no answer"),
        (
            'b\'{"say": "answer", "number": 2, "value": {"action": "go on", "reason": 5}}\\n\'',
            "reason: expected a text",
        ),
    ],
)
def test_who_writes_to_the_private_pipe_loses(tmp_path: Path, line: str, words: str) -> None:
    said = asked(
        doing(
            tmp_path,
            f"{PIPES}data = {line}",
            "for fd in pipes:",
            "    try: os.write(fd, data)",
            "    except OSError: pass",
        ),
        times=2,
    )
    assert said.startswith("lost: ") and words in said and len(said) < 800


def test_who_answers_twice_is_out_of_turn_at_the_next_question(tmp_path: Path) -> None:
    forged = 'b\'{"say": "answer", "number": 2, "value": {"action": "go on", "reason": "mine"}}\\n\''
    write = (f"{PIPES}data = {forged}", "for fd in pipes:", "    try: os.write(fd, data)", "    except OSError: pass")
    assert "out of turn" in asked(doing(tmp_path, *write), times=2)


def test_who_reads_the_private_pipe_gets_no_more_questions(tmp_path: Path) -> None:
    assert "lost" in asked(
        doing(tmp_path, f"{PIPES}os.set_blocking(pipes[0], True); os.read(pipes[0], 99)"), Limits(silent_s=1.0)
    )


def test_what_is_no_file_of_code_is_said(tmp_path: Path) -> None:
    (tmp_path / "link.py").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "large.py").write_bytes(b"#" * (2 << 20))
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "wrong.py").write_text("def (")
    words = {"link": "is a link", "pipe": "no ordinary file", "large": "are no file of code", "none": "cannot be read"}
    words |= {"empty": "expected one policy in it", "wrong": f"{tmp_path}/wrong.py:1: the policy in it does not run"}
    for name, said in words.items():
        assert said in asked(tmp_path / f"{name}.py"), name


def test_functions_of_a_file_are_asked_by_name() -> None:
    code = b"""
def waves(fleet, k=1):
    return {'waves': [fleet] * k}
def deep():
    x = []
    for _ in range(99999): x = [x]
    return x
def strange():
    return {1: object()}
number = 3
"""
    with sandbox.Sandbox(code, serves="functions", name="plan.py") as plan:
        assert plan.ask("waves", [[1, 2]]) == {"waves": [[1, 2]]}
        assert plan.ask("waves", {"fleet": "a", "k": 2}) == {"waves": ["a", "a"]}
    for name, words in {
        "none": "plan.py: there is no function 'none'",
        "number": "no function 'number'",
        "__import__": "no function",
        "deep": "cannot be said in JSON",
        "strange": "cannot be said in JSON",
        "waves": "TypeError",
    }.items():
        with sandbox.Sandbox(code, serves="functions", name="plan.py") as plan:
            with pytest.raises(sandbox.CodeFault, match=words):
                plan.ask(name, [])
            with pytest.raises(sandbox.CodeFault, match=words):
                plan.ask("waves", [1])


def test_anybody_can_have_one_not_root_alone(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("all the others were such tests")
    code = HEAD + POLICY.format(doing="import os; os.fork()")
    script = f"""
from testbed.core.rounds import Round, RoundKind
from testbed.sandbox import Sandbox
from tests.unit.sandboxes import round
with Sandbox({code.encode()!r}) as box:
    box.ask("make", {{"given": {{}}, "offered": {{}}}})
    box.ask("decide", {{"known": 0, "rounds": [round(1)]}})
"""
    user = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--", sys.executable, "-c", script]
    done = subprocess.run(user, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)
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
def test_where_there_can_be_none_what_refuses_it_is_named(root: bool, refusing: list[str], words: str) -> None:
    assert words in walls.remedy(root, refusing)


def test_what_refuses_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel/apparmor_restrict_unprivileged_userns").write_text("1\n")
    (tmp_path / "kernel/unprivileged_userns_clone").write_text("1\n")
    assert walls.set_so(tmp_path) == ["kernel/apparmor_restrict_unprivileged_userns"]


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
    """Not even of one that never ends: it is known by a word that only its command has."""
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
        mine = walled_of(owner.pid)
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


def walled_of(owner: int) -> list[int]:
    """All processes below that one."""
    parents: dict[int, int] = {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(each.parent.name)] = int(each.read_text().rpartition(")")[2].split()[1])
    below = {owner}
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    return sorted(below - {owner})


def test_the_simulated_engine_takes_one(tmp_path: Path) -> None:
    asked = plan(1, IDLE)
    spec = {"name": "sandboxed", "file": str(doing(tmp_path, "pass"))}
    record = simulated.run(replace(asked, migration=replace(asked.migration, policy=spec)))
    assert record.outcome == "completed" and len(record.rounds) == 2
    assert record.rounds[0].decision == "it was decided"
