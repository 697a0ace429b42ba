"""Records of simulated runs that somebody edited: a figure in one file, all that say the same, or all that follow."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from testbed.model.full_scale import full_scale
from testbed.runfiles import summary_reader

Tree: TypeAlias = dict[str, Any]
MORE = 1.05
AGAIN = "does not agree with itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheat:
    """``change`` edits a run's folder. ``reason``: a part of why it earns nothing; ``flag``: of what the teacher is
    told; neither: nobody can find it.
    """

    change: Callable[[Path], object]
    reason: str = ""
    flag: str = ""


def best(folder: Path) -> Path:
    """The run of a student's folder that has most to be edited: a migration that completed, of several rounds."""
    return max(sorted((folder / "runs").iterdir()), key=_editable)


def _editable(run: Path) -> tuple[bool, int]:
    done = _done(_summary(run))
    return done["total_time_s"] is not None, len(done["rounds"])


def _summary(run: Path) -> Tree:
    found: Tree = json.loads((run / "summary.json").read_text())
    return found


def _done(summary: Tree) -> Tree:
    """Its first migration that completed with rounds to edit."""
    known = [each for each in summary["migrations"] if each["total_time_s"] is not None]
    found: Tree = next((each for each in known if len(each["rounds"]) > 2), (known or summary["migrations"])[0])
    return found


def of_summary(change: Callable[[Tree, Tree], object]) -> Callable[[Path], None]:
    """Of ``change(summary, migration)``."""

    def edit(run: Path) -> None:
        summary = _summary(run)
        change(summary, _done(summary))
        (run / "summary.json").write_text(json.dumps(summary))

    return edit


def halved(name: str, *inside: str) -> Callable[[Path], None]:
    def change(_summary: Tree, done: Tree) -> None:
        part = done
        for each in inside:
            part = part[each]
        part[name] = part[name] / 2 if part[name] is not None else 1.0

    return of_summary(change)


def _less_sent(_summary: Tree, done: Tree) -> None:
    done["rounds"][1]["sent_bytes"] //= 2


def _round_less(_summary: Tree, done: Tree) -> None:
    del done["rounds"][1]


def _seed(summary: Tree, _done: Tree) -> None:
    summary["seed"] += 1


def _decision(_summary: Tree, done: Tree) -> None:
    done["rounds"][0]["decision"] = "went on, since nobody said otherwise"


def _slower(_summary: Tree, done: Tree) -> None:
    """All times are 5 % longer than they were, and all that follows from them is reckoned by our own code."""
    for each in done["rounds"]:
        for name in ("started_s", "duration_s", "scan_s", "switchover_s"):
            each[name] = each[name] * MORE if each.get(name) is not None else None
        for name in ("bandwidth", "dirty_rate"):
            each[name] = each[name] / MORE if each.get(name) is not None else None
    for name in ("total_time_s", "downtime_s", "guest_gap_s"):
        done[name] = done[name] * MORE if done.get(name) is not None else None
    done["downtime_phases_s"] = {name: each * MORE for name, each in done["downtime_phases_s"].items()}
    if done["throttle"]:
        done["throttle"]["active_s"] *= MORE
    done["full_scale"] = full_scale(summary_reader.migration_from_json(done))


def _longer(_summary: Tree, done: Tree) -> None:
    """Which no other figure depends on but those that our own code reckons."""
    if done["total_time_s"] is None:
        done["reason"] += ", at once"
        return
    done["total_time_s"] += 0.5
    done["full_scale"] = full_scale(summary_reader.migration_from_json(done))


def _longer_by_another_version(summary: Tree, done: Tree) -> None:
    _longer(summary, done)
    summary["environment"]["code"] = "0" * 16


def _measured(summary: Tree, _done: Tree) -> None:
    summary["engine"] = "native"


def _invalid(summary: Tree, _done: Tree) -> None:
    """So that nobody asks what is in it: all of its migrations say why."""
    reason = "the link carried 2.1 % less than it should"
    summary["valid"], summary["invalid_reasons"] = False, [reason]
    for each in summary["migrations"]:
        each["valid"], each["invalid_reasons"] = False, [reason]


def _later(summary: Tree, _done: Tree) -> None:
    summary["started_at"] = "2026-10-01T09:00:00+00:00"


def _seed_everywhere(run: Path) -> None:
    of_summary(_seed)(run)
    _in_scenario(run, lambda tree: tree.update(seed=tree["seed"] + 1))


def _guest_everywhere(run: Path) -> None:
    """Of all migrations of the run."""
    summary = _summary(run)
    for each in summary["migrations"]:
        each["vm"]["ram_bytes"] = 1300 << 20
    (run / "summary.json").write_text(json.dumps(summary))
    _in_scenario(run, lambda tree: tree["vm"].update(ram="1300MiB"))


def _in_scenario(run: Path, change: Callable[[Tree], object]) -> None:
    tree = yaml.safe_load((run / "scenario.yaml").read_text())
    change(tree)
    (run / "scenario.yaml").write_text(yaml.safe_dump(tree))


ONE_FILE = {
    "total": Cheat(change=halved("total_time_s"), reason=AGAIN),
    "downtime": Cheat(change=halved("downtime_s"), reason=AGAIN),
    "a round less": Cheat(change=of_summary(_round_less), reason=AGAIN),
    "sent": Cheat(change=of_summary(_less_sent), reason=AGAIN),
    "seed": Cheat(change=of_summary(_seed), reason=AGAIN),
    "decision": Cheat(change=of_summary(_decision), reason=AGAIN),
    "write rate": Cheat(change=halved("write_rate", "vm"), reason=AGAIN),
    "goodput": Cheat(change=halved("goodput", "link"), reason=AGAIN),
    "bytes": Cheat(change=halved("bytes_sent"), reason=AGAIN),
}
"""A figure in summary.json."""
CAREFUL = {
    "seed everywhere": Cheat(change=_seed_everywhere, reason="yours is|, yours are"),
    "guest everywhere": Cheat(change=_guest_everywhere, reason="yours is|, yours are"),
    "all times": Cheat(change=of_summary(_slower), reason=AGAIN),
    "longer": Cheat(change=of_summary(_longer), reason=AGAIN),
    "longer, by another version": Cheat(
        change=of_summary(_longer_by_another_version), flag="another version of the model may have made it"
    ),
    "said to be measured": Cheat(change=of_summary(_measured), reason="there is no samples.jsonl"),
    "said to be invalid": Cheat(change=of_summary(_invalid), flag=AGAIN),
}
"""In all files, or with all that follows."""
UNFOUND = {"when": Cheat(change=of_summary(_later))}
"""What nobody can find, as docs/teaching/trust.md says."""


def all_cheats() -> Iterator[tuple[str, Cheat]]:
    """Every one, with its name."""
    for group in (ONE_FILE, CAREFUL, UNFOUND):
        yield from group.items()
