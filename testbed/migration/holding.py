"""Holding an agent at a moment of the protocol: before or after it says the message that the moment is called after.

So what is to break there breaks there, however slow or fast anything else is. Where nothing is to break nobody is held.
"""

from collections.abc import Callable

from testbed.core.agents.config import HoldAt
from testbed.core.agents.phases import LAST_ROUND, RUNNING, round_phase
from testbed.core.agents.told import Held
from testbed.wire.messages import Commit, Hello, Message, Prepare, RoundBegin, Running

Hold = Callable[[Held], None]
"""Says so, and returns once the agent may go on."""


class Holding:
    """Where one end of the channel is held: ``at`` these phases, each time by ``hold``."""

    def __init__(self, at: HoldAt | None = None, hold: Hold = lambda _held: None) -> None:
        self._at, self._hold = at or HoldAt(), hold

    def before(self, message: Message) -> None:
        """The message is about to be said."""
        phase = phase_of(message)
        if phase in self._at.before:
            self._hold(Held(phase=phase, said=False))

    def after(self, message: Message) -> None:
        """The message has been said: TCP has it."""
        phase = phase_of(message)
        if phase in self._at.after:
            self._hold(Held(phase=phase, said=True))


def phase_of(message: Message) -> str:
    """The phase that is called after a message; empty: none is."""
    match message:
        case Hello():
            return "hello"
        case RoundBegin(index=index, stunned=stunned):
            return LAST_ROUND if stunned else round_phase(index)
        case Prepare():
            return "prepare"
        case Commit():
            return "commit"
        case Running():
            return RUNNING
    return ""
