"""What GitHub Classroom's autograding reporter reads: a step's output ``result``, JSON in base64. It adds up the tests'
points by itself: where a course or lateness makes them others, each test has its share of what is left.

Classroom itself has ended; its actions still run, and others read what they read.
"""

import base64
import json

from testbed.core.text.from_json import JsonObject
from testbed.grades.work import GradedWork, told


def document(work: GradedWork) -> str:
    """The line ``result=...`` for ``$GITHUB_OUTPUT``, with one error where nothing could be judged."""
    if work.graded.fault:
        return _line("error", 0, [_test("hand-in", "error", message=work.graded.fault)])
    shares = _shares([each.earned for each in work.asked], work.score)
    tests: list[JsonObject] = [
        _test(each.check, "pass" if each.standing == "right" else "fail", told(each), share, each.sentence)
        for each, share in zip(work.asked, shares, strict=True)
    ]
    if work.days_late:
        tests.append(_test("late", "pass", message=work.reasons[-1]))
    right = all(test["status"] == "pass" for test in tests)
    return _line("pass" if right else "fail", work.most, tests)


def _shares(earned: list[int], total: int) -> list[int]:
    """Whole numbers in proportion to those, which come to ``total``; what is left goes to the largest remainders."""
    whole = sum(earned)
    if not whole:
        return earned
    shares = [each * total // whole for each in earned]
    nearest = sorted(range(len(earned)), key=lambda index: -(earned[index] * total % whole))
    for index in nearest[: total - sum(shares)]:
        shares[index] += 1
    return shares


def _test(name: str, status: str, message: str, score: int = 0, code: str = "") -> JsonObject:
    return {
        "name": name, "status": status, "score": score, "message": message, "test_code": code,
        "filename": "", "line_no": 0, "duration": 0,
    }  # fmt: skip


def _line(status: str, most: int, tests: list[JsonObject]) -> str:
    made = {"version": 1, "status": status, "max_score": most, "tests": tests}
    return f"result={base64.b64encode(json.dumps(made).encode()).decode()}\n"
