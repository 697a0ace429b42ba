"""What a migration costs, as one number: the lower the better. The weights are the teacher's, and stand on each board.

    price = time x (T - M/B) / (M/B)  +  work x lost / (M/B)  +  downtime x min(most, max(0, downtime / goal - 1))

T: from asked to released. M/B: what sending the memory once takes, which no policy can save. lost: the guest's work
that throttles took, in seconds of it. A migration that did not complete costs ``failed``.
"""

from dataclasses import asdict, dataclass, fields, replace

from testbed.core.errors import ScenarioError
from testbed.core.text.nearest import nearest
from testbed.core.text.printable import printable

MOST = 1e6
"""Of a weight: beyond that a mean of prices might be no number any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much each thing counts. ``most`` bounds by how many goals a downtime that is too long counts."""

    time: float = 0.5
    work: float = 1.0
    downtime: float = 0.2
    most: float = 10.0
    failed: float = 3.0

    @property
    def words(self) -> str:
        """Weights as ``--weights`` takes them: ``time=0.5,work=1,...``."""
        return ",".join(f"{name}={value:g}" for name, value in asdict(self).items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a migration, in seconds of whatever clock; None where it did not complete."""

    total_time_s: float | None
    downtime_s: float | None
    lost_s: float


def price(weights: Weights, done: Outcome, *, sending_s: float, goal_s: float) -> float:
    """The price of a migration of a guest whose memory takes ``sending_s`` to send, with that downtime goal."""
    if done.total_time_s is None or done.downtime_s is None:
        return weights.failed
    longer = max(0.0, done.total_time_s - sending_s) / sending_s
    late = min(weights.most, max(0.0, done.downtime_s / goal_s - 1))
    return weights.time * longer + weights.work * done.lost_s / sending_s + weights.downtime * late


def weights_of(text: str) -> Weights:
    """Weights from ``name=number,name=number``; those that are not named stay. Raises ``ScenarioError``."""
    names = [field.name for field in fields(Weights)]
    given: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        name, _, number = (word.strip() for word in part.partition("="))
        if name in given:
            raise ScenarioError(f"{name} is given twice; leave out one", "--weights")
        if name not in names:
            raise ScenarioError(
                f"no weight is called '{printable(name, 40)}'; {nearest(name[:40], names)}", "--weights"
            )
        try:
            given[name] = float(number)
        except ValueError:
            given[name] = -1.0
        if not 0 <= given[name] <= MOST:
            wanted = f"a number from 0 to {MOST:,.0f}"
            raise ScenarioError(f"{name} is to be {wanted}, not '{printable(number, 40)}'", "--weights")
    return replace(Weights(), **given)
