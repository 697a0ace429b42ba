"""The runs of a folder, read once and again when they change, and which of them are asked for: what ``serve`` lists."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.core.text.printable import printable
from testbed.core.text.yaml_text import tree_of
from testbed.runfiles import files
from testbed.runfiles.files import there
from testbed.runfiles.summary_reader import PAGES, SAMPLES, SUMMARY, doubts, read
from testbed.runfiles.summary_writer import UNDER_WAY

SCENARIO = "scenario.yaml"
FILES = (SUMMARY, SCENARIO, SAMPLES, PAGES, "log.txt")
"""What a run may have beside its page, in the order in which it is linked."""
POLICY = "migration.policy"
VALIDITY = VALID, INVALID, NOT_ENDED, UNREADABLE = "yes", "no", "not ended", "cannot be read"
"""What can be said of whether a run is valid: one that goes on, was killed, or cannot be read is neither."""
Stamp: TypeAlias = tuple[tuple[int, ...] | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRun:
    """One run folder. ``name`` as it can be shown, ``link`` as it can be asked for; ``files``: which of ``FILES`` it
    has. ``summary`` is None where it cannot be read, and ``fault`` says why. ``policies``: the names of those that its
    migrations had, as far as its scenario tells.
    """

    name: str
    link: str
    files: tuple[str, ...]
    summary: Summary | None
    fault: str = ""
    policies: tuple[str, ...] = ()

    @property
    def engine(self) -> str:
        """What carried its migrations out; nothing where that cannot be read."""
        return "" if self.summary is None else self.summary.engine

    @property
    def words(self) -> str:
        """All that the list says of it, to be looked through, in small letters."""
        known = [self.name, self.fault, self.valid, self.engine, *self.policies]
        if self.summary is not None:
            known += [self.summary.scenario, self.summary.started_at]
            known += [text for done in self.summary.migrations for text in (done.name, done.outcome)]
        return " ".join(known).lower()

    @property
    def told(self) -> list[str]:
        """A line for each migration, its repeats together."""
        found: dict[str, list[MigrationRecord]] = {}
        for done in self.summary.migrations if self.summary else ():
            found.setdefault(str(replace(done.key, repeat=1)), []).append(done)
        return [f"{name}: {_told(repeats)}" for name, repeats in found.items()]

    @property
    def valid(self) -> str:
        """One of ``VALIDITY``; of a run that is not valid perhaps with a reason behind a colon."""
        if self.summary is None:
            return UNREADABLE
        if doubts(self.summary):
            return f"{INVALID}: edited or damaged"
        if any(left.reason == UNDER_WAY for left in self.summary.not_made):
            return NOT_ENDED
        return VALID if self.summary.valid else INVALID

    @property
    def validity(self) -> str:
        """The one of ``VALIDITY``, without a reason."""
        return self.valid.partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRuns:
    """Which runs are asked for: those with every word of ``text``, that ``policy``, that ``engine`` and, as ``valid``,
    that one of ``VALIDITY``; what is empty asks for nothing.
    """

    text: str = ""
    policy: str = ""
    engine: str = ""
    valid: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "WantedRuns":
        """The fields of a form, each at most so long as it can be of use; others are none of ours."""
        return cls(**{name: query.get(name, "")[:200] for name in cls.__slots__})

    def has(self, run: ListedRun) -> bool:
        """Whether this run is one of them."""
        known = run.words
        return (
            all(word in known for word in self.text.lower().split())
            and self.policy in ("", *run.policies)
            and self.engine in ("", run.engine)
            and self.valid in ("", run.validity)
        )


class RunList:
    """The runs of one folder; ``only``: that one of them, and no other is looked at. Links are not followed, and what
    is no ordinary file is not read.
    """

    def __init__(self, folder: Path, only: str | None = None) -> None:
        self._folder, self._only = folder, only
        self._known: dict[str, tuple[Stamp, ListedRun]] = {}

    def runs(self) -> list[ListedRun]:
        """As they are now, the newest first, by when they were started; unreadable ones last. Raises ``ScenarioError``
        where the folder itself cannot be read, or is gone.
        """
        listed = list(self._all())
        return sorted(listed, key=lambda each: each.summary.started_at if each.summary else "", reverse=True)

    def _names(self) -> list[str]:
        if self._only is not None:
            return [self._only]
        try:
            return os.listdir(self._folder)
        except OSError as fault:
            raise ScenarioError(f"cannot be read ({fault.strerror})", str(self._folder)) from fault

    def _all(self) -> Iterator[ListedRun]:
        for run in map(self._folder.joinpath, self._names()):
            try:
                if not run.is_symlink() and there(run / SUMMARY):
                    yield self._one(run)
            except (TestbedError, OSError) as fault:
                yield _found(run, (), None, str(fault))

    def _one(self, run: Path) -> ListedRun:
        stamp = tuple(_stamp(run / name) for name in FILES)
        entry = self._known.get(run.name)
        if entry is None or entry[0] != stamp:
            have = tuple(name for name, seen in zip(FILES, stamp, strict=True) if seen)
            try:
                summary = read(run)
                listed = _found(run, have, summary, policies=_policies(run, summary))
            except TestbedError as fault:
                listed = _found(run, have, None, str(fault))
            self._known[run.name] = entry = stamp, listed
        return entry[1]


def _told(repeats: list[MigrationRecord]) -> str:
    """How they ended, and from where to where their figures reach."""
    outcomes = " or ".join(dict.fromkeys(done.outcome for done in repeats))
    said = [outcomes if len(repeats) == 1 else f"{len(repeats)} repeats, {outcomes}"]
    if times := [done.total_time_s for done in repeats if done.total_time_s]:
        said.append(f"{_reach(times)} s")
    if stops := [done.downtime_s * 1000 for done in repeats if done.downtime_s is not None]:
        said.append(f"downtime {_reach(stops)} ms")
    return ", ".join(said)


def _reach(values: list[float]) -> str:
    return " to ".join(dict.fromkeys(f"{each:.3g}" for each in (min(values), max(values))))


def _found(
    run: Path, have: tuple[str, ...], summary: Summary | None, fault: str = "", policies: tuple[str, ...] = ()
) -> ListedRun:
    """A name may hold bytes that are no text."""
    link, name = quote(os.fsencode(run.name)), printable(run.name)
    return ListedRun(name=name, link=link, files=have, summary=summary, fault=printable(fault), policies=policies)


def _policies(run: Path, summary: Summary) -> tuple[str, ...]:
    """Of a matrix as its settings have them, else as its scenario does; none where that cannot be read."""
    try:
        tree, _ = tree_of(files.text(run / SCENARIO, files.MOST_SCENARIO), SCENARIO)
    except TestbedError:
        tree = {}
    migration = tree.get("migration")
    common = migration.get("policy") if isinstance(migration, dict) else None
    each = [done.settings.get(POLICY, done.settings.get(f"{POLICY}.name", common)) for done in summary.migrations]
    return tuple(dict.fromkeys(printable(name) for name in map(_policy, each) if name))


def _policy(known: Any) -> str:
    """Its name, of the name alone or a mapping that has it."""
    return str(known.get("name", "") if isinstance(known, dict) else known or "")


def _stamp(file: Path) -> tuple[int, ...] | None:
    """What changes when a file does; None where there is no ordinary one."""
    if not file.is_file() or file.is_symlink():
        return None
    about = file.stat()
    return about.st_mtime_ns, about.st_size, about.st_ino
