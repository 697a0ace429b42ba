"""Who may say what when: the whole protocol of the channel in one table. Both ends run it for both ends.

              source says                    destination says
    NEW       Hello → GREETED
    GREETED                                  Welcome → READY
    READY     RoundBegin → ROUND
              GuestConnection → READY
              Prepare → PREPARING
    ROUND     RoundEnd → DRAINING
    DRAINING                                 RoundReceived → READY
    PREPARING                                Prepared → PREPARED
    PREPARED  Commit → COMMITTED
    COMMITTED                                Running → RUNNING

Until it is PREPARED the destination may say Failed; until COMMITTED the source may say Abandon. After Prepared the
destination may fail no more by itself, so that Commit never crosses a Failed; after Commit it may still answer Failed,
which is a promise that the guest never ran there. What the other end had sent before it heard of an end is ignored.
"""

from enum import Enum, auto

from testbed.core.errors import ProtocolError
from testbed.wire.messages import Type


class Role(Enum):
    """The two ends of the channel."""

    SOURCE = "source"
    DESTINATION = "destination"


class State(Enum):
    """How far a migration has come, as both ends see it."""

    NEW = auto()
    GREETED = auto()
    READY = auto()
    ROUND = auto()
    DRAINING = auto()
    PREPARING = auto()
    PREPARED = auto()
    COMMITTED = auto()
    RUNNING = auto()
    ABANDONED = auto()
    FAILED = auto()


_MAIN = {
    (State.NEW, Role.SOURCE, Type.HELLO): State.GREETED,
    (State.GREETED, Role.DESTINATION, Type.WELCOME): State.READY,
    (State.READY, Role.SOURCE, Type.ROUND_BEGIN): State.ROUND,
    (State.READY, Role.SOURCE, Type.CONNECTION): State.READY,
    (State.READY, Role.SOURCE, Type.PREPARE): State.PREPARING,
    (State.ROUND, Role.SOURCE, Type.ROUND_END): State.DRAINING,
    (State.DRAINING, Role.DESTINATION, Type.ROUND_RECEIVED): State.READY,
    (State.PREPARING, Role.DESTINATION, Type.PREPARED): State.PREPARED,
    (State.PREPARED, Role.SOURCE, Type.COMMIT): State.COMMITTED,
    (State.COMMITTED, Role.DESTINATION, Type.RUNNING): State.RUNNING,
}
_MAY_FAIL = (State.GREETED, State.READY, State.ROUND, State.DRAINING, State.PREPARING, State.COMMITTED)
_MAY_ABANDON = (*_MAY_FAIL[:-1], State.PREPARED)
_FROM_SOURCE = (Type.ROUND_BEGIN, Type.ROUND_END, Type.CONNECTION, Type.PREPARE, Type.ABANDON)
_FROM_DESTINATION = (Type.WELCOME, Type.ROUND_RECEIVED, Type.PREPARED, Type.FAILED)

TABLE: dict[tuple[State, Role, Type], State] = (
    _MAIN
    | {(state, Role.DESTINATION, Type.FAILED): State.FAILED for state in _MAY_FAIL}
    | {(state, Role.SOURCE, Type.ABANDON): State.ABANDONED for state in _MAY_ABANDON}
    | {(State.FAILED, Role.SOURCE, kind): State.FAILED for kind in _FROM_SOURCE}
    | {(State.ABANDONED, Role.DESTINATION, kind): State.ABANDONED for kind in _FROM_DESTINATION}
)


def after(state: State, speaker: Role, kind: Type, error: type[ProtocolError]) -> State:
    """The state once ``speaker`` has said that. Raises ``error`` where the table has no such row."""
    following = TABLE.get((state, speaker, kind))
    if following is None:
        raise error(f"the {speaker.value} may not say {kind.name} when the migration is {state.name}")
    return following
