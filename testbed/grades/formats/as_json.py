"""Grades as JSON, with all that is known of each hand-in."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from testbed.core.version import __version__
from testbed.grades.work import GradedWork

SCHEMA = 1


def document(works: Sequence[GradedWork]) -> str:
    """All works, as ``{"schema": 1, "works": [...]}``."""
    known = [
        {
            "handin": work.handin,
            "student": work.student,
            "lab": work.graded.lab,
            "version": work.graded.version,
            "course": work.graded.course,
            "score": work.score,
            "max": work.most,
            "late_days": work.days_late,
            "fault": work.graded.fault,
            "reasons": work.reasons,
            "flags": list(work.flags),
            "checks": [asdict(each) for each in work.graded.results],
        }
        for work in works
    ]
    return json.dumps({"schema": SCHEMA, "testbed_version": __version__, "works": known}, indent=2) + "\n"
