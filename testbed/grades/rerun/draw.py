"""Which hand-ins are run again: those whose ``sha256(seed, student, hand-in)`` are the lowest.

Whoever does not know the seed cannot foresee them, and whoever does draws the same ones, whatever else was handed in.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from testbed.core.errors import ScenarioError
from testbed.core.text.printable import printable
from testbed.grades.work import GradedWork

_SHARE = re.compile(r"(?P<number>[0-9]{1,6}(\.[0-9]{1,6})?)(?P<percent> ?%)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDraw:
    """So many hand-ins (``count``), or a ``share`` of them, 0 to 1; at least one, where there is any."""

    seed: str
    share: float = 0.0
    count: int = 0

    @classmethod
    def of(cls, asked: str, seed: str | None = None) -> "SampleDraw":
        """What ``5%`` or ``3`` asks for; without a seed one that nobody knows yet. Raises ``ScenarioError``."""
        known = _SHARE.fullmatch(asked.strip())
        number = float(known["number"]) if known else 0.0
        percent = bool(known and known["percent"])
        if not number or (percent and number > 100) or not (percent or number.is_integer()):
            what = f"must be a share of the hand-ins such as 5%, or how many, not '{printable(asked, 40)}'"
            raise ScenarioError(what, "--rerun")
        if seed == "":
            raise ScenarioError("is empty: it is any text, such as the one that a grading has said", "--rerun-seed")
        seed = seed or secrets.token_hex(8)
        return cls(seed=seed, share=number / 100) if percent else cls(seed=seed, count=int(number))

    def drawn(self, works: Sequence[GradedWork]) -> list[int]:
        """Which of the works, by their places; only those of which a run counts are drawn from."""
        known = [number for number, each in enumerate(works) if has_run(each)]
        wanted = self.count or -int(-self.share * len(known) // 1)
        return sorted(sorted(known, key=lambda number: self._rank(works[number]))[:wanted])

    def _rank(self, work: GradedWork) -> bytes:
        return hashlib.sha256("\0".join((self.seed, work.student, work.handin)).encode()).digest()


def has_run(work: GradedWork) -> bool:
    """Whether a run of that hand-in counts: a record that is not its student's own needs no second look."""
    return any(each.check == "own" and each.standing in ("right", "partly") for each in work.graded.results)
