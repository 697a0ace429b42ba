"""A record that somebody edited: in one file, in several, with all that follows from it by hand; and what stays."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.core.units import PAGE_SIZE
from tests.unit.audited import Files, broken, states

Edit = Callable[[Files], object]


def set_in(part: dict[str, Any], **values: Any) -> dict[str, Any]:
    part.update(values)
    return part


def halved(part: dict[str, Any], name: str) -> dict[str, Any]:
    return set_in(part, **{name: part[name] // 2 if isinstance(part[name], int) else part[name] / 2})


def shorter_downtime_with_its_phases(files: Files) -> None:
    files.done["downtime_s"] /= 2
    files.done["guest_gap_s"] /= 2
    files.done["downtime_phases_s"] = {name: each / 2 for name, each in files.done["downtime_phases_s"].items()}
    files.done["full_scale"]["downtime_s"] /= 2


def without_a_round(files: Files) -> None:
    gone = files.rounds.pop(1)
    files.done["bytes_sent"] -= gone["sent_bytes"]


def without_a_round_anywhere(files: Files) -> None:
    without_a_round(files)
    files.samples = [row for row in files.samples if row.get("round", {}).get("index") != 2]
    files.pages = [row for row in files.pages if row["round"] != 2]
    for rows, name in ((files.rounds, "index"), (files.noted, "index"), (files.pages, "round")):
        for number, row in enumerate(rows, 1):
            row[name] = number


def rounds_twice_as_fast(files: Files) -> None:
    """In both files that say it, with all rates that follow."""
    for each in (*files.rounds, *files.noted):
        for name in ("started_s", "duration_s", "scan_s"):
            each[name] /= 2
    for each in files.rounds:
        each["bandwidth"] *= 2
        each["dirty_rate"] *= 2
    files.done["total_time_s"] /= 2


def fewer_dirty_in_every_file(files: Files) -> None:
    """Round 1 left half as much, and round 2 sent that, in all files and all that add up to it."""
    for row, name in ((files.pages[0], "dirtied"), (files.pages[1], "sent")):
        row[name] = [count // 2 for count in row[name]]
    left = sum(files.pages[0]["dirtied"]) * PAGE_SIZE
    less = files.rounds[1]["sent_bytes"] - left
    for first, second in ((files.rounds[0], files.rounds[1]), (files.noted[0], files.noted[1])):
        first["dirtied_bytes"], second["sent_bytes"] = left, left
    for part, name in (
        (files.done, "bytes_sent"), (files.done["streams"][0], "page_bytes"),
        (files.done["accounting"], "page_bytes"),
    ):  # fmt: skip
        part[name] -= less
    for each in files.rounds[:2]:
        each["bandwidth"] = each["sent_bytes"] / (each["duration_s"] - each["scan_s"])
        each["dirty_rate"] = each["dirtied_bytes"] / each["duration_s"]


def longer_blackout(files: Files) -> None:
    """With its parts."""
    files.done["client_blackout_s"] += 1
    files.done["blackout"]["parts"]["downtime"] += 1


def another_seed(files: Files) -> None:
    """A friend's run under a seed of one's own, wherever a seed is written."""
    files.summary["seed"] = 5
    files.scenario = files.scenario.replace("seed: 1\n", "seed: 5\n")
    for row in files.samples:
        if row.get("event") == "migration":
            row["seed"] = 5


EDITS: dict[str, tuple[Edit, set[str]]] = {
    "downtime": (lambda f: halved(f.done, "downtime_s"), {"figures", "downtime"}),
    "downtime with its phases": (shorter_downtime_with_its_phases, {"downtime"}),
    "a round": (without_a_round, {"events", "chain", "pages"}),
    "a round, everywhere": (without_a_round_anywhere, {"chain", "cells"}),
    "bytes_sent": (lambda f: halved(f.done, "bytes_sent"), {"figures"}),
    "a friend's run": (another_seed, {"pages' seed", "memory's seed"}),
    "the seed in summary.json": (lambda f: set_in(f.summary, seed=5), {"events", "scenario"}),
    "faster rounds": (rounds_twice_as_fast, {"clock", "policy"}),
    "dirty bytes": (lambda f: halved(f.rounds[0], "dirtied_bytes"), {"events", "chain", "pages", "policy"}),
    "dirty bytes everywhere": (fewer_dirty_in_every_file, {"link rounds", "policy"}),
    "write rate": (lambda f: halved(f.done["vm"], "write_rate"), {"figures", "scenario"}),
    "gap": (lambda f: halved(f.done, "guest_gap_s"), {"figures"}),
    "blackout": (lambda f: halved(f.done, "client_blackout_s"), {"figures"}),
    "blackout's downtime": (longer_blackout, {"downtime"}),
    "last round": (lambda f: set_in(f.rounds[-1], scan_s=f.rounds[-1]["duration_s"] / 2), {"downtime"}),
    "wire bytes": (
        lambda f: (halved(f.done, "wire_bytes"), halved(f.done["accounting"], "link_bytes")), {"link"},
    ),
    "a decision": (lambda f: set_in(f.rounds[0], decision="went on"), {"policy"}),
    "the goal": (
        lambda f: setattr(f, "scenario", f.scenario.replace("downtime_goal: 50ms", "downtime_goal: 20ms")), {"policy"},
    ),
    "the policy": (
        lambda f: setattr(f, "scenario", f.scenario.replace("name: plain", "name: vmotion")), {"scenario"},
    ),
    "a service": (lambda f: f.done["services"].clear(), {"scenario"}),
    "a service twice": (lambda f: f.done["services"].append(f.done["services"][0]), {"scenario"}),
    "a service's name": (lambda f: set_in(f.done["services"][0], name="iometer"), {"scenario"}),
    "services that were asked for": (
        lambda f: setattr(f, "scenario", re.sub(r"services:.*(?=  probe)", "services: []\n", f.scenario, flags=re.S)),
        {"scenario"},
    ),
    "RAM": (lambda f: setattr(f, "scenario", f.scenario.replace("ram: 256MB", "ram: 512MB")), {"scenario"}),
    "operations of a round": (lambda f: set_in(f.rounds[1], operations=1), {"events", "operations"}),
    "operations everywhere": (
        lambda f: [set_in(each, operations=each["operations"] + 90_000) for each in (*f.rounds, *f.noted)],
        {"operations"},
    ),
    "rate before": (lambda f: halved(f.done["guest"], "rate_before"), {"guest", "figures"}),
    "fingerprint": (lambda f: set_in(f.done["memory"]["fingerprint"], digest="0" * 32), {"memory's seed"}),
    "its operations": (
        lambda f: set_in(f.done["memory"]["fingerprint"], operations=f.done["memory"]["fingerprint"]["operations"] + 1),
        {"memory's seed"},
    ),
    "pages": (lambda f: f.pages[0]["dirtied"].reverse(), {"cells", "pages' seed"}),
    "a mark": (
        lambda f: [set_in(row, t=0.5) for row in f.samples if row.get("name") == "ended"], {"clock"},
    ),
    "validity": (lambda f: set_in(f.done["memory"], match=False), {"figures"}),
    "the run's word": (lambda f: set_in(f.done, valid=False), {"run"}),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_found(tmp_path: Path, name: str) -> None:
    edit, expected = EDITS[name]
    files = Files.kept()
    edit(files)
    assert expected <= broken(files.audited(tmp_path))


def test_the_run_itself_is_not_flagged_and_nothing_of_it_is_left_open(tmp_path: Path) -> None:
    verdict = Files.kept().audited(tmp_path)
    assert set(states(verdict).values()) == {"held"}
    assert str(verdict).endswith("all 16 agreements hold")


def consistent(files: Files) -> None:
    """A shorter announcement: each figure that holds that part, by the same amount. Nobody else was there."""
    less = files.done["downtime_phases_s"]["announce"] / 2
    files.done["downtime_phases_s"]["announce"] -= less
    files.done["downtime_s"] -= less
    for name in ("downtime_s", "downtime_fixed_s"):
        files.done["full_scale"][name] -= less
    files.done["blackout"]["parts"]["downtime"] -= less
    files.done["blackout"]["parts"]["next_answer"] += less


UNFOUND: dict[str, Edit] = {
    "one's own machine": lambda f: set_in(f.summary["environment"], cpu="a faster one"),
    "processor time": lambda f: halved(f.done["cpu"], "source_s"),
    "round-trip time": lambda f: halved(f.done["link"], "rtt_s"),
    "a part of the downtime with all that holds it": consistent,
}
"""What is said once, or of which all witnesses were rewritten: docs/audit.md says so."""


@pytest.mark.parametrize("name", UNFOUND)
def test_what_only_one_has_seen_or_all_were_made_to_say_is_not_found(tmp_path: Path, name: str) -> None:
    files = Files.kept()
    UNFOUND[name](files)
    assert broken(files.audited(tmp_path)) == set()


def test_the_second_migration_of_a_shell_has_the_seed_of_the_first(tmp_path: Path) -> None:
    """And that of a run has the next one."""
    files = Files.kept()
    files.done["repeat"] = 2
    for row in (*files.samples, *files.pages):
        if "repeat" in row:
            row["repeat"] = 2
    assert broken(files.audited(tmp_path / "shell")) == set()
    files.summary["seed"] = 0
    files.scenario = files.scenario.replace("seed: 1\n", "seed: 0\n")
    assert broken(files.audited(tmp_path / "run")) == set()
    files.summary["seed"] = 3
    files.scenario = files.scenario.replace("seed: 0\n", "seed: 3\n")
    assert broken(files.audited(tmp_path / "other")) == {"events", "pages' seed", "memory's seed"}


def test_of_very_much_that_is_wrong_the_first_is_told(tmp_path: Path) -> None:
    files = Files.kept()
    for each in files.rounds:
        each["index"] += 7
    verdict = files.audited(tmp_path)
    (figures,) = (each.agreement for each in verdict.found if each.agreement.name == "figures")
    assert figures.why.count(";") <= 3 and "more" in figures.why
    assert "agreements do not hold" in str(verdict)
