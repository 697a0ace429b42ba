"""Gradescope's ``results.json``: one hand-in, a test a check, with the reasons that its student is to see.

Flags are the teacher's: they go into ``extra_data``, which students are not shown. Nothing is hidden, for a hidden test
hides the sum too.
"""

import json

from testbed.core.text.from_json import Json, JsonObject
from testbed.grades.work import GradedWork, told
from testbed.labs.graded import CheckResult


def document(work: GradedWork) -> str:
    """What Gradescope takes, with a score of 0 and the fault where nothing could be judged."""
    tests: list[Json] = [_test(number, each) for number, each in enumerate(work.graded.results, 1)]
    extra: JsonObject = {
        "lab": work.graded.lab,
        "version": work.graded.version,
        "student": work.graded.student,
        "handin": work.handin,
        "late_days": work.days_late,
        "flags": list(work.flags),
    }
    made: JsonObject = {
        "score": work.entry,
        "output": _output(work),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": extra,
        "tests": tests,
    }
    return json.dumps(made, indent=2) + "\n"


def unfinished(sentence: str) -> str:
    """What stands there until it is done, and stays when it never is."""
    return json.dumps({"score": 0, "output": sentence, "output_format": "text", "tests": []}, indent=2) + "\n"


def _output(work: GradedWork) -> str:
    if work.graded.fault:
        return f"This could not be graded: {work.graded.fault}"
    late = work.reasons[-1] if work.days_late else ""
    return "\n".join(filter(None, (f"{work.score} of {work.most} points.", late, work.in_proportion)))


def _test(number: int, result: CheckResult) -> JsonObject:
    asked = result.standing != "not asked"
    made: JsonObject = {
        "name": result.sentence or result.check,
        "number": str(number),
        "score": result.earned,
        "max_score": result.points if asked else 0,
        "output": told(result) or "right",
        "output_format": "text",
        "visibility": "visible",
        "extra_data": {"check": result.check, "standing": result.standing},
    }
    if result.standing in ("right", "partly", "wrong"):
        made["status"] = "passed" if result.standing == "right" else "failed"
    return made
