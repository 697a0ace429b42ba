"""A user's own policy that breaks, in whatever way: one line, with file and line of the user's own code."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.cli import main
from testbed.core.errors import MigrationAborted, PolicyFault, ScenarioError
from testbed.core.plan import Plan
from testbed.core.rounds import Action, Decision, EarlyLook, Round, RoundKind, Throttle
from testbed.engines.simulated import SimulatedEngine
from testbed.migration.precopy import MOST_ROUNDS, NeverConverges, migrate
from testbed.policies import build
from testbed.policies.decisions import ask, early_look
from tests.unit.plans import IDLE, plan
from tests.unit.test_migration_precopy import Diary

HEAD = """from dataclasses import dataclass
from testbed.core.rounds import Action, Decision, EarlyLook, Throttle

@dataclass(frozen=True, kw_only=True)
class Mine:
    goal: float = 1.0
"""
OTHER = HEAD.replace("Mine", "Other")
DECIDES = "    def decide(self, history): ...\n"
FIRST = 7
"""The line after that."""
ROUND = Round(index=1, kind=RoundKind.PRECOPY, started_s=0, duration_s=1, sent_bytes=4096, dirtied_bytes=4096)
GO_ON = "return Decision(action=Action.GO_ON, reason='on', throttle={})"


def written(folder: Path, body: str, *, name: str = "mine.py") -> str:
    file = folder / name
    file.write_text(HEAD + "".join(f"    {line}\n" for line in body.split("\n")))
    return str(file)


def deciding(folder: Path, *lines: str) -> str:
    return written(folder, "\n".join(["def decide(self, history):", *(f"    {line}" for line in lines)]))


WRONG = [
    ("pass", 0, "'decide' is to return a Decision (action, reason, throttle), not None (NoneType)"),
    ("return 'stop'", 0, "not 'stop' (str)"),
    ("return Action.GO_ON, 'on'", 0, "(tuple)"),
    ("return Action.SWITCH_OVER", 0, "(Action)"),
    (
        "return Decision(action='stop', reason='x')",
        0,
        "action is to be Action.GO_ON, SWITCH_OVER or GIVE_UP, not 'stop'",
    ),
    ("return Decision(action=Action.GO_ON, reason=None)", 0, "reason is to be a sentence, not None"),
    ("return Decision(action=Action.GO_ON, reason='  ')", 0, "reason is to be a sentence"),
    (GO_ON.format("0.5"), 0, "throttle is to be a Throttle or None, not 0.5 (float)"),
    (GO_ON.format("Throttle(kind='brake')"), 0, "there are: sdps, dirty_limit, auto_converge"),
    (GO_ON.format("Throttle(kind=['sdps'])"), 0, "a kind that is none"),
    (GO_ON.format("Throttle(kind='sdps', level=float('nan'))"), 0, "level is to be 0 to below 1, not nan"),
    (GO_ON.format("Throttle(kind='auto_converge', level=1)"), 0, "level is to be 0 to below 1, not 1"),
    (GO_ON.format("Throttle(kind='auto_converge', level='half')"), 0, "not 'half' (str)"),
    (GO_ON.format("Throttle(kind='sdps', dirty_rate=-1)"), 0, "dirty_rate is to be above 0 or None"),
    (GO_ON.format("Throttle(kind='sdps', dirty_rate=10**400)"), 0, "above 0 or None, and finite, not 1000"),
    ("return history[5]", 1, "the policy failed after round 1: IndexError: tuple index out of range"),
    (r"raise ValueError('two\nlines \033[0m')", 1, "the policy failed after round 1: ValueError: two"),
    ("raise SystemExit(3)", 1, "the policy failed after round 1: SystemExit: 3"),
    ("return sorted(history, key=lambda each: each.nothing)", 1, "AttributeError"),
    ("return self.decide(history)", 1, "RecursionError"),
    ("raise type('Own', (ValueError,), {'__str__': lambda own: own.none})", 1, "the policy failed after round 1: Own"),
]


@pytest.mark.parametrize(("line", "at", "said"), WRONG, ids=[line for line, _, _ in WRONG])
def test_what_is_no_decision_is_one_line_with_its_place(tmp_path: Path, line: str, at: int, said: str) -> None:
    file = deciding(tmp_path, line)
    with pytest.raises(PolicyFault) as raised:
        ask(build(file), [ROUND], nullcontext)
    text = str(raised.value)
    assert text.startswith(f"{file}:{FIRST + at}: ") and said in text and "after round 1" in text
    assert text.isprintable()


def test_the_place_is_the_deepest_in_the_users_own_file(tmp_path: Path) -> None:
    file = written(
        tmp_path, "def decide(self, history):\n    return self.look(history)\ndef look(self, history):\n    int('x')"
    )
    with pytest.raises(PolicyFault, match=f"{file}:{FIRST + 3}: .*ValueError: invalid literal"):
        ask(build(file), [ROUND], nullcontext)


def test_a_decide_that_takes_nothing_is_said_where_it_stands(tmp_path: Path) -> None:
    file = written(tmp_path, "def decide(self):\n    pass")
    with pytest.raises(PolicyFault, match=f"{file}:{FIRST}: .*TypeError: .*takes 1 positional argument but 2"):
        ask(build(file), [ROUND], nullcontext)


@given(st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.binary(), st.lists(st.text())))
def test_any_answer_at_all(answer: object) -> None:
    class Answers:
        def decide(self, history: Any) -> Any:
            return answer

    with pytest.raises(PolicyFault) as raised:
        ask(Answers(), [ROUND], nullcontext)
    assert str(raised.value).isprintable() and f"{__file__}:" in str(raised.value)


def test_what_a_policy_raises_of_our_own_errors_stays_that() -> None:
    class Gives:
        def decide(self, history: Any) -> Any:
            raise MigrationAborted("never")

    with pytest.raises(MigrationAborted, match=r"^never$"):
        ask(Gives(), [ROUND], nullcontext)


def test_a_good_answer_comes_back_as_it_is() -> None:
    good = Decision(action=Action.GO_ON, reason="on: 3 µs", throttle=Throttle(kind="sdps", dirty_rate=1e6))

    class Good:
        def decide(self, history: Any) -> Decision:
            return good

    assert ask(Good(), [ROUND], nullcontext) is good


def test_numbers_of_numpy_are_numbers_and_the_record_has_pythons_own() -> None:
    numbers: list[Any] = [np.float32(0.5), np.int64(1), np.int64(1_000_000)]
    half, one, million = numbers

    class Counts:
        early_look = EarlyLook(within=half, every=one)

        def decide(self, history: Any) -> Decision:
            throttle = Throttle(kind="sdps", level=half, dirty_rate=million)
            return Decision(action=Action.GO_ON, reason="on", throttle=throttle)

    throttle, look = ask(Counts(), [ROUND], nullcontext).throttle, early_look(Counts())
    assert throttle == Throttle(kind="sdps", level=0.5, dirty_rate=1e6) and look == EarlyLook(within=0.5, every=1.0)
    assert {type(each) for each in (throttle.level, throttle.dirty_rate, look.within, look.every)} == {float}


def test_a_policy_does_not_see_the_guests_own_counter() -> None:
    class Looks:
        def decide(self, history: Sequence[Round]) -> Decision:
            seen.extend(history)
            return Decision(action=Action.GO_ON, reason="looked")

    seen: list[Round] = []
    ask(Looks(), [replace(ROUND, operations=4711)], nullcontext)
    assert seen == [ROUND]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("early_look = 5", "'early_look' is to be an EarlyLook or None, not 5 (int)"),
        ("early_look = EarlyLook(within=0.3, every=0)", "seconds that cannot be"),
        ("early_look = EarlyLook(within=float('nan'), every=1)", "seconds that cannot be"),
        ("early_look = EarlyLook(within='1s', every=1)", "seconds that cannot be"),
        ("@property\ndef early_look(self):\n    return 1 / 0", "'early_look' failed: ZeroDivisionError"),
    ],
)
def test_an_early_look_that_cannot_be(tmp_path: Path, body: str, said: str) -> None:
    policy = build(written(tmp_path, f"{body}\ndef decide(self, history): ..."))
    source = Diary()
    with pytest.raises(PolicyFault) as raised:
        migrate(source, policy)
    assert said in str(raised.value) and f"{tmp_path}/mine.py:" in str(raised.value)
    assert source.calls == ["resume_guest", "release", "abandon"]


def test_the_early_looks_that_can() -> None:
    look = early_look(build("qemu"))
    assert look is not None and (look.within, 0 < look.every < 0.1) == (0.3, True)
    assert early_look(build("plain")) is None
    assert EarlyLook(within=0.5, every=1).is_due(49, 100) and not EarlyLook(within=0.5, every=1).is_due(50, 100)


def test_the_round_after_which_it_failed_is_seen_and_the_guest_stays() -> None:
    class Broken:
        def decide(self, history: Any) -> Any:
            return None

    source, seen = Diary(), []
    with pytest.raises(PolicyFault) as raised:
        migrate(source, Broken(), lambda done, decision: seen.append((done.index, decision)))
    assert seen == [(1, None)]
    assert source.calls == ["copy_round", "resume_guest", "release", "abandon"]
    assert source.told == str(raised.value)


def test_a_policy_that_always_goes_on_comes_to_an_end() -> None:
    class Patient:
        def decide(self, history: Any) -> Decision:
            return Decision(action=Action.GO_ON, reason="on")

    source = Diary()
    with pytest.raises(NeverConverges, match=f"{MOST_ROUNDS} rounds were not enough"):
        migrate(source, Patient())
    assert source.calls.count("copy_round") == MOST_ROUNDS


# ---- Through the surface ---------------------------------------------------------------------------------------------


def of_policy(path: str) -> Plan:
    return plan(0.01, IDLE, path)


def test_predict_says_one_line_and_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = deciding(tmp_path, "return history")
    assert main(["predict", "hello", "--policy", file]) == 2
    out, err = capsys.readouterr()
    said = err.splitlines()
    assert out == "" and said[:-1] == [f"this scenario runs code of its own: {file}"]
    assert said[-1].startswith(f"testbed: {file}:{FIRST}: after round 1 'decide' is to return a Decision")


def test_a_simulated_run_records_it_as_the_migrations_end(tmp_path: Path) -> None:
    made = SimulatedEngine().migrate(of_policy(deciding(tmp_path, "return None")), context())
    assert made.outcome == "aborted" and "is to return a Decision" in made.reason and not made.valid
    assert [done.decision for done in made.rounds] == ["no decision"]


def context() -> Any:
    class Context:
        observer = staticmethod(lambda _event: None)

    return Context()


# ---- Files that are no policies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import os\ndef f(:\n", ":2: the policy in it does not run: SyntaxError: invalid syntax"),
        ("import os\nimport nothing_such\n", ":2: the policy in it does not run: ModuleNotFoundError"),
        ("x = 1\ny = x / 0\n", ":2: the policy in it does not run: ZeroDivisionError"),
        ("class Mine:\n    def decide(self, history): ...\n", "Mine (near line 2) is no dataclass"),
        (HEAD, "found 0; Mine has no method 'decide'"),
        (f"{HEAD}{DECIDES}{OTHER}{DECIDES}", "found 2: Mine (near line 7), Other (near line 14)"),
    ],
)
def test_a_file_says_what_it_lacks_and_where(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(ScenarioError) as raised:
        build(str(file))
    assert str(raised.value).startswith(f"{file}:") and said in str(raised.value) and str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("line", "said"), [("raise RuntimeError('no\\nway')", "RuntimeError: no"), ("None.x", "AttributeError: 'NoneType'")]
)
def test_one_that_cannot_be_made_says_where(tmp_path: Path, line: str, said: str) -> None:
    file = written(tmp_path, f"def __post_init__(self):\n    {line}\ndef decide(self, history): ...")
    with pytest.raises(ScenarioError) as raised:
        build(file)
    assert f"{file}:{FIRST + 1}: it cannot be made, {said}" in str(raised.value) and str(raised.value).isprintable()
