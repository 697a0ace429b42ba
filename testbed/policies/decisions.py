"""Asking a policy, which may be the user's own: whatever it does wrong is one line, with the place in its own code.

decide  raises │ answers what is no Decision, or one with impossible parts │ takes too long  ──▶  PolicyFault
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from math import isfinite
from numbers import Real
from typing import Any

from testbed.core.errors import Overdue, PolicyFault, TestbedError
from testbed.core.names.catalogue import ranked
from testbed.core.own.words import defined_at, raised_at, shown, told
from testbed.core.rounds import Action, Decision, EarlyLook, Round, Throttle
from testbed.policies.policy import Policy

Limit = Callable[[], AbstractContextManager[object]]
"""Makes a context in which ``Overdue`` is raised when it is not left in time."""
THROTTLES = ranked("testbed.throttles")
"""What a policy's ``Throttle`` may name; read now, and not while a guest is waiting for a decision."""
PLAIN = (int, float, type(None))
"""What the numbers of a throttle are in a record."""
ACTIONS = "Action.GO_ON, SWITCH_OVER or GIVE_UP"


def ask(policy: Policy, history: Sequence[Round], limit: Limit) -> Decision:
    """The policy's decision after the last of these rounds. It sees of them what a hypervisor does: not the guest's own
    counter. Raises ``PolicyFault``, or the ``TestbedError`` that it raised.
    """
    after = f"after round {len(history)}"
    try:
        with limit():
            answer: object = policy.decide(_as_a_hypervisor_sees(history))
    except TestbedError:
        raise
    except Overdue as fault:
        raise PolicyFault(
            f"{raised_at(policy, 'decide', fault)}: the policy took more than {fault.limit_s:g} s {after}"
        ) from None
    except (Exception, SystemExit) as fault:
        raise PolicyFault(f"{raised_at(policy, 'decide', fault)}: the policy failed {after}: {told(fault)}") from fault
    wrong = next(_faults(answer), None)
    if wrong or not isinstance(answer, Decision):
        raise PolicyFault(f"{defined_at(policy, 'decide')}: {after} 'decide' {wrong}")
    return _plain(answer)


def _plain(answer: Decision) -> Decision:
    """With Python's own numbers, which a record can hold; numpy's are as good to ask with."""
    asked = answer.throttle
    if asked is None or all(type(each) in PLAIN for each in (asked.level, asked.dirty_rate)):
        return answer
    rate = None if asked.dirty_rate is None else float(asked.dirty_rate)
    throttle = Throttle(kind=asked.kind, level=float(asked.level), dirty_rate=rate)
    return Decision(action=answer.action, reason=answer.reason, throttle=throttle)


def _as_a_hypervisor_sees(history: Sequence[Round]) -> tuple[Round, ...]:
    """Asked after each of what may be thousands of rounds: where none has a counter, as in a model, it is quick."""
    if all(round.operations is None for round in history):
        return tuple(history)
    return tuple(replace(round, operations=None) for round in history)


def early_look(policy: Policy) -> EarlyLook | None:
    """Whether it wants to decide before a round has been sent whole, and when. Raises ``PolicyFault``."""
    try:
        look = getattr(policy, "early_look", None)
    except Exception as fault:
        raise PolicyFault(
            f"{raised_at(policy, 'decide', fault)}: the policy's 'early_look' failed: {told(fault)}"
        ) from fault
    if look is None:
        return None
    if not isinstance(look, EarlyLook):
        raise PolicyFault(
            f"{defined_at(policy, 'decide')}: 'early_look' is to be an EarlyLook or None, not {shown(look)}"
        )
    within, every = _number(look.within), _number(look.every)
    if within is None or every is None or within < 0 or every <= 0:
        raise PolicyFault(f"{defined_at(policy, 'decide')}: 'early_look' has seconds that cannot be: {shown(look)}")
    return EarlyLook(within=within, every=every)


def _faults(answer: object) -> Iterator[str]:
    """What is wrong with it, the first thing first."""
    if not isinstance(answer, Decision):
        yield f"is to return a Decision (action, reason, throttle), not {shown(answer)}"
        return
    action, reason, throttle = _parts(answer)
    if not isinstance(action, Action):
        yield f"returned a Decision whose action is to be {ACTIONS}, not {shown(action)}"
    if not isinstance(reason, str) or not reason.strip():
        yield f"returned a Decision whose reason is to be a sentence, not {shown(reason)}"
    yield from _throttle_faults(throttle)


def _parts(answer: Decision) -> tuple[object, object, object]:
    """Its parts as they are, whatever their types should be."""
    return answer.action, answer.reason, answer.throttle


def _throttle_faults(throttle: object) -> Iterator[str]:
    if throttle is None:
        return
    if not isinstance(throttle, Throttle):
        yield f"returned a Decision whose throttle is to be a Throttle or None, not {shown(throttle)}"
        return
    if throttle.kind not in THROTTLES:
        yield f"asked for a throttle of a kind that is none: {shown(throttle.kind)}; there are: {', '.join(THROTTLES)}"
    level = _number(throttle.level)
    if level is None or not 0 <= level < 1:
        yield f"asked for a throttle whose level is to be 0 to below 1, not {shown(throttle.level)}"
    rate = _number(throttle.dirty_rate)
    if throttle.dirty_rate is not None and (rate is None or rate <= 0):
        wrong = shown(throttle.dirty_rate)
        yield f"asked for a throttle whose dirty_rate is to be above 0 or None, and finite, not {wrong}"


def _number(value: Any) -> float | None:
    """As a number of Python's own; None for what is none, or endless."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except Exception:  # noqa: BLE001 - it may be the user's own class; an integer may be too large
        return None
    return number if isfinite(number) else None
