"""Whose run it is: its dirty pages, and the memory that it left, against the workload recomputed from its seed.

Both are pure functions of (seed, operations), so nobody needs root, the guest, or the run's machine for it.
"""

from collections.abc import Iterator
from dataclasses import replace

from guest_agent.config import GuestConfig
from guest_agent.memory import fingerprint
from testbed.audit.agreement import Agreement, not_known, settled
from testbed.audit.clock import noted
from testbed.audit.decoys import DECOYS, Window, likeness
from testbed.audit.guest import counted
from testbed.audit.subject import Subject
from testbed.core.errors import ScenarioError
from testbed.core.records.fingerprint import FingerprintRecord
from testbed.core.records.rounds import RoundRecord
from testbed.core.text.printable import printable
from testbed.runfiles.pages import Cells

ALIKE = 0.6
"""Correlation from which on dirty pages are a seed's own: honest runs have above 0.9, other seeds about 0.1."""
BLURRED = 0.1
"""Of a round's time: while memory is scanned the guest goes on, so that each page's window ends at another moment."""
UNSURE = 0.5
"""Of round 1's operations: if no more than so many of them may be others, its pages are still like by ``ALIKE``."""
CHECKSUM = "checksum"
"""The tracker that reads all of memory for a scan, before round 1 too."""
MOST_PAGES = 1 << 28
"""1 TiB of a guest's RAM: more is not recomputed."""
TOO_MUCH = "to recompute so many operations would take too long"
UNKNOWN = "cannot be told: under this workload seeds do not differ in which pages they write"


def of(subject: Subject) -> Iterator[Agreement]:
    """The agreements ``seed of the pages`` and ``seed of the memory``: whose run it is."""
    config = _guest(subject)
    if isinstance(config, str):
        yield not_known("pages' seed", config)
        yield not_known("memory's seed", config)
    else:
        yield _pages(subject, config)
        yield _memory(subject, config)


def _guest(subject: Subject) -> GuestConfig | str:
    """As it was asked to be; in words, why that is not known."""
    config = subject.guest()
    if subject.own_workload is not None:
        return f"{printable(subject.own_workload, 60)} is a file of one's own, and is not run"
    if config is None:
        return subject.unplanned
    try:
        config.check()
    except ScenarioError as error:
        return str(error)
    return config


def _pages(subject: Subject, config: GuestConfig) -> Agreement:
    name, cells, missing = "pages' seed", subject.cells, _missing(subject, config)
    if missing or cells is None:
        return not_known(name, missing)
    windows = _windows(_begin(subject), subject.done.rounds, cells)
    if not windows:
        return not_known(name, "no round is known whole: its operations, and its dirty pages alone")
    if not subject.allowance.take((1 + DECOYS) * sum(each.until - each.first for each in windows)):
        return not_known(name, TOO_MUCH)
    found = likeness(config, cells.cell_pages, windows)
    if found is None:
        return not_known(name, UNKNOWN)
    held = f"r = {found.correlation:.3f} over {found.cells:,} cells, seed {config.seed}; rounds: {len(windows)}"
    wrong = [f"{held}: these dirty pages are another seed's"] if found.correlation < ALIKE else []
    return settled(name, held, wrong)


def _missing(subject: Subject, config: GuestConfig) -> str:
    """What is not there to know it by; empty where all is."""
    done, cells = subject.done, subject.cells
    if not any(each.operations is not None for each in done.rounds):
        return "a model has no pages" if subject.simulated else "the record is of a version without operations"
    if cells is None or cells.pages != config.pages or config.pages > MOST_PAGES:
        return "pages.jsonl has nothing of a guest of this size"
    return "its tracker scans for so long that no page's window is known" if done.tracker == CHECKSUM else ""


def _windows(begin: int | None, rounds: list[RoundRecord], cells: Cells) -> list[Window]:
    """Rounds beside the running guest with short scans, whose operations are known, and of which nothing was unsent."""
    dirtied = dict(zip(cells.rounds, cells.dirtied, strict=True))
    begins = [begin, *(each.operations for each in rounds[:-1])]
    found, before = [], 0.0
    for each, first in zip(rounds, begins, strict=True):
        until = each.operations
        scans, before = (each.scan_s or 0.0) + before, each.scan_s or 0.0
        if each.kind != "precopy" or each.unsent_bytes or scans > BLURRED * each.duration_s:
            continue
        if first is None or until is None or each.index not in dirtied:
            continue
        if 0 <= first < until:
            found.append(Window(first=first, until=until, found=dirtied[each.index]))
    return found


def _begin(subject: Subject) -> int | None:
    """The operation at which round 1 began, by the samples: at its rate it may not have been, on a busy machine.

    None where those before and after it leave too much open: a round of milliseconds lies between two of them.
    """
    seen, rounds = counted(subject), noted(subject.recording) if subject.recording else []
    until = subject.done.rounds[0].operations if subject.done.rounds else None
    if seen is None or until is None or not rounds or rounds[0].round.index != 1:
        return None
    begin = int(seen.at(rounds[0].began))
    return begin if seen.left_open(rounds[0].began) <= UNSURE * (until - begin) else None


def _memory(subject: Subject, config: GuestConfig) -> Agreement:
    name, left = "memory's seed", _fingerprint(subject)
    if left is None:
        missing = "a model has no memory" if subject.simulated else "the record has no fingerprint of it"
        return not_known(name, missing)
    if not subject.allowance.take(2 * fingerprint.furthest(config)) or left.operations >= 1 << 62:
        return not_known(name, TOO_MUCH)
    own = fingerprint.expected(config, left.operations)
    held = f"the memory is that of seed {config.seed} after {left.operations:,} operations"
    if own.digest == left.digest and own == fingerprint.expected(
        replace(config, seed=config.seed ^ 1), left.operations
    ):
        return not_known(name, "cannot be told: this memory is the same under every seed")
    wrong = [] if own.digest == left.digest else [f"it is not so that {held}"]
    return settled(name, held, wrong)


def _fingerprint(subject: Subject) -> FingerprintRecord | None:
    return subject.done.memory.fingerprint if subject.done.memory else None
