"""What ``report`` holds against each other too (``runfiles``): figures that follow from figures, and files that say the
same.
"""

from collections.abc import Iterator

from testbed.audit.agreement import Agreement, not_known, settled
from testbed.audit.subject import Subject
from testbed.core.records.migration import Summary
from testbed.core.units import PAGE_SIZE
from testbed.runfiles import agreement, witnesses


def of_run(summary: Summary) -> Iterator[Agreement]:
    """What stands above the migrations."""
    yield settled("run", "its word on its migrations is theirs", agreement.of_summary(summary))
    if summary.comparisons:
        wrong = witnesses.of_comparisons(summary)
        yield settled("published", "what it is held against was measured anew from its migrations", wrong)


def of(subject: Subject) -> Iterator[Agreement]:
    """The agreements of one migration: ``figures``, ``events`` and ``pages``."""
    done = subject.done
    wrong = agreement.of_migration(done, subject.engine)
    yield settled("figures", "sums, rates, bounds and what follows from them", wrong)
    yield _events(subject)
    yield _pages(subject)


def _events(subject: Subject) -> Agreement:
    if not subject.sampled:
        return not_known("events", "a model samples nothing" if subject.simulated else "there is no samples.jsonl")
    wrong = list(witnesses.of_events(subject.done, subject.recording))
    recording = subject.recording
    if recording and recording.seed is not None and recording.seed not in subject.seeds:
        wrong.append(f"samples.jsonl was written with seed {recording.seed}, summary.json says {subject.seed}")
    if recording is None and not wrong:
        return not_known("events", "samples.jsonl has nothing of it, and it is not valid")
    return settled("events", "its rounds, marks and seed are those that samples.jsonl has", wrong)


def _pages(subject: Subject) -> Agreement:
    if subject.cells is None:
        missing = "a model has no pages" if subject.simulated else "pages.jsonl has nothing of it"
        return not_known("pages", missing)
    if not subject.done.full_scale:
        return not_known("pages", "it is of a version that counted pages otherwise")
    wrong = list(witnesses.of_cells(subject.done, subject.cells))
    if subject.cells.pages * PAGE_SIZE != subject.done.vm.ram_bytes:
        wrong.append(f"pages.jsonl has {subject.cells.pages:,} pages, and ram_bytes is {subject.done.vm.ram_bytes:,}")
    return settled("pages", f"pages.jsonl x 4096 is each of {len(subject.cells.rounds)} rounds", wrong)
