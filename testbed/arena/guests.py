"""Guests that no policy has seen: drawn from a key, and the same ones from the same key, anywhere and always.

    sha256(key, number, word)  ──▶  a number in 0..1 for each thing that is drawn

Half of them dirty at 0.9 to 3 times what their link carries (policies differ there and nowhere else), a quarter changes
between busy and calm. A guest is a case of a scenario, so anybody can run it: ``scenario_text``.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from testbed.core.plan import Plan
from testbed.core.text.from_json import Json
from testbed.linux.files.scratch import scratch
from testbed.scenario import Scenario, load

OPEN_KEY = "fast-motion open set 1"
"""Published, so that everybody can try on the same guests; a board that counts has a key that nobody knows before."""
LINKS_G = (5, 10, 25, 40)
LEAST_GIB, MOST_GIB = 16, 128
NEAR, CALM = (0.9, 3.0), (0.3, 0.9)
"""Dirty rate by goodput: of every second guest, and of the others."""
GOALS_S = (0.1, 1.0)
WORKING_SETS = (0.05, 0.8)
"""Of the RAM."""
PATIENCE = 7.0
"""How many times as long as its memory takes to send a migration may take. By then it costs as much as none."""
PHASED = (1, 4)
"""Of eight, those that change between busy and calm: one of each half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArenaGuest:
    """One guest in real-world size: bytes, bytes per second, seconds. ``workload``: its spec as a scenario has it."""

    number: int
    ram_gib: int
    link_g: int
    goal_s: float
    rho: float
    workload: Mapping[str, Json]

    @property
    def goodput(self) -> float:
        """Bytes per second of its link."""
        return self.link_g * 1e9 / 8

    @property
    def sending_s(self) -> float:
        """What its memory takes to send once: what no policy can save."""
        return (self.ram_gib << 30) / self.goodput

    @property
    def words(self) -> str:
        """What it is, in a few words."""
        return (
            f"{self.ram_gib} GiB over {self.link_g} Gbit/s, {self.workload['name']}, rho {self.rho:.2f}, "
            f"goal {self.goal_s * 1000:.0f} ms"
        )


def drawn(key: str, count: int) -> list[ArenaGuest]:
    """The first guests of a key."""
    return [_drawn(_Lot(key, number)) for number in range(1, count + 1)]


class _Lot:
    """Numbers that a key and a guest's number decide."""

    def __init__(self, key: str, number: int) -> None:
        self.key, self.number = key, number

    def share(self, word: str) -> float:
        """From 0 to below 1."""
        digest = hashlib.sha256(f"{self.key}\0{self.number}\0{word}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / (1 << 48)

    def between(self, word: str, low: float, high: float) -> float:
        """As many below the geometric mean as above it, to three digits."""
        return float(f"{low * (high / low) ** self.share(word):.3g}")


def _drawn(lot: _Lot) -> ArenaGuest:
    ram = round(lot.between("ram", LEAST_GIB, MOST_GIB))
    link = LINKS_G[int(lot.share("link") * len(LINKS_G))]
    rho = lot.between("rho", *(NEAR if lot.number % 2 else CALM))
    size = max(1, round(ram * 1024 * lot.between("working set", *WORKING_SETS)))
    rate = rho * link * 1e9 / 8
    return ArenaGuest(
        number=lot.number,
        ram_gib=ram,
        link_g=link,
        goal_s=lot.between("goal", *GOALS_S),
        rho=rho,
        workload=_phases(lot, size, rate) if lot.number % 8 in PHASED else _workload(lot, size, rate),
    )


def _workload(lot: _Lot, size_mib: int, rate: float) -> dict[str, Json]:
    base: dict[str, Json] = {"working_set": f"{size_mib}MiB", "write_rate": f"{rate / 1e6:.6g}MB/s"}
    match int(lot.share("workload") * 3):
        case 0:
            return {"name": "uniform", **base}
        case 1:
            hot = {"hot_share": lot.between("hot", 0.05, 0.3), "hot_rate_share": 0.9}
            return {"name": "hot-cold", **base, **hot}
    return {"name": "zipf", **base, "exponent": lot.between("exponent", 0.6, 1.2)}


def _phases(lot: _Lot, size_mib: int, rate: float) -> dict[str, Json]:
    """Busy and calm, as long each, so that the mean is the rate."""
    swing = lot.between("swing", 0.4, 0.9)
    length = f"{lot.between('length', 5, 40):g}s"
    parts = [_workload(lot, size_mib, rate * share) | {"duration": length} for share in (1 + swing, 1 - swing)]
    return {"name": "phases", "phases": parts}


def scenario_text(guests: Sequence[ArenaGuest], *, size: float = 1.0, time: float = 1.0) -> str:
    """A scenario of these guests, a case each, for the file that anybody runs (JSON, which is YAML too)."""
    cases: list[Json] = [
        {
            "network.vmotion.goodput": f"{each.link_g}Gbit",
            "vm.ram": f"{each.ram_gib}GiB",
            "vm.workload": each.workload,
            "migration.policy.downtime_goal": f"{each.goal_s * 1000:g}ms",
            "migration.timeout": f"{max(1.0, PATIENCE * each.sending_s / time):.3f}s",
        }
        for each in guests
    ]
    known: dict[str, Json] = {
        "name": "arena",
        "title": "guests of the arena",
        "scale": {"size": size, "time": time},
        "network": {"vmotion": {"goodput": "10Gbit"}},
        "vm": {"ram": "16GiB"},
        "migration": {"policy": {"name": "plain"}},
        "matrix": {"cases": cases},
    }
    return json.dumps(known, indent=1) + "\n"


def scenario_of(guests: Sequence[ArenaGuest], *, size: float = 1.0, time: float = 1.0) -> Scenario:
    """The scenario of ``scenario_text``."""
    with scratch("arena") as folder:
        file = folder / "arena.yaml"
        file.write_text(scenario_text(guests, size=size, time=time), encoding="utf-8")
        return load(file)


def plans(guests: Sequence[ArenaGuest]) -> list[Plan]:
    """What is asked of a migration of each in the model, at full size; the policy is still to be put in."""
    return scenario_of(guests).plans()
