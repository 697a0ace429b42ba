"""The files of a kept native run, to be edited by a test and audited."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.audit.verdict import RunAudit, audit

KEPT = Path(__file__).parent.parent / "data" / "run-with-operations"
"""A run of ``hello`` with a database, as the native engine made it; of its samples what an audit reads, thinned."""


@dataclass(slots=True)
class Files:
    """A run's files as anybody may rewrite them."""

    summary: dict[str, Any]
    samples: list[dict[str, Any]]
    pages: list[dict[str, Any]]
    scenario: str

    @classmethod
    def kept(cls) -> "Files":
        return cls(
            summary=json.loads((KEPT / "summary.json").read_text()),
            samples=[json.loads(line) for line in (KEPT / "samples.jsonl").read_text().splitlines()],
            pages=[json.loads(line) for line in (KEPT / "pages.jsonl").read_text().splitlines()],
            scenario=(KEPT / "scenario.yaml").read_text(),
        )

    @property
    def done(self) -> dict[str, Any]:
        """Its one migration."""
        found: dict[str, Any] = self.summary["migrations"][0]
        return found

    @property
    def rounds(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.done["rounds"]
        return found

    @property
    def noted(self) -> list[dict[str, Any]]:
        """Its rounds among the samples."""
        return [row["round"] for row in self.samples if row.get("event") == "round"]

    def written(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "summary.json").write_text(json.dumps(self.summary))
        for name, rows in (("samples", self.samples), ("pages", self.pages)):
            (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (folder / "scenario.yaml").write_text(self.scenario)
        return folder

    def audited(self, folder: Path) -> RunAudit:
        return audit(self.written(folder))


def copied(folder: Path) -> Path:
    """The run as it is."""
    shutil.copytree(KEPT, folder)
    return folder


def broken(verdict: RunAudit) -> set[str]:
    """The names of those that do not hold."""
    return {each.agreement.name for each in verdict.broken}


def states(verdict: RunAudit) -> dict[str, str]:
    """What is known of each."""
    return {each.agreement.name: each.agreement.state for each in verdict.found}
