"""The policy, asked again: after each round, of the rounds that the record has, it has to say what the record says."""

from collections.abc import Iterator

from testbed.audit.agreement import Agreement, not_known, settled
from testbed.audit.subject import Subject
from testbed.core.errors import TestbedError
from testbed.core.records.rounds import RoundRecord
from testbed.core.rounds import Action, Decision, Round, RoundKind
from testbed.core.text.printable import printable
from testbed.linux.processes.time_limit import deciding
from testbed.policies import build
from testbed.policies.decisions import ask
from testbed.policies.policy import Policy

MOST_ROUNDS = 500
"""No migration has more."""


def of(subject: Subject) -> Iterator[Agreement]:
    """The agreement ``policy``: asked again, it decides the same."""
    rounds = [each for each in subject.done.rounds if each.kind == "precopy"]
    if subject.own_policy is not None:
        yield not_known("policy", f"{printable(subject.own_policy, 60)} is a file of one's own, and is not run")
    elif subject.plan is None:
        yield not_known("policy", subject.unplanned)
    elif not rounds:
        yield not_known("policy", "it has no rounds")
    elif len(rounds) > MOST_ROUNDS:
        yield settled("policy", "", [f"{len(rounds):,} rounds are more than any migration has"])
    elif any(each.scan_s is None for each in rounds):
        yield not_known("policy", "the record is of a version that did not keep all that its policy saw")
    else:
        yield _asked(subject, build(subject.plan.migration.policy), rounds)


def _asked(subject: Subject, policy: Policy, rounds: list[RoundRecord]) -> Agreement:
    history: list[Round] = []
    wrong = []
    for each in rounds:
        history.append(_seen(each))
        try:
            decision = ask(policy, history, deciding)
        except TestbedError as fault:
            wrong.append(f"after round {each.index} the policy fails: {fault}")
            break
        wrong += _unlike(subject, each, decision, last=each is rounds[-1])
    return settled("policy", f"asked again after each of {len(rounds)} rounds it decides as it did", wrong)


def _unlike(subject: Subject, each: RoundRecord, decision: Decision, *, last: bool) -> Iterator[str]:
    """The sentence, and what was done: after the last of these rounds something else may have ended the migration."""
    if decision.reason != each.decision:
        yield f'after round {each.index} it says "{decision.reason}", the record "{each.decision:.200}"'
    if not last and decision.action is not Action.GO_ON:
        yield f"after round {each.index} it would {decision.action.value}, and the record goes on"
    completed = subject.done.outcome == "completed"
    if last and completed and decision.action is not Action.SWITCH_OVER:
        yield f"after round {each.index} it would {decision.action.value}, and the record switches over"


def _seen(each: RoundRecord) -> Round:
    return Round(
        index=each.index,
        kind=RoundKind(each.kind),
        started_s=each.started_s,
        duration_s=each.duration_s,
        sent_bytes=each.sent_bytes,
        dirtied_bytes=each.dirtied_bytes,
        scan_s=each.scan_s or 0.0,
        throttle=each.throttle,
        unsent_bytes=each.unsent_bytes,
        switchover_s=each.switchover_s,
    )
