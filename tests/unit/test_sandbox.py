"""Code in a sandbox: an honest policy decides as anywhere, and one that breaks, hangs or forges loses, in words."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from testbed import policies, sandbox
from testbed.core.rounds import Action, EarlyLook
from testbed.engines import simulated
from testbed.policies.plain import PlainPolicy
from testbed.sandbox.messages import Limits
from tests.unit.plans import IDLE, plan
from tests.unit.sandboxes import HEAD, asked, doing, needs_sandbox, round


@pytest.fixture(autouse=True, scope="module")
def machine() -> None:
    needs_sandbox()


def test_one_decides_as_it_does_elsewhere() -> None:
    file = Path(sys.modules[PlainPolicy.__module__].__file__ or "")
    copied = file.read_text().replace('@register("plain")', "")
    path = file.with_name("none.py")
    with sandbox.Sandbox(copied.encode(), name=str(path)) as process:
        process.ask("make", {"offered": {"downtime_goal": 0.05, "no_such": 1}})
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


def test_a_spec_of_ours_is_built_here_and_whoever_knows_no_sandbox_runs_nothing(tmp_path: Path) -> None:
    with sandbox.built({"name": "plain"}) as policy:
        assert policy == PlainPolicy()
    with pytest.raises(Exception, match="no policy is called 'sandboxed'"):
        policies.build({"name": "sandboxed", "file": str(doing(tmp_path, "1 / 0"))})


def test_what_goes_wrong_beside_a_policy_is_no_fault_of_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it is ours"), sandbox.policy(doing(tmp_path, "pass")):
        raise ValueError("it is ours")


def test_one_that_never_ends_is_ended(tmp_path: Path) -> None:
    said = asked(doing(tmp_path, "while True: pass"))
    assert said == f"lost: {tmp_path}/theirs.py:8: the policy took more than 0.3 s after round 1"
    stubborn = doing(tmp_path, "while True:", "    try:", "        while True: pass", "    except BaseException: pass")
    assert "more than 0.3 s" in asked(stubborn)
    assert "its process was ended: more than 0.3 s" in asked(doing(tmp_path, "sum(range(10 ** 13))"))
    assert "no answer to 'decide' within 1 s" in asked(
        doing(tmp_path, "import time", "time.sleep(60)"), Limits(silent_s=1.0)
    )
    loading = asked(doing(tmp_path, "pass", before="while True: pass\n"))
    assert loading == f"lost: {tmp_path}/theirs.py:4: it took more than 0.3 s of processor time"


def test_one_that_lets_us_wait_a_little_each_time_is_ended_too(tmp_path: Path) -> None:
    file = doing(tmp_path, "import time", "time.sleep(0.2)")
    said = asked(file, Limits(waiting_s=0.3), times=9)
    assert said.endswith("theirs.py: it let us wait for more than 0.3 s, all answers together")


def test_one_that_says_a_little_now_and_then_and_never_all_is_ended_too(tmp_path: Path) -> None:
    bit_by_bit = (
        f"{PIPES}import time",
        "while True:",
        "    for fd in pipes:",
        "        try: os.write(fd, b' ')",
        "        except OSError: pass",
        "    time.sleep(0.1)",
    )
    assert "no answer to 'decide' within 1 s" in asked(doing(tmp_path, *bit_by_bit), Limits(silent_s=1.0))


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
        ("raise type('Own', (ValueError,), {'__str__': lambda own: 5})", "the policy failed after round 1: Own"),
    ],
)
def test_one_that_breaks_loses_in_words(tmp_path: Path, line: str, words: str) -> None:
    said = asked(doing(tmp_path, line))
    assert said.startswith("lost: ") and words in said and "\n" not in said


def test_one_that_cannot_be_made_is_called_as_it_is_outside(tmp_path: Path) -> None:
    file = doing(tmp_path, "pass")
    file.write_text(f"{file.read_text()}\n    def __post_init__(self):\n        raise ValueError('not so')\n")
    assert asked(file) == f"lost: policy '{file}': not so"


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


def test_the_simulated_engine_takes_one(tmp_path: Path) -> None:
    asked = plan(1, IDLE)
    spec = {"name": "sandboxed", "file": str(doing(tmp_path, "pass"))}
    record = simulated.run(replace(asked, migration=replace(asked.migration, policy=spec)))
    assert record.outcome == "completed" and len(record.rounds) == 2
    assert record.rounds[0].decision == "it was decided"
