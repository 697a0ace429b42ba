"""What a reader is to see in each chart: first a plain sentence of that, then what is drawn and what is not.

The published article's Figures 3, 4 and 5 are named where a run reproduces them, which is where its scenario holds the
article's own claims against it. Of Figure 3 two reductions are published; Figures 4 and 5 are curves without numbers.
"""

from collections.abc import Sequence

from testbed.core.records.migration import ComparisonRecord, MigrationRecord
from testbed.report.axis.timeline import Timeline
from testbed.report.charts.overview import MOST
from testbed.report.charts.timeline import level_words

ARTICLE = "the article"
"""How the source of a claim begins that is the article's own."""
COMPLETION = "The shorter its bar, the sooner a guest had moved. A bar is the median of repeats, a tick each of them."
BANDWIDTH = (
    "The further to the right, the more of the link a round got. A lane for pre-copy, and below it one for the "
    "switchover; one mark a round, first repeats. Short rounds pay for round trips and scans."
)
THROUGHPUT = "How busy the link was, and until when. Bytes that left the source's interface; first repeats"
OPERATIONS = "Where a line falls the guest was slowed, where it meets the axis it stood still; first repeats"
GAPS = "The longer its bar, the longer a guest got nothing done at the switchover. By its own log; medians of repeats."
MEMORY = "Bright cells are written again and again: the writable working set. {} pages a cell, lowest addresses first."
BURSTS = "A throttled guest gets on in bursts:"
BY_WRITES = (
    f"{BURSTS} what it has to write, up to a tenth of a second's worth, is one batch; the first write to each page "
    "that was sent has to wait; and only when the batch is done it counts, and services have their turn."
)
BY_TIME = f"{BURSTS} it stands still for a part of each slice of time, and runs freely in the rest."


def reproduces(comparisons: Sequence[ComparisonRecord], figure: str) -> bool:
    """Whether the article's own claim about this figure, along an axis, is held against the run."""
    return any(of_article(each, figure) for each in comparisons)


def of_article(each: ComparisonRecord, figure: str) -> bool:
    """Whether a claim is the article's, and about this figure along an axis."""
    return each.source.startswith(ARTICLE) and bool(each.over) and each.name.split(" ", 1)[0] == figure


def completion(comparisons: Sequence[ComparisonRecord]) -> str:
    """With what the article published beside it, where it did."""
    claims = [each for each in comparisons if of_article(each, "total_time") and each.published is not None]
    if not claims:
        return COMPLETION
    told = [f"{each.published:.0%} less ({each.name.partition(' ')[2] or 'in all'})" for each in claims]
    return (
        f"{COMPLETION} A cross is where a bar would end by the reduction that was published: {', '.join(told)}. "
        "The article gives no times."
    )


def bandwidth(comparisons: Sequence[ComparisonRecord]) -> str:
    """With what is known of the article's, in a run that reproduces it."""
    more = " The article shows curves and gives no numbers, so there are none to hold against these."
    return BANDWIDTH + (more if reproduces(comparisons, "total_time") else "")


def operations(migrations: Sequence[MigrationRecord], lines: Sequence[Timeline]) -> str:
    """With the reason why a throttled guest bursts, where one was throttled."""
    return " ".join([f"{OPERATIONS}{of_all(lines)}.", *_bursts(migrations)])


def halts(comparisons: Sequence[ComparisonRecord], lines: Sequence[Timeline]) -> str:
    """With what is known of the article's, in a run that reproduces it."""
    more = " The article shows the halts and gives no numbers." if reproduces(comparisons, "longest_halt") else ""
    return (
        "Where a line meets the axis nothing was completed; a bar is the longest such time from the migration's "
        f"beginning on, the median of repeats{of_all(lines, 'lines and colours')}.{more}"
    )


def of_all(lines: Sequence[Timeline], what: str = "lines") -> str:
    """Words that not all are drawn, where they are not."""
    return "" if len(lines) <= MOST else f"; {what} of the first {MOST} of {len(lines)} migrations"


def switchover(record: MigrationRecord) -> str:
    """Only what is there to be seen."""
    sentences = ["What the guest stood still for, one phase after the other: they add up to the downtime."]
    if record.blackout is not None or record.guest_gap_begin_s is not None:
        sentences.append("The guest's gap and the client's blackout lie where they were seen, on one axis with it.")
        sentences.append("An arrow: it reaches beyond this axis.")
    elif record.guest_gap_s is not None and record.link.drops is not None:
        sentences.append("Where the guest's gap began is not known: it is drawn from the same zero.")
    return " ".join(sentences)


def timeline(record: MigrationRecord, line: Timeline) -> str:
    """Only what is there to be seen."""
    sentences = [
        "Rounds become smaller where the guest dirties less in them than is sent.",
        "Every other round is shaded; in orange the guest stands still.",
    ]
    if record.link.goodput:
        sentences.append(f"Dashed: {level_words(record)}.")
    if line.throughput or line.operations:
        sentences.append("Bands reach from the least to the most that was sampled.")
    sentences += _bursts([record]) if line.operations else []
    if record.controls:
        sentences.append("Dotted upright lines: what was done by hand.")
    if record.faults:
        sentences.append("Dotted upright lines: what broke by plan.")
    return " ".join(sentences)


def _bursts(migrations: Sequence[MigrationRecord]) -> list[str]:
    """Why a throttled guest bursts, by each of the ways in which one of these was throttled."""
    throttles = [each.throttle for each in migrations if each.throttle is not None and each.throttle.active_s]
    ways = [each.mechanism or "" for each in throttles]
    by_writes = any("write-protection" in way for way in ways)
    by_time = any("stop and continue" in way for way in ways)
    return [words for words, yes in ((BY_WRITES, by_writes), (BY_TIME, by_time)) if yes]
