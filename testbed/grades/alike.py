"""What two hand-ins have that only one of them can have made: a figure that was measured, a text that was thought of.

It is told to the teacher and costs no points: friends may work together, and who copied from whom is not in it.
"""

import difflib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.core.text.from_json import Json
from testbed.core.text.yaml_text import tree_of
from testbed.labs.answers import ANSWERS
from testbed.labs.workbook import RUNS
from testbed.runfiles import files

DIGITS = 9
"""Of a measured figure: two runs that have so many in common are one."""
TICK_S = 1e-9
"""Of the clock that seconds are measured by. What a figure has below it is rounding, the same for many: a round trip
of 16,735 ns is one of a few thousand.
"""
ALIKE = 0.9
LEAST_TEXT, MOST_TEXT = 40, 4000
"""Characters of a text that is held against others: what is shorter anybody may write."""
MOST_RUNS = 20
MOST_FIGURES = 20_000
"""Of a record, which has a few dozen for a migration: those of all works are kept side by side, whatever is in them."""
LINK = ("goodput", "goodput_back", "rtt_s")
MIGRATION = ("total_time_s", "downtime_s", "guest_gap_s", "client_blackout_s")


@dataclass(frozen=True, slots=True)
class Signs:
    """What a hand-in can be known by: figures by their places in a record, and texts by their questions."""

    figures: Mapping[str, str] = field(default_factory=dict)
    """Each figure as it is written, and where it stands."""
    texts: Mapping[str, str] = field(default_factory=dict)


def signs(folder: Path, texts: frozenset[str] | None = None) -> Signs:
    """Those of a hand-in that is open; ``texts``: the questions that are answered in one's own words, None: all. What
    cannot be read has none.
    """
    figures: dict[str, str] = {}
    for file in sorted((folder / RUNS).glob("*/summary.json"))[:MOST_RUNS]:
        try:
            summary = files.parsed(file, files.MOST_SUMMARY)
        except ScenarioError:
            continue
        for place, figure in itertools.islice(_figures(summary), MOST_FIGURES):
            figures.setdefault(figure, place)
    return Signs(figures, _texts(folder / ANSWERS, texts))


def shared(works: Sequence[Signs], names: Sequence[str], students: Sequence[str]) -> list[list[str]]:
    """For each work a sentence for each other that it shares something with; ``names`` are those of the hand-ins."""
    called = [f"{name} ({student})" if student else name for name, student in zip(names, students, strict=True)]
    flags: list[list[str]] = [[] for _ in works]
    for one, other in itertools.combinations(range(len(works)), 2):
        texts = list(_alike(works[one], works[other]))
        for mine, theirs in ((one, other), (other, one)):
            flags[mine] += _same_figures(works[mine], works[theirs], called[theirs])
            flags[mine] += [
                f"the answer '{question}' is {100 * ratio:.0f} % that of {called[theirs]}" for question, ratio in texts
            ]
    return flags


def _same_figures(mine: Signs, theirs: Signs, whose: str) -> Iterator[str]:
    if mine.figures.keys().isdisjoint(theirs.figures):
        return
    first, *others = (figure for figure in mine.figures if figure in theirs.figures)
    more = f" and {len(others)} more" if others else ""
    yield f"the same measured figures as {whose}: {mine.figures[first]} {first}{more}"


def _alike(one: Signs, other: Signs) -> Iterator[tuple[str, float]]:
    for question, text in one.texts.items():
        theirs = other.texts.get(question)
        if theirs is None:
            continue
        first, second = sorted((text.split(), theirs.split()))  # by words: letters are alike in any two texts
        match = difflib.SequenceMatcher(None, first, second, autojunk=False)
        if match.real_quick_ratio() > ALIKE and match.quick_ratio() > ALIKE and (ratio := match.ratio()) > ALIKE:
            yield question, ratio


def _figures(summary: Json) -> Iterator[tuple[str, str]]:
    """Places and figures that were measured, of many digits. A simulated run's follow from its parameters, which two
    may share: with its seed and the second in which it was made they are still its own, however short.
    """
    if not isinstance(summary, Mapping):
        return
    made = f" of seed {summary.get('seed')!s:.20} at {summary.get('started_at')!s:.40}"
    simulated = made if summary.get("engine") != "native" else ""
    migrations = summary.get("migrations")
    for each in migrations if isinstance(migrations, list) else ():
        if isinstance(each, Mapping):
            for place, known in _measured(each):
                if _is_long(place, known) or (simulated and isinstance(known, float)):
                    yield place, f"{known!r}{simulated}"


def _measured(migration: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    link, phases = migration.get("link"), migration.get("downtime_phases_s")
    rounds = migration.get("rounds")
    yield from ((name, migration.get(name)) for name in MIGRATION)
    yield from ((f"link.{name}", link.get(name)) for name in LINK if isinstance(link, Mapping))
    yield from (
        ((f"downtime_phases_s.{name:.20}", known) for name, known in phases.items())
        if isinstance(phases, Mapping)
        else ()
    )
    for number, each in enumerate(rounds if isinstance(rounds, list) else (), 1):
        if isinstance(each, Mapping):
            yield f"rounds[{number}].duration_s", each.get("duration_s")


def _is_long(place: str, known: Json) -> bool:
    if not isinstance(known, float):
        return False
    digits = re.sub(r"[^0-9]", "", repr(known).partition("e")[0]).strip("0")
    in_seconds = place.partition(".")[0] == "downtime_phases_s" or place.endswith("_s")
    return len(digits) >= DIGITS and (not in_seconds or known >= TICK_S * 10 ** (DIGITS - 1))


def _texts(file: Path, wanted: frozenset[str] | None) -> dict[str, str]:
    try:
        answers, _ = tree_of(files.text(file, files.MOST_SCENARIO), file.name)
    except ScenarioError:
        return {}
    known = {
        question: " ".join(answer.lower().split())[:MOST_TEXT]
        for question, answer in answers.items()
        if isinstance(answer, str) and (wanted is None or question in wanted)
    }
    return {question: answer for question, answer in known.items() if len(answer) >= LEAST_TEXT}
