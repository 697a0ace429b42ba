"""A simulated run, made again: the same scenario and seed through the same model give the same figures."""

import re
from collections.abc import Iterator
from dataclasses import asdict

from testbed.audit.agreement import Agreement, not_known, settled
from testbed.audit.subject import MOST_OPERATIONS, Subject
from testbed.core.errors import Overdue, TestbedError
from testbed.core.plan import Plan
from testbed.core.records.migration import MigrationRecord
from testbed.core.text.leaves import leaves
from testbed.core.text.printable import printable
from testbed.engines.simulated import run
from testbed.experiment.environment import code
from testbed.linux.processes.time_limit import time_limit
from testbed.runfiles.agreement import alike

LONGEST_S = 10.0
"""Of one migration; where one takes longer, none after it is made again."""
COST = MOST_OPERATIONS >> 9
"""What one takes of what may be recomputed of a run."""
_ITEM = re.compile(r"(?P<name>\w+?)s?\.(?P<index>[0-9]+)(?P<below>\.)?")
ABSENT = "nothing"
OTHER = "another version of the model may have made it"
"""Begins why an unlike run is not known to be wrong."""


def of(subject: Subject) -> Iterator[Agreement]:
    """The agreement ``model``: a simulated run, made again, is the same; nothing of a run that was none."""
    if not subject.simulated:
        return
    if own := subject.own_policy or subject.own_workload:
        yield not_known("model", f"{printable(own, 60)} is a file of one's own, and is not run")
    elif subject.plan is None:
        yield not_known("model", subject.unplanned)
    elif not subject.allowance.take(COST):
        yield not_known("model", "to make so many again would take too long")
    else:
        yield _again(subject, subject.plan)


def _again(subject: Subject, plan: Plan) -> Agreement:
    try:
        with time_limit(LONGEST_S):
            made = run(plan)
    except TestbedError as fault:
        return not_known("model", f"it cannot be made again: {fault}")
    except Overdue:
        subject.allowance.left = 0
        return not_known("model", f"to make it again takes more than {LONGEST_S:g} s")
    wrong = list(_unlike(subject.done, made))
    if wrong and (subject.code != code()):
        return not_known("model", f"{OTHER}: {wrong[0]}")
    return settled("model", f"made again with seed {plan.seed}, its {len(made.rounds)} rounds are the same", wrong)


def _unlike(done: MigrationRecord, made: MigrationRecord) -> Iterator[str]:
    """All that differs, whatever it is: nothing else of a simulated run says whether a figure was changed."""
    if len(done.rounds) != len(made.rounds):
        yield f"it has {len(done.rounds)} rounds, the model makes {len(made.rounds)}"
    said, says = leaves(asdict(done)), leaves(asdict(made))
    for path in dict.fromkeys([*said, *says]):
        one, other = (each.get(path, ABSENT) for each in (said, says))
        if not _same(one, other):
            shown, wanted = (printable(str(each), 60) for each in (one, other))
            yield f"{_ITEM.sub(_counted, path)} is {shown}, the model says {wanted}"


def _counted(item: re.Match[str]) -> str:
    """``rounds.1.kind`` as ``round 2: kind``."""
    return f"{item['name']} {int(item['index']) + 1}" + (": " if item["below"] else "")


def _same(a: object, b: object) -> bool:
    return alike(a, b) if isinstance(a, int | float) and isinstance(b, int | float) else a == b
