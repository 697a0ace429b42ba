"""Conditions that a comparison fails by: ``slower=5%`` where the total time is over 5 % more than the first group's.

Of every figure that is compared more is worse. What is neither shown to be worse than its bound nor shown not to be is
not known: that is neither a pass nor a failure.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from testbed.core.errors import ScenarioError
from testbed.core.text.nearest import nearest
from testbed.report.side.comparison import Comparison, ComparisonLine
from testbed.report.side.measures import MEASURES, THROTTLED, Measure
from testbed.report.side.runs import groups_of
from testbed.report.side.several import Bound, BoundStanding
from testbed.report.words.digits import per_cent

SLOWER, HALT = "slower", "longest_halt_s SERVICE"
"""What is said for ``total_time_s``; and how the halt of a service is."""
_WRITTEN = re.compile(r"\s*(.+?)\s*=\s*([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*%\s*")
_WORDS = {BoundStanding.BEYOND: "failed", BoundStanding.WITHIN: "held", BoundStanding.OPEN: "not known"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FailIf:
    """``figure``: a measure's key; more of it by over ``share`` (0.05: 5 %) fails. ``text``: as it was written."""

    text: str
    figure: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCondition:
    """A condition held against one group of one migration (empty where there is just one), and why it came out so."""

    condition: FailIf
    migration: str
    group: str
    standing: BoundStanding
    reason: str

    @property
    def name(self) -> str:
        """What was judged, in words."""
        where = f"{self.migration} in {self.group}" if self.migration else self.group
        return f"{self.condition.text}: {where}"

    def __str__(self) -> str:
        return f"{self.name}: {_WORDS[self.standing]}: {self.reason}"


def condition(text: str) -> FailIf:
    """``FIGURE=SHARE%``, FIGURE as ``--json`` names it, with or without its unit. Raises ``ScenarioError``."""
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise ScenarioError(f"--fail-if {text}: write FIGURE=SHARE%, as slower=5% or downtime_s=10%")
    known = _names([*MEASURES, THROTTLED])
    name = written[1]
    figure = name if name.startswith("longest_halt_s ") else known.get(name)
    if figure is None:
        raise ScenarioError(f"--fail-if {text}: no figure is called '{name}'; {nearest(name, [*known, HALT])}")
    return FailIf(text=text.strip(), figure=figure, share=float(written[2]) / 100)


def judged(compared: Comparison, conditions: Sequence[FailIf]) -> list[JudgedCondition]:
    """Each condition against each group but the first. Raises ``ScenarioError`` for a figure that these runs do not
    have, or where there is one group only.
    """
    found = [each for one in conditions for each in _of(compared, one)]
    for one in conditions:
        if not any(each.condition is one for each in found):
            there = ", ".join(dict.fromkeys(line.measure.key for line in compared.lines))
            raise ScenarioError(f"--fail-if {one.text}: nothing is held against it in these runs; they have {there}")
    return found


def _of(compared: Comparison, one: FailIf) -> Iterator[JudgedCondition]:
    lines = [line for line in compared.lines if line.measure.key == one.figure]
    for line in lines:
        if line.base is not None or line.doubt:
            yield _line(one, line)
    for migration in dict.fromkeys(line.migration for line in lines):
        here = {line.group for line in lines if line.migration == migration}
        for group in _broken(compared, migration, here):
            reason = "none of its migrations completed"
            yield JudgedCondition(
                condition=one, migration=migration, group=group, standing=BoundStanding.BEYOND, reason=reason
            )


def _broken(compared: Comparison, migration: str, here: set[str]) -> Iterator[str]:
    """Groups that made the migration and did not complete it once."""
    groups = groups_of(compared.runs)
    if len(groups) == 1:
        done = [each for run in compared.runs for each in run.summary.migrations]
        names = {each.name for each in done} - {each.name for each in done if each.outcome == "completed"}
        yield from sorted(names - here)
        return
    for label, runs in list(groups.items())[1:]:
        made = [each for run in runs for each in run.summary.migrations if migration in ("", each.name)]
        if label not in here and made and not any(each.outcome == "completed" for each in made):
            yield label


def _line(one: FailIf, line: ComparisonLine) -> JudgedCondition:
    if line.base is None:
        standing, reason = BoundStanding.OPEN, line.doubt
    else:
        bound = line.bound(one.share)
        standing, reason = bound.standing, _reason(one, line, bound)
    return JudgedCondition(condition=one, migration=line.migration, group=line.group, standing=standing, reason=reason)


def _reason(one: FailIf, line: ComparisonLine, bound: Bound) -> str:
    """How much more it is, with its interval: the bound's distance in shares of the base is the figure's own."""
    if bound.share is None or not line.base:
        return f"{line.doubt or 'there is no share of it'}; the first group's is 0"
    if bound.difference is None:
        return f"{per_cent([bound.share])[0]}; {line.doubt}"
    ends = [one.share + each / abs(line.base) for each in (bound.difference.low, bound.difference.high)]
    value, low, high = per_cent([bound.share, *ends], ends[1] - ends[0])
    more = "; more repeats may tell (run with --repeat)" if bound.standing is BoundStanding.OPEN else ""
    return f"{value} [{low}, {high}]{more}"


def _names(known: Sequence[Measure]) -> dict[str, str]:
    """Each figure's key by what it may be called."""
    bare = {measure.key.removesuffix("_s"): measure.key for measure in known}
    return bare | {measure.key: measure.key for measure in known} | {SLOWER: "total_time_s"}
