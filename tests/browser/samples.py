"""Pages to look at, with all that they can have: made from records, so that none needs a migration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import testbed
from testbed.arena import page as arena_page
from testbed.arena.board import contest
from testbed.arena.entrants import entrant
from testbed.arena.guests import OPEN_KEY, drawn
from testbed.arena.price import Weights
from testbed.cli import main
from testbed.report.page.page import rebuild
from testbed.web.runs import app
from tests.unit.records import a_migration, a_networked_migration, a_summary
from tests.unit.runs import SCENARIO, kept, made, with_pages
from tests.unit.sweeping import grid
from tests.unit.test_report_services import with_services
from tests.unit.test_web_runs import serving_app

FAST = SCENARIO.replace("2048MB", "1024MB")
NAMES = (
    "ram=128GiB goodput=9.4Gbit policy=qemu-dirty-limit",
    "ram=256GiB goodput=36Gbit policy=cloud-hypervisor",
)
"""What sets migrations apart may come last, where labels are cut."""


def two_migrations(folder: Path) -> Path:
    """A run of migrations with long names, services, and pictures of memory, and its page."""
    both = [a_networked_migration(name=name) for name in NAMES]
    run = made(folder / "run", a_summary(*both))
    samples = [with_services(run, each).joinpath("samples.jsonl").read_text(encoding="utf-8") for each in both]
    (run / "samples.jsonl").write_text("".join(samples), encoding="utf-8")
    for each in both:
        with_pages(run, each)
    rebuild(run)
    return run


def compared(folder: Path, *repeats: tuple[float, ...], **changes: Any) -> Path:
    """The page of two groups with these total times."""
    runs = [
        made(
            folder / str(index),
            a_summary(*(a_networked_migration(total_time_s=t, repeat=i, **changes) for i, t in enumerate(totals, 1))),
            scenario,
        )
        for index, (totals, scenario) in enumerate(zip(repeats, (SCENARIO, FAST), strict=True))
    ]
    return testbed.compare(*runs).write_page(folder / "page.html")


def several_runs(folder: Path) -> Path:
    """A folder of runs: one measured, others made up, one that is not valid, one that cannot be read."""
    root = folder / "results"
    root.mkdir()
    kept(root / "20260101-hello")
    made(root / "20260102-opvizor", a_summary(a_migration()))
    made(root / "20260103-fast", a_summary(a_migration(total_time_s=9.0)), FAST)
    broken = a_migration(outcome="aborted", valid=False, invalid_reasons=["its link was not what it should be"])
    made(root / "20260104-broken", a_summary(broken))
    (root / "damaged").mkdir()
    (root / "damaged" / "summary.json").write_text(json.dumps({"schema": 1}), encoding="utf-8")
    return root


@contextmanager
def listed(folder: Path) -> Iterator[str]:
    """The address of the list of several runs."""
    with serving_app(app(several_runs(folder))) as url:
        yield url


def swept(folder: Path) -> Path:
    """The page of a sweep over two axes."""
    file = grid(folder, "repeats: 1")
    assert main(["sweep", str(file), "--out", str(folder / "out"), "--quiet", "--jobs", "1"]) == 0
    return folder / "out" / "sweep.html"


def board(folder: Path) -> Path:
    """The page of three policies against six guests."""
    entrants = [entrant(name) for name in ("plain", "vmotion", "qemu")]
    file = folder / "arena.html"
    arena_page.write(file, contest(entrants, drawn(OPEN_KEY, 6), Weights(), OPEN_KEY))
    return file
