"""``endings/``: how each migration ended, one file a migration, on the disk before anybody is told.

    end decided ──> endings/03-hello.json      outcome, reason, who runs, rounds; nothing checked yet
    all checked ──> endings/03-hello.json      the whole record
    now and then ──> summary.json              all of them

So a run that was killed has lost none of its ends: who reads its folder puts those that are not in its summary there.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.runfiles.files import parsed

ROOM = 256 * 1024
"""Bytes that are kept free for an ending before its migration begins: some 600 rounds."""
MOST_BYTES = 64 << 20
"""No ending is larger; a file that is has not been written by a run."""
NAME = re.compile(r"\d{2,}-[\w.-]+\.json", re.ASCII)


def name(number: int, migration: str) -> str:
    """The file of a run's migration ``number`` (from 1): ``03-vm.ram-4GiB.json``."""
    slug = re.sub(r"[^\w.]+", "-", migration, flags=re.ASCII).strip("-.")[:80]
    return f"{number:02d}-{slug or 'migration'}.json"


def to_json(record: MigrationRecord) -> bytes:
    """An ending as it is written."""
    return (json.dumps({"schema": 1, "migration": asdict(record)}, allow_nan=False) + "\n").encode()


def read(folder: Path) -> Iterator[tuple[str, Any]]:
    """Each ending's file and its migration as JSON has it, in order. Raises ``ScenarioError`` for damaged ones."""
    try:
        names = sorted((each for each in os.listdir(folder) if NAME.fullmatch(each)), key=_number)
    except FileNotFoundError:
        return
    except OSError as fault:
        raise ScenarioError(f"cannot be read ({fault.strerror})", str(folder)) from fault
    for each in names:
        content = parsed(folder / each, MOST_BYTES)
        if (
            not isinstance(content, dict)
            or content.get("schema") != 1
            or not isinstance(content.get("migration"), dict)
        ):
            raise ScenarioError("is not an ending of schema 1", str(folder / each))
        yield str(folder / each), content["migration"]


def complete(summary: Summary, ended: list[MigrationRecord]) -> None:
    """Puts into the summary what ended and is not in it: the run was killed before it could do so."""
    there = {each.key for each in summary.migrations}
    lost = [each for each in ended if each.key not in there]
    if not lost:
        return
    summary.migrations += lost
    keys = there | {each.key for each in lost}
    summary.not_made = [each for each in summary.not_made if each.key not in keys]
    judge(summary)


def judge(summary: Summary) -> None:
    """A run is valid when every migration of it is, and none is missing; those have a line for each reason."""
    reasons = [f"{each.key}: {reason}" for each in summary.migrations for reason in each.invalid_reasons]
    reasons += [] if summary.migrations or summary.not_made else ["no migration was made"]
    asked = len(summary.migrations) + len(summary.not_made)
    for why in dict.fromkeys(each.reason for each in summary.not_made):
        missing = [str(each.key) for each in summary.not_made if each.reason == why]
        named = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        reasons.append(f"{len(missing)} of {asked} migrations were not made ({named}): {why}")
    summary.invalid_reasons, summary.valid = reasons, not reasons


def _number(file: str) -> tuple[int, str]:
    return int(file.partition("-")[0]), file
