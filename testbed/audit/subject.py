"""What is audited: a migration's record, and all that its run's folder has beside it, read within bounds."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from guest_agent.config import GuestConfig
from testbed.core.errors import ScenarioError
from testbed.core.plan import Plan
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.rig.guests import guest_config
from testbed.runfiles import files, pages, samples, summary_reader
from testbed.runfiles.folder import RunFolder
from testbed.scenario.document import Document
from testbed.scenario.recorded import Recorded, base, recorded

MOST_OPERATIONS = 1 << 27
"""Of the guest's, recomputed for one run: some ten seconds."""
SAMPLED = (b'"event"', b'"link"', b'"guest"')


@dataclass(slots=True, kw_only=True)
class Allowance:
    """What may still be recomputed of a run, in operations of its guests: folders are anybody's."""

    left: int = MOST_OPERATIONS

    def take(self, operations: int) -> bool:
        """Whether so many more may be; they are taken."""
        if operations > self.left:
            return False
        self.left -= operations
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """``recording`` None: ``samples.jsonl`` has nothing of it, or is not there (``sampled`` False). ``plan`` None: of a
    scenario that cannot be read, and ``unplanned`` says why. ``own_policy``, ``own_workload``: the user's files that
    decided, and that the guest did; the plan has others in their places. ``code``: a digest of the program that
    made it, where that is known.
    """

    engine: str
    seed: int
    done: MigrationRecord
    recording: samples.Recording | None = None
    sampled: bool = False
    cells: pages.Cells | None = None
    plan: Plan | None = None
    unplanned: str = ""
    own_policy: str | None = None
    own_workload: str | None = None
    code: str | None = None
    allowance: Allowance = field(default_factory=Allowance)

    @property
    def seeds(self) -> tuple[int, int]:
        """Which it may have had: a run's rises by one with each repeat, a shell's stays."""
        return self.seed, self.seed + self.done.repeat - 1

    @property
    def simulated(self) -> bool:
        """A model's: nothing was sampled, and no memory was there."""
        return self.engine == "simulated"

    def guest(self) -> GuestConfig | None:
        """The guest as it was asked to be; its services are for one with a network. None where that is not known."""
        if self.plan is None:
            return None
        return guest_config(self.plan, "source", address=self.done.identity.ip if self.done.identity else "")


def subjects(folder: Path) -> tuple[Summary, list[Subject]]:
    """The summary of a run as it was written, and each of its migrations. Raises ``ScenarioError`` for a folder that
    cannot be read.
    """
    summary, run = summary_reader.as_written(folder), RunFolder(folder)
    sampled = files.there(run.samples)
    found, memory = samples.Recordings(), pages.read(run.pages)
    found.read(run.samples, only=SAMPLED)
    scenario = _scenario(run.scenario)
    recordings, allowance = {each.key: each for each in found.all()}, Allowance()
    made, code = [], summary.environment.get("code")
    for done in summary.migrations:
        asked, recording = _asked(scenario, done), recordings.get(done.key)
        made.append(
            Subject(
                engine=summary.engine,
                seed=summary.seed,
                done=done,
                recording=recording,
                sampled=sampled,
                cells=memory.get(done.key),
                plan=_seeded(asked.plan, recording, summary.seed) if isinstance(asked, Recorded) else None,
                unplanned="" if isinstance(asked, Recorded) else asked,
                own_policy=asked.own_policy if isinstance(asked, Recorded) else None,
                own_workload=asked.own_workload if isinstance(asked, Recorded) else None,
                code=code if isinstance(code, str) else None,
                allowance=allowance,
            )
        )
    return summary, made


def _seeded(plan: Plan, recording: samples.Recording | None, seed: int) -> Plan:
    """With the seed that did not rise, where the samples say so."""
    stayed = recording is not None and recording.seed == seed
    return replace(plan, seed=plan.seed - plan.repeat + 1) if stayed else plan


def _scenario(file: Path) -> Document | str:
    """The scenario of the run; in words, why there is none."""
    if not files.there(file):
        return f"there is no {file.name}"
    try:
        return base(files.text(file, files.MOST_SCENARIO), file.name)
    except ScenarioError as error:
        return str(error)


def _asked(scenario: Document | str, done: MigrationRecord) -> Recorded | str:
    """What was asked of one migration; in words, why that is not known."""
    if isinstance(scenario, str):
        return scenario
    try:
        return recorded(scenario, done.key, done.settings)
    except ScenarioError as error:
        return str(error)


def steps(subject: Subject, kind: str, host: str) -> Iterator[tuple[float, dict[str, object]]]:
    """The rows of one kind that were sampled at one host, in the order of time."""
    rows = subject.recording.rows.get(kind, []) if subject.recording else []
    return ((float(row["t"]), row) for row in rows if row.get("host") == host)
