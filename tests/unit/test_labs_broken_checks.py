"""A teacher's check that is no check breaks by itself: it passes nobody, costs nothing, and the others are asked."""

from pathlib import Path

import pytest

from testbed.labs.starting import start
from tests.unit.learning import ME, a_lab, answer, by_name, judged

SPEC = "lab: mine\ntitle: mine\nminutes: 1\nruns: {}\n"
CHECKS = """\
from testbed.labs.check import Wrong, check

@check(3, "it")
{code}

@check(2, "right")
def right(lab, run): ...
"""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def it(lab, run): return 1 == 2", "it returned False; to find an answer wrong, raise Wrong(...)"),
        ("def it(lab, run): return True", "it returned True"),
        ("async def it(lab, run): raise Wrong('no')", "it returned a coroutine"),
        ("def it(lab, run): yield", "it returned a generator"),
        ("def it(lab, run): raise SystemExit('bye')", "SystemExit: bye"),
        ("def it(lab, run): raise Wrong(3)", "the reason of Wrong(...) is a text, not 3 (int)"),
        ("def it(lab, run): raise Wrong('no', None)", "the hint of Wrong(...) is a text, not None"),
        ("def it(lab, run): raise Wrong('no', share=None)", "is a number from 0 to 1, not None"),
        ("def it(lab, run): raise Wrong('no', share=float('nan'))", "is a number from 0 to 1, not nan (float)"),
    ],
)
def test_a_check_that_does_not_raise_what_is_wrong_has_broken(tmp_path: Path, code: str, said: str) -> None:
    lab = a_lab(tmp_path / "lab", SPEC, CHECKS.format(code=code))
    folder = start(lab, ME, "", tmp_path / "mine")
    answer(folder, {})
    found = by_name(judged(folder, lab))
    assert found["it"].reason.startswith("the check itself broke, checks.py:") and said in found["it"].reason
    assert (found["it"].standing, found["right"].standing) == ("not asked", "right")
