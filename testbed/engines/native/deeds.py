"""What ``Follower`` hears of a migration that is under way, and what it wants done: plain values.

Tell, Publish, EndSource, EndDestination, BringUp, Drop    are done
ChangeLink ▶ LinkChanged     SeeSource ▶ SourceSeen        are done or looked at, and what came of it is heard
Freeze ▶ Frozen              TakeBack ▶ TakenBack          before the next is
HearDestination ▶ LastWord   Inject ▶ Injected
AwaitDestination ▶ DestinationHeld
"""

from dataclasses import dataclass
from typing import TypeAlias

from testbed.core.agents.told import AgentFailed, AgentOrder, DestinationFinished, Gone, Held, Told, Unaccepted
from testbed.core.events import Event
from testbed.core.plan import PlannedFault
from testbed.rig.orders import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A slice of waiting is over; ``silent``: the source agent has said nothing in it."""

    silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Signalled:
    """A signal was noted, whose words are ``why``."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LateOrder:
    """What somebody ordered when the migration had ended."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChanged:
    """``order`` was carried out, or for which ``fault`` not."""

    order: Order
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSeen:
    """Whether the guest's process at the source is there."""

    alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWord:
    """How the destination ended: ``Gone`` without a word, None of one that goes on and does not say."""

    said: DestinationFinished | AgentFailed | Gone | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Neither guest makes a step any more; how many operations each had done, and whether the source's is there."""

    source_operations: int
    destination_operations: int
    source_alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """The guest runs on at the source; ``fault``: what could not be done for that, as words to add."""

    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """What was planned has been broken; ``failure``: why not."""

    planned: PlannedFault
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationHeld:
    """Where the destination agent stands now; None of one that goes on, or has ended. ``said``: its last word, of one
    that said it instead: nobody will hear it twice.
    """

    at: Held | None
    said: DestinationFinished | AgentFailed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedFailed:
    """What was to be done, or to be heard, could not be; what was still to be done after it is not done."""

    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """An order to the source agent, or to the destination's."""

    order: AgentOrder
    destination: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """An event for whoever watches."""

    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSource:
    """The source agent is to be killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDestination:
    """The destination agent is to be killed, so that it lets no guest run any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """Both guests are to be stopped where they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BringUp:
    """The guest at the destination is to run and to be heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """The guest at the destination is to be ended, unheard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """The guest at the source is to run on and to be heard; remote ends of ``unaccepted`` are to be told."""

    unaccepted: tuple[Unaccepted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeeSource:
    """Whether the guest's process at the source is there is to be looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HearDestination:
    """The destination's last word is to be waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLink:
    """An order for the vMotion link is to be carried out."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Inject:
    """What was planned is to be broken now."""

    planned: PlannedFault


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitDestination:
    """The destination agent is to be awaited where it is to be held next."""


Finding: TypeAlias = LinkChanged | SourceSeen | LastWord | Frozen | TakenBack | Injected | DestinationHeld | DeedFailed
Heard: TypeAlias = Told | Gone | Order | Slice | Signalled | LateOrder | Finding
Act: TypeAlias = Tell | Publish | EndSource | EndDestination | BringUp | Drop
Question: TypeAlias = Freeze | TakeBack | SeeSource | HearDestination | ChangeLink | Inject | AwaitDestination
Deed: TypeAlias = Act | Question
