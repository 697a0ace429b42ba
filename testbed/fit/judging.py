"""What a plan needs held against what a machine has, and the smallest scale.size that fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from testbed.fit.needs import BESIDE, Needs

Verdict: TypeAlias = Literal["fits", "near", "too slow", "too large"]
"""From best to worst. ``near``: it may come out invalid. ``too large``: it cannot be made here, for want of memory."""
ORDER: tuple[Verdict, ...] = ("fits", "near", "too slow", "too large")
NEAR_MEMORY = 0.9
"""Share of the memory from which on it is near."""
NEAR_CORES, SLOW_CORES = 0.5, 1.4
"""Processors needed, of those that there are: from here on it is near, and too slow. Half of the need comes at once."""
LARGEST = 4096.0
"""No scale.size beyond so many times the one at hand is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a machine has for us now. ``of``: who has no more memory (``linux.memory.room``). ``cores``: processors as
    fast as those that the needs were measured on, which others may share; None: not known. ``speed``: one's, as a share
    of theirs. ``at_least``: no more were asked for. ``got``: what we got of them where we did not get all that we asked
    for.
    """

    memory: int
    of: str = "this machine has"
    cores: float | None = None
    speed: float = 1.0
    at_least: bool = False
    got: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How a scenario fits: its migration that fits least. ``cores``: needed, as a share of what there is."""

    verdict: Verdict
    needs: Needs
    machine: Abilities
    factor: float | None = None
    """By how much a larger scale.size mends it; None: nothing needs to be mended, or no scale does."""
    after: Verdict = "fits"
    """What it is then: what would only be ``near`` is still a way where there is no better one."""

    @property
    def cores(self) -> float:
        """Processors that are needed here."""
        return self.needs.cores(self.machine.speed)

    @property
    def share(self) -> float:
        """What is needed of the processors that there are."""
        return _share(self.needs, self.machine)


def judge(needs: Needs, machine: Abilities) -> Verdict:
    """How one migration fits a machine."""
    if needs.memory > machine.memory:
        return "too large"
    share = _share(needs, machine)
    if share > SLOW_CORES:
        return "too slow"
    close = share > NEAR_CORES or crowded(needs, machine) or needs.memory > NEAR_MEMORY * machine.memory
    return "near" if close else "fits"


def crowded(needs: Needs, machine: Abilities) -> bool:
    """Whether others leave less than is needed. A run, which sleeps more than it works, mostly gets it all the same."""
    return machine.got is not None and needs.cores(machine.speed) > machine.got


def enough(needs: Needs) -> float:
    """With how many processors one migration fits."""
    return needs.cores() / NEAR_CORES


def fit(needs: Sequence[Needs], machine: Abilities) -> Fit:
    """How a scenario fits a machine, and what mends that."""
    worst = _worst(needs, machine)
    verdict = judge(worst, machine)
    factor, after = (None, verdict) if verdict == "fits" else _mended(needs, machine, verdict)
    return Fit(verdict=verdict, needs=worst, machine=machine, factor=factor, after=after)


def largest_guest(machine: Abilities) -> int:
    """How many bytes the largest guest has that there is room for two copies of; 0: none."""
    return max(0, (machine.memory - BESIDE) // 2)


def _mended(needs: Sequence[Needs], machine: Abilities, now: Verdict) -> tuple[float | None, Verdict]:
    """The first power of two with which all of them fit, and that they do. Where there is none: the first with which
    they have at least the processors that they need, where they had not, or the memory.
    """
    better: tuple[float | None, Verdict] = (None, now)
    factor = 2.0
    while factor <= LARGEST:
        smaller = [each.smaller(factor) for each in needs]
        if any(each.ram < each.least for each in smaller):
            break
        worst = _worst(smaller, machine)
        after = judge(worst, machine)
        if after == "fits":
            return factor, after
        if better[0] is None and ORDER.index(after) < ORDER.index(now) and _share(worst, machine) <= 1:
            better = factor, after
        factor *= 2
    return better


def _worst(needs: Sequence[Needs], machine: Abilities) -> Needs:
    return max(needs, key=lambda each: (ORDER.index(judge(each, machine)), _share(each, machine), each.memory))


def _share(needs: Needs, machine: Abilities) -> float:
    return 0.0 if machine.cores is None else needs.cores(machine.speed) / max(machine.cores, 1e-6)
