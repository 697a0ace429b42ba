"""The run's own axis: marks in their order, and rounds that ended when they say they did."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from testbed.audit.agreement import Agreement, not_known, settled
from testbed.audit.subject import Subject
from testbed.core.rounds import Round
from testbed.core.text.from_json import built
from testbed.runfiles.samples import Recording

MARKS = ("running", "migrate", "ended", "cooled")
LATE_S = 0.3
"""How much later than it ended a round may be written down, by a run that waits for a processor. Where that waited for
longer its samples have a gap.
"""
GREETING_S = 1.0
"""In which the agents have met, on a busy machine too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledRound:
    """A round as it was written down among the samples, at ``at`` (s, CLOCK_MONOTONIC)."""

    at: float
    round: Round

    @property
    def began(self) -> float:
        """When it began, if it was written down at its end."""
        return self.at - self.round.duration_s


def of(subject: Subject) -> Iterator[Agreement]:
    """The agreement ``clock``: marks in order, rounds within them."""
    recording = subject.recording
    if recording is None:
        yield not_known("clock", "nothing was sampled")
    else:
        yield settled("clock", "marks are in order, and rounds end when samples.jsonl has them", _wrong(recording))


def noted(recording: Recording) -> list[SampledRound]:
    """The rounds that can be read, in the order of the file."""
    found = []
    for row in recording.events:
        if row["event"] == "round":
            try:
                found.append(SampledRound(at=float(row["t"]), round=built(Round, row.get("round"))))
            except ValueError:
                continue  # ``events`` says so
    return found


def _wrong(recording: Recording) -> Iterator[str]:
    marks = [(name, at) for name in MARKS if (at := recording.mark(name)) is not None]
    for (before, a), (after, b) in pairwise(marks):
        if b < a:
            yield f"the mark {after} is before {before}"
    known, rounds, late = dict(marks), noted(recording), max(LATE_S, _gap(recording))
    yield from _late(rounds, known.get("migrate"), late)
    for each in rounds:
        if "migrate" in known and each.began < known["migrate"] - late:
            yield f"round {each.round.index} began before the migration was asked for"
        if "ended" in known and each.at > known["ended"] + late:
            yield f"round {each.round.index} ended after the migration had"


def _late(rounds: list[SampledRound], asked: float | None, late: float) -> Iterator[str]:
    """By its own clock the source began at one moment; seen from each round it may only seem to be a little later."""
    begins = [each.at - each.round.started_s - each.round.duration_s for each in rounds]
    for each, begin in zip(rounds, begins, strict=True):
        if begin > min(begins) + late:
            yield f"round {each.round.index} was written down {begin - min(begins):.3g} s after its end"
    if asked is not None and begins and min(begins) > asked + max(GREETING_S, late):
        yield f"by its rounds the source began {min(begins) - asked:.3g} s after it was asked to"


def _gap(recording: Recording) -> float:
    """The longest time (s) that went by without a sample."""
    times = sorted(float(row["t"]) for rows in recording.rows.values() for row in rows)
    return max((after - before for before, after in pairwise(times)), default=0.0)
