"""A class of any lab whose hand-ins are generated: right ones, known mistakes, edited records, copies, what is
of another lab. Beside them lies what grading has to find (``oracle``).

python -m tests.unit.classmates FOLDER 30 --lab limit                           so many, to be graded by hand
testbed grade FOLDER/handed-in --lab limit --json FOLDER/grades.json
python -m tests.unit.classmates FOLDER --held-against FOLDER/grades.json        a line for what is not as it should be
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import TypeAlias

from tests.unit import oracle
from tests.unit.cheats import CAREFUL, ONE_FILE, UNFOUND
from tests.unit.oracle import Expected
from tests.unit.students import Classmates

Kind: TypeAlias = Callable[[str, str], Expected]
"""Of a student, and a friend who was right in all."""


def kinds(made: Classmates) -> Iterator[Kind]:
    """What else there is but right work and known mistakes, one after the other of another sort."""
    cheats = [*ONE_FILE.items(), *CAREFUL.items(), *UNFOUND.items()] if made.has_runs else []
    sorts: list[list[Kind]] = [
        [_edited(made, name) for name, _ in cheats],
        [*_copies(made), *_foreign(made)],
        [*_answers(made)],
    ]
    for index in range(max(map(len, sorts))):
        yield from (sort[index] for sort in sorts if index < len(sort))


def _edited(made: Classmates, name: str) -> Kind:
    cheat = {**ONE_FILE, **CAREFUL, **UNFOUND}[name]
    return lambda student, _friend: made.edited(student, name, cheat)


def _copies(made: Classmates) -> Iterator[Kind]:
    if made.has_runs:
        yield made.copied
        yield lambda student, friend: made.copied(student, friend, relabelled=True)
        yield lambda student, friend: made.copied(student, friend, relabelled=True, replanned=True)
    yield made.whole
    yield made.under_their_lock
    yield made.told
    yield made.changed_after_packing


def _foreign(made: Classmates) -> Iterator[Kind]:
    other = "rounds" if made.lab.name == "hello" else "hello"
    yield lambda student, _friend: made.of_another(student, "lab", other, f"this is work of the lab '{other}'")
    yield lambda student, _friend: made.of_another(student, "version", "0", "was started with version 0")
    yield lambda student, _friend: made.of_another_course(student)


def _answers(made: Classmates) -> Iterator[Kind]:
    yield lambda student, _friend: made.answering(student, "a text", "about seven", "must be a")
    yield lambda student, _friend: made.answering(student, "NaN", float("nan"), "must be a")
    yield lambda student, _friend: made.answering(student, "none", None, "is not answered yet")
    yield lambda student, _friend: made.begun_only(student)
    if made.has_runs:
        yield lambda student, _friend: made.half(student)
        yield lambda student, _friend: made.foreseen_later(student, in_record=False)
        yield lambda student, _friend: made.foreseen_later(student, in_record=True)


def a_class(made: Classmates, size: int) -> list[Expected]:
    """A tenth is right, a fifth mistaken, and the others are of all kinds, in turn: in each lab others come first."""
    names = [f"student-{number:02}@uni.example" for number in range(1, size + 1)]
    right, mistaken = names[: max(2, size // 10)], names[max(2, size // 10) :][: size // 5]
    for name in right:
        made.right(name)
    for name, mistake in zip(mistaken, cycle(made.wrong), strict=False):
        made.mistaken(name, mistake)
    others, number = names[len(right) + len(mistaken) :], int(made.lab.path.name.partition("-")[0])
    turn = islice(cycle(kinds(made)), number * len(others), None)
    for name, friend, kind in zip(others, cycle(right), turn, strict=False):
        kind(name, friend)
    return made.expected


def main(words: Sequence[str]) -> int:
    """Makes a class, or holds its grades against what they should be."""
    asked = argparse.ArgumentParser(prog="python -m tests.unit.classmates")
    asked.add_argument("folder", type=Path)
    asked.add_argument("size", type=int, nargs="?", default=30)
    asked.add_argument("--lab", default="rounds")
    asked.add_argument("--held-against", type=Path, metavar="GRADES")
    given = asked.parse_args(words)
    if given.held_against:
        expected = oracle.read(given.folder)
        wrong = [*oracle.differing(expected, json.loads(given.held_against.read_text()))]
        said = [*wrong, f"{len(expected)} hand-ins, {len(wrong)} things are not as they should be"]
        sys.stdout.write("\n".join(said) + "\n")
        return int(bool(wrong))
    begun = time.perf_counter()
    expected = a_class(Classmates(given.folder, given.lab), given.size)
    oracle.write(expected, given.folder)
    sys.stdout.write(f"{len(expected)} hand-ins of '{given.lab}' in {time.perf_counter() - begun:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
