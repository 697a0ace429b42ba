"""Lab 8: a plan for an evacuation. The student's ``plan.py`` runs in the sandbox, and nowhere else."""

import json
from math import ceil

from testbed.labs.check import Wrong, check, near, own, same
from testbed.model.waves import FleetGuest, ends, planned
from testbed.sandbox import Sandbox, code_of

RAMS, WRITES = (24, 28, 32, 36, 40, 44, 48), (100, 200, 400, 600, 900)


def _rates(lab):
    """The link and the cap of a migration, in MB/s."""
    return lab.base("link") / 8e6, lab.base("cap") / 8e6


def _fleet(lab, seed):
    """As fleet.json has it; other seeds have other fleets. MB, MB/s, seconds."""
    guests = [
        {"name": f"g{i + 1}", "ram": RAMS[seed // 7**i % 7] * 1000, "write": WRITES[seed // 5**i % 5]} for i in range(8)
    ]
    link, cap = _rates(lab)
    return {"link": link, "cap": cap, "deadline": 50 + seed % 15, "guests": guests}


def _fleets(lab):
    """The student's, and three of others."""
    return [_fleet(lab, int(lab.number("seed")) + more) for more in (0, 1_234_577, 7_654_337, 9_876_547)]


def _asked(file, fleets):
    with Sandbox(code_of(file), serves="functions", name=str(file)) as plan:
        return [plan.ask("waves", fleet) for fleet in json.loads(fleets)]


def _waves(lab):
    """With each fleet: what its plan is."""
    return lab.tried("plan.py", _asked, json.dumps(_fleets(lab)))


def _planned(fleet, waves):
    """Who goes with whom."""
    guests = {
        each["name"]: FleetGuest(name=each["name"], ram_bytes=each["ram"] * 10**6, write_rate=each["write"] * 1e6)
        for each in fleet["guests"]
    }
    return planned(waves, guests)


def _saved(fleet, waves):
    """How many are over by the deadline, as each migration is foreseen at its share of the link."""
    over = ends(_planned(fleet, waves), link=fleet["link"] * 1e6, cap=fleet["cap"] * 1e6)
    return sum(each <= fleet["deadline"] for each in over.values())


def _best(fleet):
    """Of as many at once as fill the link and of one at a time, the shortest first."""
    share = min(fleet["cap"], fleet["link"] / 2)
    names = [each["name"] for each in sorted(fleet["guests"], key=lambda each: each["ram"] / (share - each["write"]))]
    return _saved(fleet, [names[at : at + 2] for at in range(0, 8, 2)])


def _compared(lab, which):
    """As many as can be, or the share of those whom a plan saves beyond the one that students are given."""
    pairs = [(fleet, waves) for fleet, waves in zip(_fleets(lab), _waves(lab), strict=True)][which]
    mine, ours = sum(_saved(*each) for each in pairs), sum(_best(fleet) for fleet, _ in pairs)
    if mine < ours:
        at_once = sum(_saved(fleet, [[each["name"] for each in fleet["guests"]]]) for fleet, _ in pairs)
        longest = max((len(wave) for _, waves in pairs for wave in waves), default=0)
        hint = "One migration takes no more than its cap: what is the rest of the link doing?" if longest == 1 else ""
        hint = "What is left of the link for each, and what does it write meanwhile?" if longest > 2 else hint
        more = max(0, mine - at_once) / (ours - at_once) if at_once < ours else mine / ours
        raise Wrong(f"{mine} guests are out in time; {ours} can be, {at_once} are all at once", hint, more)


@check(5, "its plan has waves of guests that there are, at least one, and none twice", after=own)
def waves(lab, run):
    for fleet, plan in zip(_fleets(lab), _waves(lab), strict=True):
        try:
            _planned(fleet, plan)
        except ValueError as wrong:
            raise Wrong(*wrong.args) from None


@check(35, "of your fleet as many are out in time as can be", after=(own, waves))
def yours(lab, run):
    _compared(lab, slice(0, 1))


@check(15, "of three other fleets, too", after=(own, waves))
def others(lab, run):
    try:
        _compared(lab, slice(1, 4))
    except Wrong as wrong:
        raise Wrong(wrong.reason, "", wrong.share) from None


@check(10, "the time of one migration was found, within 2 %", after=own)
def alone(lab, run):
    ram, write, (link, cap) = lab.mb("ram"), lab.mb("write"), _rates(lab)
    hints = {
        ram / cap: "It goes on writing meanwhile: M / (B - D).",
        ram / (link - write): "One migration takes no more than its cap, however wide the link is.",
        ram / (cap * 8 - write): "Bits and bytes: 8 Gbit are 1 GB.",
    }
    near(lab.answers["alone_s"], ram / (cap - write), 0.02, hints=hints, unit="s", told=False)


@check(10, "it was found at how many at once a migration still ends", after=own)
def most(lab, run):
    right, said = ceil(_rates(lab)[0] / lab.mb("write")) - 1, lab.answers["most"]
    if said != right:
        hint = "With so many it writes at least as much as its share carries: rho is 1 or more."
        raise Wrong(f"{said} is not right", hint if said > right else "")


@check(5, "it was found how many at once fill the link", after=own)
def at_once(lab, run):
    right, said = int(lab.number("link") // lab.number("cap")), lab.answers["at_once"]
    same(said, right, f"{said} is not right", "How many caps fit into the link?")
