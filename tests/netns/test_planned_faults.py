"""Each cell of the table of phase by fault, on real hosts: who runs the guest is known before, and its bank is whole.

A cell is a migration of one matrix; each fault strikes at its event, and never after a time.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.cli import main
from testbed.runfiles.summary_reader import doubts, read
from tests.netns.launching import testbed

PHASES = ("hello", "round-1", "round-2", "last-round", "prepare", "commit", "running")
SMALL = """
name: cells
warmup: 300ms
cooldown: {cooldown}
vm:
  ram: 32MB
  workload: {{name: uniform, working_set: 12MB, write_rate: 4MB/s}}
  services: {services}
migration: {{policy: {{name: xen, rounds: 2, pages: 1}}, announce: {announce}}}
matrix: {{faults: [{faults}]}}
"""
"""Switches over after round 2, over a link of which nothing has to be proved."""
BANK = "{name: oltp, accounts: 1000, tellers: 10, branches: 1, sessions: 2, think_time: 4ms, history: 20000}"


def migrations(
    folder: Path, faults: str, *, services: str = BANK, announce: str = "true", cooldown: str = "500ms"
) -> dict[str, dict[str, Any]]:
    """By name, of a run whose files agree."""
    text = SMALL.format(faults=faults, services=services, announce=announce, cooldown=cooldown)
    (folder / "cells.yaml").write_text(text)
    done = testbed("run", str(folder / "cells.yaml"), "--quiet", "--out", str(folder / "run"), timeout_s=115)
    summary = json.loads((folder / "run" / "summary.json").read_text())
    assert done.returncode == (0 if summary["valid"] else 1), done.stderr
    assert doubts(read(folder / "run")) == [] and main(["audit", str(folder / "run")]) == 0
    return {each["name"].removeprefix("faults="): each for each in summary["migrations"]}


def check(name: str, found: dict[str, Any]) -> None:
    """What has to be so after any fault: one runner, where the protocol has it, found by the switch; nothing lost."""
    there = name.startswith("running") or name.endswith("mend")
    assert found["runs_at"] == ("esx2" if there else "esx1"), (name, found["reason"])
    assert found["identity"]["forwarding_after"] == found["runs_at"], name
    assert all(fault["at_s"] is not None and fault["fault"] is None for fault in found["faults"]), name
    (bank,) = found["services"]
    assert (bank["verified"], bank["lost"], bank["doubled"], bank["reconnects"]) == (True, 0, 0, 0), bank["findings"]
    waits = name == "commit:cut"  # the guest is stunned until TCP gives up, and its clients' TCP may wait as long again
    assert (bank["rate_after"] > 0 or waits) and found["guest"]["fault"] is None, name
    assert found["memory"]["match"] is (True if there else None), name
    unsteady = ("of its write rate before", "samples were lost")  # of a machine with other work
    assert [why for why in found["invalid_reasons"] if not any(words in why for words in unsteady)] == [], name


@pytest.mark.parametrize("what", ["kill-source", "kill-destination"])
def test_an_agent_is_killed_in_each_phase(tmp_path: Path, what: str) -> None:
    seen = migrations(tmp_path, ", ".join(f"{phase}:{what}" for phase in PHASES))
    assert list(seen) == [f"{phase}:{what}" for phase in PHASES]
    for name, found in seen.items():
        check(name, found)
        phase = name.partition(":")[0]
        doubted = "commit was sent and not answered" in found["reason"]
        assert doubted is (phase in ("commit", "running") and what == "kill-destination"), found["reason"]
        completed, lost = phase == "running", "failed" if what == "kill-source" else "aborted"
        assert found["outcome"] == ("completed" if completed else lost), name


def test_a_lost_word_and_a_lost_answer_look_alike_and_a_mended_link_brings_both(tmp_path: Path) -> None:
    seen = migrations(tmp_path, "commit:cut, running:cut, [commit:cut, commit:mend]")
    for name, found in seen.items():
        check(name, found)
    lost, unheard, mended = seen.values()
    for doubted in (lost, unheard):
        assert doubted["reason"].startswith("commit was sent and not answered")
    assert (lost["outcome"], unheard["outcome"]) == ("aborted", "completed")
    assert (mended["outcome"], mended["reason"]) == ("completed", "the guest runs at the destination")
    assert mended["downtime_phases_s"]["commit"] > 0.05, "TCP says the word again, and not at once"


def test_a_guest_that_nobody_announces_is_found_by_what_it_says_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "silent").mkdir()
    (tmp_path / "talking").mkdir()
    (silent,) = migrations(tmp_path / "silent", "[]", services="[]", announce="false", cooldown="2s").values()
    (talking,) = migrations(tmp_path / "talking", "[]", announce="false", cooldown="2s").values()
    for found in (silent, talking):
        assert (found["outcome"], found["runs_at"]) == ("completed", "esx2")
        assert (found["identity"]["announce"], found["identity"]["announcements"]) == (False, 0)
    assert silent["identity"]["forwarding_after"] == "esx1" and silent["client_blackout_s"] is None
    assert (talking["services"][0]["lost"], talking["services"][0]["verified"]) == (0, True)
    assert talking["identity"]["forwarding_after"] == "esx2" and talking["client_blackout_s"] > 0
    assert talking["memory"]["match"] and silent["memory"]["match"]
