"""Run folders for tests of reports: the kept one of schema 1, and made ones."""

import json
import shutil
from pathlib import Path

import numpy as np

from testbed.core.agents.told import RoundCells
from testbed.core.extents import Bitmap, Extents, cell_pages
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.runfiles import pages as cells
from testbed.runfiles.folder import RunFolder
from tests.unit.records import a_summary

KEPT = Path(__file__).parent.parent / "data" / "run-schema-1"
SCENARIO = "name: opvizor\nseed: 1\nvm: {ram: 2048MB}\n"


def kept(folder: Path) -> Path:
    """A copy of a real run of schema 1."""
    shutil.copytree(KEPT, folder)
    return folder


def made(folder: Path, summary: Summary | None = None, scenario: str = SCENARIO) -> Path:
    """A run without samples, as the simulated engine leaves it."""
    run = RunFolder.create(folder)
    run.write_scenario(scenario)
    run.write_summary(summary or a_summary())
    return folder


def with_samples(folder: Path, done: MigrationRecord, seconds: float) -> Path:
    """The samples of one migration as the native engine takes them: every 20 ms, for so long."""
    events = [{"t": 0.01, "event": "migration", "name": done.name, "repeat": done.repeat, "seed": 1}]
    events.append({"t": 1.0, "event": "mark", "name": "migrate"})
    rows: list[dict[str, object]] = [{"kind": "event", **event} for event in events]
    for tick in range(int(seconds / 0.02)):
        t = 0.02 + tick * 0.02
        for host in ("esx1", "esx2"):
            rows.append({"t": t, "kind": "link", "host": host, "interface": "vmotion", "tx_bytes": tick * 2_560_000})
            rows.append({"t": t, "kind": "qdisc", "host": host, "interface": "vmotion", "bytes": tick, "drops": 0})
            rows.append({"t": t, "kind": "guest", "host": host, "operations": tick * 160 if host == "esx1" else 0})
        for name in ("source", "destination", "guest-source", "guest-destination"):
            rows.append({"t": t, "kind": "process", "name": name, "pid": 1, "cpu_s": t / 9, "rss_bytes": 10**8})
    rows.sort(key=lambda row: float(str(row["t"])))
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def with_pages(folder: Path, done: MigrationRecord, rounds: int = 12) -> Path:
    """A memory of which the middle third is written again and again."""
    pages, random = done.vm.ram_bytes // 4096, np.random.default_rng(1)
    sent, found = np.ones(pages, np.bool_), []
    for index in range(1, rounds + 1):
        dirtied = np.zeros(pages, np.bool_)
        dirtied[random.integers(pages // 3, pages * 2 // 3, pages // (2 * index))] = True
        found.append(round_cells(index, sent, dirtied))
        sent = dirtied
    cells.append(folder / "pages.jsonl", done.key, found)
    return folder


def round_cells(index: int, sent: Bitmap, dirtied: Bitmap) -> RoundCells:
    """As the source agent counts them."""
    pages, each = len(sent), cell_pages(len(sent))
    counts = [tuple(Extents.of_bitmap(bitmap).counts(pages, each)) for bitmap in (sent, dirtied)]
    return RoundCells(round=index, pages=pages, cell_pages=each, sent=counts[0], dirtied=counts[1])
