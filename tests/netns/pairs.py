"""How far two makings of one run are apart, on real hosts and against the model: what the bounds of ``--rerun`` are of.

sudo python -m tests.netns.pairs rounds,downtime 3      each run of these labs three times, of one student
"""

import sys
from itertools import combinations

from testbed.core.errors import ScenarioError
from testbed.grades.rerun.again import run_again
from testbed.grades.rerun.messages import RunFigures, Wanted
from testbed.labs import find

WHO = "student@uni.example"


def apart(one: float | None, other: float | None) -> float:
    """As a share of the larger one."""
    return abs(one - other) / max(one, other) if one and other else 0.0


def told(what: str, pairs: list[tuple[RunFigures, RunFigures]]) -> str:
    rounds = max((abs(one.rounds - other.rounds) for one, other in pairs), default=0)
    sent = max((apart(one.sent, other.sent) for one, other in pairs), default=0.0)
    total = max((apart(one.total_s, other.total_s) for one, other in pairs), default=0.0)
    return f"{len(pairs)} pairs {what}: at most {rounds} rounds, {sent:.1%} sent, {total:.1%} total apart"


def main(labs: str, times: int) -> None:
    native, across = list[tuple[RunFigures, RunFigures]](), list[tuple[RunFigures, RunFigures]]()
    for lab in map(find, labs.split(",")):
        for run in lab.spec.runs:
            wanted = Wanted(student=WHO, course="net-2026", run=run, engine="native")
            try:
                model = run_again(lab, Wanted(student=WHO, course="net-2026", run=run, engine="simulated"))
                made = [run_again(lab, wanted) for _ in range(times)]
            except ScenarioError as without:  # what students have to set first
                sys.stdout.write(f"{lab.name}, {run}: {without}\n")
                continue
            for number, expected in enumerate(model.migrations):
                known = [each.migrations[number] for each in made if each.migrations[number].valid]
                native += combinations(known, 2)
                across += [(each, expected) for each in known]
    sys.stdout.write(f"{told('of real hosts', native)}\n{told('with the model', across)}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
