"""A source to which happens what was planned: each verb fails as it does where the link, a peer or the agent has gone.

The algorithm is the real one; so is what it does when a verb fails. What came of it is left to whoever looks at both
hosts, as in a real run: ``ran_there`` is what would be seen at the destination.
"""

from collections.abc import Sequence

from testbed.core.agents.phases import LAST_ROUND, RUNNING, round_phase
from testbed.core.errors import InDoubt, MigrationAborted, in_words
from testbed.core.plan import PlannedFault
from testbed.core.rounds import EarlyLook, Round, RoundKind, Throttle
from testbed.model.source import FluidSource

WORDS = {
    "cut": "nothing passes the link any more",
    "kill-destination": "the destination agent died",
    "freeze-destination": "the destination agent says nothing",
}
"""What the source notices of a fault; of one of its own it notices nothing."""


class SourceGone(MigrationAborted):
    """The source agent was killed, or hangs: none of its verbs has an effect any more."""


class BrokenSource:
    """Implements ``testbed.migration.precopy.Source`` over a ``FluidSource``. ``met`` are the faults that struck, each
    with the virtual time (seconds) when it did; ``gone``: the agent itself broke, by that fault.
    """

    def __init__(self, source: FluidSource, faults: Sequence[PlannedFault]) -> None:
        self._source, self._faults = source, faults
        self.met: list[tuple[PlannedFault, float]] = []
        self.gone: PlannedFault | None = None
        self.doubt: InDoubt | None = None
        self.ran_there = False

    def copy_round(self, index: int, kind: RoundKind, look: EarlyLook | None = None) -> Round:
        """See ``Source``. Before the first one the peers greet each other."""
        if index == 1:
            self._meet("hello")
        self._meet(LAST_ROUND if kind is RoundKind.STOP_AND_COPY else round_phase(index))
        return self._source.copy_round(index, kind, look)

    def throttle(self, throttle: Throttle | None) -> None:
        """See ``Source``."""
        self._source.throttle(throttle)

    def stun_guest(self) -> None:
        """See ``Source``."""
        self._source.stun_guest()

    def resume_guest(self) -> None:
        """See ``Source``."""
        self._source.resume_guest()

    def prepare(self) -> None:
        """See ``Source``."""
        self._meet("prepare")
        self._source.prepare()

    def commit(self) -> None:
        """See ``Source``. The word may be lost, or what is answered to it: the source sees no difference."""
        try:
            self._meet("commit")
            self._source.commit()
            self.ran_there = True
            self._meet(RUNNING)
        except SourceGone:
            raise
        except MigrationAborted as fault:
            self.doubt = InDoubt(f"commit was sent and not answered: {in_words(fault)}")
            raise self.doubt from fault

    def abandon(self, reason: str) -> None:
        """See ``Source``."""
        self._source.abandon(reason)

    def _meet(self, phase: str) -> None:
        """Breaks what is planned for a phase, all of it, before anybody notices. Raises ``MigrationAborted``."""
        due = [fault for fault in self._faults if fault.phase == phase]
        self.met += [(fault, self._source.clock) for fault in due]
        self.gone = next((fault for fault in due if fault.what.endswith("-source")), None)
        if self.gone:
            raise SourceGone(f"the source agent is gone: {self.gone}")
        if due:
            raise MigrationAborted(f"the peer has gone: {WORDS[due[0].what]}")
