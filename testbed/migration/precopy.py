"""Iterative pre-copy: the algorithm, and nothing else. It knows no socket, no clock and no process.

    round 1      round 2   ...   stun  stop-and-copy  prepare  commit
    ──────────┬──────────┬─ ─ ─┬─────┬──────────────┬────────┬────────▶
    all pages │ dirtied  │     │     │ what is left │        │ from here the guest belongs to the destination
              └ policy ──┴ ─ ─ ┘

Whatever has a ``Source``'s verbs can be migrated: the real agent, the fluid model of ``predict``, a fake that fails
where a test says so. Two orders are laws that faults have taught:

* before commit, every failure resumes the guest **first** and tells the peer after, since telling may fail too;
* after commit was sent the source never resumes by itself: only the peer's refusal, or an operator, may say so.
"""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Literal, Protocol

from testbed.core.errors import InDoubt, MigrationAborted, TestbedError
from testbed.core.rounds import Action, Decision, EarlyLook, Round, RoundKind, Throttle
from testbed.policies.decisions import Limit, ask, early_look
from testbed.policies.policy import Policy

MOST_ROUNDS = 500
"""A migration that has not ended by then never will: it takes 197 even at rho = 1."""


class Source(Protocol):
    """The host that the guest leaves, as verbs. Any of them may raise ``TestbedError``."""

    def copy_round(self, index: int, kind: RoundKind, look: EarlyLook | None = None) -> Round:
        """Send what is dirty (round 1: everything), then find what was dirtied meanwhile. With a ``look`` the round may
        end before it has been sent whole: what is left of it then joins what was dirtied.

        In a stop-and-copy round the guest stands still: what is dirty is found first, and nothing is left after it.
        """
        ...

    def throttle(self, throttle: Throttle | None) -> None:
        """Slow the guest as told from now on; None releases it at once."""
        ...

    def stun_guest(self) -> None:
        """Let the guest stand still from now on."""
        ...

    def resume_guest(self) -> None:
        """Let the guest run here again; harmless when it runs."""
        ...

    def prepare(self) -> None:
        """Send what is not RAM; returns once the destination has all of the guest and could run it."""
        ...

    def commit(self) -> None:
        """Give the guest away. Raises ``CommitRefused`` when the destination will never run it, ``InDoubt`` when
        nobody knows.
        """
        ...

    def abandon(self, reason: str) -> None:
        """Tell the destination that nothing will come of it. May fail: nobody waits for it."""
        ...


class CommitRefused(MigrationAborted):
    """The destination promised that it never ran the guest and never will."""


class NeverConverges(MigrationAborted):
    """So many rounds were made that there is no end to them."""


class GuestStopped(TestbedError):
    """The migration failed and the guest could not be resumed either: it stands still at the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """All rounds of a migration that ended well; the last one is the stop-and-copy round."""

    rounds: tuple[Round, ...]


Observer = Callable[[Round, Decision | None], None]
"""Told of each round; None: it is the stop-and-copy round, or its policy failed."""


def migrate(
    source: Source,
    policy: Policy,
    observe: Observer = lambda _round, _decision: None,
    limit: Limit = nullcontext,
) -> Completed:
    """Move the guest. ``limit`` is what each decision of the policy has to be made within.

    Raises ``MigrationAborted`` (the guest runs here; ``PolicyFault`` and ``NeverConverges`` are such), ``InDoubt``
    (nobody may resume it), ``GuestStopped``, or whatever else a verb raised before commit (the guest runs here).
    """
    try:
        history = _precopy(source, policy, observe, limit)
        source.stun_guest()
        last = source.copy_round(len(history) + 1, RoundKind.STOP_AND_COPY)
        observe(last, None)
        source.prepare()
    except BaseException as fault:
        _stay(source, fault, tell=True)
        raise
    try:
        _commit(source)
    except CommitRefused as refusal:
        _stay(source, refusal, tell=False)
        raise
    except InDoubt as doubt:
        _attempt("release the throttle", lambda: source.throttle(None), doubt)
        raise
    with suppress(TestbedError):  # nothing that fails after the guest was handed over can undo the migration
        source.throttle(None)
    return Completed(rounds=(*history, last))


def resolved(doubt: InDoubt, *, here: bool) -> tuple[Literal["completed", "aborted"], str]:
    """How a migration ended whose doubt somebody has resolved, who looked at both hosts: the guest is ``here``, at the
    source, or it was found running at the destination.
    """
    if here:
        return "aborted", f"{doubt}; the destination never ran the guest, so it runs on at the source"
    return "completed", f"{doubt}; the guest was found running at the destination"


def _precopy(source: Source, policy: Policy, observe: Observer, limit: Limit) -> list[Round]:
    """Rounds beside the running guest, until the policy says to switch over. Raises ``MigrationAborted`` if never."""
    history: list[Round] = []
    throttle: Throttle | None = None
    look = early_look(policy)
    for index in range(1, MOST_ROUNDS + 1):
        history.append(source.copy_round(index, RoundKind.PRECOPY, look))
        decision = _asked(policy, history, observe, limit)
        match decision.action:
            case Action.GIVE_UP:
                raise MigrationAborted(decision.reason)
            case Action.SWITCH_OVER:
                return history  # as throttled as it is: a release now would let it dirty more than was decided upon
        if decision.throttle != throttle:
            throttle = decision.throttle
            source.throttle(throttle)
    raise NeverConverges(f"{MOST_ROUNDS} rounds were not enough: it would never end")


def _asked(policy: Policy, history: list[Round], observe: Observer, limit: Limit) -> Decision:
    """What it decided; the round is seen in any case."""
    try:
        decision = ask(policy, history, limit)
    except TestbedError:
        observe(history[-1], None)
        raise
    observe(history[-1], decision)
    return decision


def _commit(source: Source) -> None:
    """Whatever breaks here but a refusal leaves nobody knowing, an interrupt too: the word may be on its way."""
    try:
        source.commit()
    except (CommitRefused, InDoubt):
        raise
    except BaseException as fault:
        raise InDoubt(f"commit was not answered: {str(fault) or type(fault).__name__}") from fault


def _stay(source: Source, fault: BaseException, *, tell: bool) -> None:
    """The guest runs here again before anybody is told, and nothing slows it; each step is tried whatever broke before.

    What fails on the way (a second interrupt too) becomes a note on the fault and does not hide it; only a guest that
    stays stopped is worse than any fault.
    """
    reason = str(fault) or type(fault).__name__
    # Twice, since an interrupt may have cut the first one short, and it is harmless when the guest runs.
    stuck = _attempt("resume it", source.resume_guest, fault) and _attempt("resume it", source.resume_guest, fault)
    _attempt("release the throttle", lambda: source.throttle(None), fault)
    if tell:
        _attempt("tell the destination", lambda: source.abandon(reason), fault)
    if stuck and isinstance(fault, Exception):
        raise GuestStopped(f"the guest stands still at the source, resume it ({stuck}); before: {reason}") from fault


def _attempt(what: str, step: Callable[[], None], fault: BaseException) -> str | None:
    """What the step raised, which is noted on the fault; None when it went well."""
    try:
        step()
    except BaseException as error:  # noqa: BLE001 - the fault is being raised already, the later steps have to be done
        said = str(error) or type(error).__name__
        fault.add_note(f"and could not {what}: {said}")
        return said
    return None
