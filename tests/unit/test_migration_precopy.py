"""The algorithm's two laws, with a source that keeps a diary and fails at every verb in turn.

Before commit: resumed first, told after. After commit: never resumed but by a refusal. The throttle is let go at the
end.
"""

from collections.abc import Sequence

import pytest

from testbed.core.errors import InDoubt, MigrationAborted, RemoteProtocolError
from testbed.core.rounds import Action, Decision, EarlyLook, Round, RoundKind, Throttle
from testbed.migration.precopy import CommitRefused, GuestStopped, migrate

SDPS = Throttle(kind="sdps", dirty_rate=1e6)
CPU = Throttle(kind="auto_converge", level=0.5)


class Diary:
    """A source that writes down its verbs; ``faults`` maps a verb, or its nth use (``abandon 2``), to a fault."""

    def __init__(self, faults: dict[str, BaseException] | None = None) -> None:
        self.calls: list[str] = []
        self.faults = faults or {}
        self.stunned = self.throttled = False
        self.told: str | None = None

    def _do(self, verb: str) -> None:
        self.calls.append(verb)
        nth = sum(call == verb for call in self.calls)
        fault = self.faults.get(f"{verb} {nth}") or self.faults.get(verb)
        if fault is not None:
            raise fault

    def copy_round(self, index: int, kind: RoundKind, look: EarlyLook | None = None) -> Round:
        self._do("copy_round" if kind is RoundKind.PRECOPY else "stop_and_copy")
        assert self.stunned == (kind is RoundKind.STOP_AND_COPY)
        left = 0 if self.stunned else 1000 // index
        return Round(
            index=index, kind=kind, started_s=float(index), duration_s=1.0, sent_bytes=1000, dirtied_bytes=left
        )

    def throttle(self, throttle: Throttle | None) -> None:
        self._do(f"throttle {throttle.kind}" if throttle else "release")
        self.throttled = throttle is not None

    def stun_guest(self) -> None:
        self.stunned = True  # it may be stopped although the verb then failed
        self._do("stun_guest")

    def resume_guest(self) -> None:
        self._do("resume_guest")
        self.stunned = False

    def prepare(self) -> None:
        assert self.stunned
        self._do("prepare")

    def commit(self) -> None:
        assert self.stunned
        self._do("commit")

    def abandon(self, reason: str) -> None:
        self.told = reason
        self._do("abandon")


class Script:
    """A policy that says what is written for each round."""

    def __init__(self, *decisions: tuple[Action, Throttle | None]) -> None:
        self.decisions = decisions
        self.seen: list[int] = []

    def decide(self, history: Sequence[Round]) -> Decision:
        self.seen.append(len(history))
        action, throttle = self.decisions[len(history) - 1]
        return Decision(action=action, reason=f"said after round {len(history)}", throttle=throttle)


GO, STOP, END = Action.GO_ON, Action.SWITCH_OVER, Action.GIVE_UP
ROUTINE = ((GO, None), (GO, SDPS), (STOP, SDPS))
BEFORE_COMMIT = [
    "copy_round 1",
    "copy_round 2",
    "copy_round 3",
    "throttle sdps",
    "stun_guest",
    "stop_and_copy",
    "prepare",
]
FAULTS = [
    RemoteProtocolError("it broke"),
    KeyboardInterrupt(),
    SystemExit(3),
    ValueError("our bug"),
    MigrationAborted("no"),
]


def test_all_goes_well() -> None:
    source, policy = Diary(), Script(*ROUTINE)
    seen: list[tuple[int, Decision | None]] = []
    done = migrate(source, policy, lambda last, decision: seen.append((last.index, decision)))
    assert source.calls == [
        *("copy_round", "copy_round", "throttle sdps", "copy_round"),
        *("stun_guest", "stop_and_copy", "prepare", "commit", "release"),
    ]
    assert [r.index for r in done.rounds] == [1, 2, 3, 4]
    assert [r.kind for r in done.rounds] == [RoundKind.PRECOPY] * 3 + [RoundKind.STOP_AND_COPY]
    assert policy.seen == [1, 2, 3]
    assert [index for index, _ in seen] == [1, 2, 3, 4]
    assert seen[-1][1] is None and seen[2][1] is not None and seen[2][1].reason == "said after round 3"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: type(f).__name__)
@pytest.mark.parametrize("verb", BEFORE_COMMIT)
def test_a_failure_before_commit_leaves_the_guest_here(verb: str, fault: BaseException) -> None:
    source = Diary({verb: fault})
    with pytest.raises(type(fault)) as raised:
        migrate(source, Script(*ROUTINE))
    assert raised.value is fault
    assert not source.stunned and not source.throttled
    assert source.calls[-3:] == ["resume_guest", "release", "abandon"], "resumed first, told after"
    assert "commit" not in source.calls
    assert source.told == (str(fault) or type(fault).__name__)


@pytest.mark.parametrize("second", [RemoteProtocolError("gone"), OSError("dead"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("verb", ["abandon", "release"])
def test_what_fails_while_abandoning_does_not_hide_the_cause(verb: str, second: BaseException) -> None:
    fault = RemoteProtocolError("it broke")
    source = Diary({"prepare": fault, verb: second})
    with pytest.raises(RemoteProtocolError, match="it broke") as raised:
        migrate(source, Script(*ROUTINE))
    assert raised.value is fault
    assert source.calls[-3:] == ["resume_guest", "release", "abandon"], "the later steps are done all the same"
    assert any((str(second) or type(second).__name__) in note for note in fault.__notes__)


def test_a_resume_cut_short_is_tried_again() -> None:
    source = Diary({"prepare": RemoteProtocolError("it broke"), "resume_guest 1": KeyboardInterrupt()})
    with pytest.raises(RemoteProtocolError):
        migrate(source, Script(*ROUTINE))
    assert source.calls[-4:] == ["resume_guest", "resume_guest", "release", "abandon"]
    assert not source.stunned


def test_a_guest_that_cannot_be_resumed_is_said_above_all() -> None:
    fault = RemoteProtocolError("it broke")
    source = Diary({"prepare": fault, "resume_guest": OSError("no such process")})
    with pytest.raises(GuestStopped, match=r"stands still.*no such process.*it broke") as raised:
        migrate(source, Script(*ROUTINE))
    assert raised.value.__cause__ is fault
    assert source.calls[-2:] == ["release", "abandon"]


def test_an_interrupt_stays_one_even_so() -> None:
    source = Diary({"prepare": KeyboardInterrupt(), "resume_guest": OSError("no such process")})
    with pytest.raises(KeyboardInterrupt) as raised:
        migrate(source, Script(*ROUTINE))
    assert any("no such process" in note for note in raised.value.__notes__)


def test_a_refused_commit_brings_the_guest_back() -> None:
    source = Diary({"commit": CommitRefused("I never ran it")})
    with pytest.raises(CommitRefused):
        migrate(source, Script(*ROUTINE))
    assert source.calls[-3:] == ["commit", "resume_guest", "release"], "the peer knows already"
    assert not source.stunned and not source.throttled


def test_a_refused_commit_and_a_guest_that_cannot_be_resumed() -> None:
    refusal = CommitRefused("I never ran it")
    with pytest.raises(GuestStopped) as raised:
        migrate(Diary({"commit": refusal, "resume_guest": OSError("gone")}), Script(*ROUTINE))
    assert raised.value.__cause__ is refusal


@pytest.mark.parametrize("fault", [InDoubt("no answer"), *FAULTS[:4]], ids=lambda f: type(f).__name__)
def test_after_commit_the_source_never_resumes_by_itself(fault: BaseException) -> None:
    source = Diary({"commit": fault})
    with pytest.raises(InDoubt) as raised:
        migrate(source, Script(*ROUTINE))
    assert fault in (raised.value, raised.value.__cause__)
    assert source.calls[-2:] == ["commit", "release"]
    assert source.stunned and not source.throttled


def test_in_doubt_is_not_hidden_by_a_throttle_that_cannot_be_released() -> None:
    source = Diary({"commit": InDoubt("no answer"), "release": OSError("gone")})
    with pytest.raises(InDoubt, match="no answer"):
        migrate(source, Script(*ROUTINE))


def test_a_throttle_that_cannot_be_released_does_not_undo_what_was_done() -> None:
    source = Diary({"release": RemoteProtocolError("gone")})
    assert len(migrate(source, Script(*ROUTINE)).rounds) == 4
    assert source.calls[-2:] == ["commit", "release"]


def test_giving_up() -> None:
    source = Diary()
    with pytest.raises(MigrationAborted, match="said after round 2"):
        migrate(source, Script((GO, CPU), (END, None)))
    assert source.calls == ["copy_round", "throttle auto_converge", "copy_round", "resume_guest", "release", "abandon"]
    assert source.told == "said after round 2"


def test_a_policy_or_observer_that_breaks_leaves_the_guest_here() -> None:
    def broken(last: Round, _decision: Decision | None) -> None:
        if last.kind is RoundKind.STOP_AND_COPY:
            raise BrokenPipeError("nobody looks on")

    said = "the policy failed after round 2: IndexError"
    for policy, error, words in (
        (Script((GO, None)), MigrationAborted, said),
        (Script(*ROUTINE), BrokenPipeError, "nobody"),
    ):
        source = Diary()
        with pytest.raises(error, match=words):
            migrate(source, policy, broken)
        assert source.calls[-3:] == ["resume_guest", "release", "abandon"]


def test_throttles_are_told_only_when_they_change() -> None:
    source = Diary()
    migrate(source, Script((GO, CPU), (GO, CPU), (GO, SDPS), (GO, None), (GO, None), (STOP, None)))
    assert [call for call in source.calls if "throttle" in call or call == "release"] == [
        "throttle auto_converge", "throttle sdps", "release", "release",
    ]  # fmt: skip


def test_the_switchover_begins_as_throttled_as_the_decision_was() -> None:
    source = Diary()
    migrate(source, Script((GO, SDPS), (STOP, None)))
    assert source.calls.index("release") > source.calls.index("commit")
