"""Lab 2: what is written is not what is dirtied, and a migration may come to stand on a plateau."""

from math import exp, log

from testbed.labs.check import Wrong, check, near, own, same, short

FULL, NOTHING = 0.08, 0.4
"""Widths of a bracket, as a share of the edge, that earn all points and none."""


def left(run):
    """The share of the RAM that the last three rounds left, on average."""
    last = run.rounds[-3:]
    return sum(each.dirtied_bytes for each in last) / len(last) / run.done.vm.ram_bytes


def bandwidth(run):
    """Bytes a second of pages that its rounds had, the median."""
    return sorted(each.bandwidth for each in run.rounds)[len(run.rounds) // 2]


def all_over(lab):
    """MB that writes at random places of all the RAM dirty in a second of round 1, as one may foresee it."""
    return lab.base("goodput") / 8e6 * (1 - exp(-lab.number("part")))


def dirtied(lab, run, number, answer, hints):
    """An answer against what round 1 of one of the three guests dirtied in a second."""
    first, written = run.migrations[number].rounds[0], lab.number("slow_rate")
    mb = written * first.duration_s
    known = {written: "Count a page once a round, however often it is written: a page is sent, and not a write."}
    known |= {mb: "Those are the MB that the round's writes came to. Divide what it dirtied by its duration."}
    known |= {first.dirtied_bytes / 1e6: "Those are the MB of the whole round. Divide them by its duration."}
    near(lab.answers[answer], first.dirty_rate / 1e6, 0.08, hints=known | hints, unit="MB/s")


@check(5, "what sequential writes dirty was foreseen within 8 %", after=own)
def sequential(lab, run):
    hints = {all_over(lab): "Only at random is a page hit twice. These go from page to page."}
    dirtied(lab, run, 0, "dirty_sequential", hints)


@check(5, "what writes all over the RAM dirty was foreseen within 8 %", after=own)
def uniform(lab, run):
    dirtied(lab, run, 1, "dirty_uniform", {})


@check(5, "what writes to an eighth of the RAM dirty was foreseen within 8 %", after=own)
def small(lab, run):
    eighth = "An eighth of the pages gets all of the writes, not an eighth of them: how many of its pages stay clean?"
    dirtied(lab, run, 2, "dirty_small", {all_over(lab) / 8: eighth})


@check(8, "the plateau was foreseen within 4 %", after=own, run="plateau")
def plateau(lab, run):
    rho = lab.number("rho")
    hints = {
        1 - exp(-rho): "That is what round 1 leaves. Round 2 is shorter: put what you found in again, until it stays.",
        1 - 1 / rho: "That is the share of the writes which the link cannot carry. Pages are what is sent.",
        1.0: "Some pages are hit twice and others not at all: no round leaves all of them.",
        100 * left(run): "A share lies between 0 and 1.",
    }
    near(lab.answers["plateau"], left(run), 0.04, hints=hints)


@check(7, "the edge was foreseen within 3 %", after=own, run="below")
def edge(lab, run):
    share = (lab.base("goal") - run.rounds[-2].switchover_s) * bandwidth(run) / run.done.vm.ram_bytes
    hints = {
        1.0: "What is left of a plateau may still fit into the goal: rounds shrink beyond rho = 1, too.",
        1 + share: "Nearly. The curve is not a straight line: turn x = 1 - e^(-rho x) round, to rho = ...",
        1 / (1 - share): "Pages that are hit twice are sent once: turn x = 1 - e^(-rho x) round, to rho = ...",
    }
    near(lab.answers["edge"], -log(1 - share) / share, 0.03, hints=hints)


@check(10, "how often a page was written to follows from the record, within 3 %", after=own, run="plateau")
def times_written(lab, run):
    rate, rounds = run.write_rate, run.rounds
    right = rate * rounds[1].duration_s / rounds[1].dirtied_bytes
    hints = {
        1 / right: "The other way round: what was written, by what was dirtied.",
        rate * rounds[0].duration_s / rounds[0].dirtied_bytes: "That is round 1.",
    }
    near(lab.answers["times_written"], right, 0.03, hints=hints, told=False)


@check(5, "it was seen what more time would have done", after=own, run="plateau")
def more_time(lab, run):
    hint = "Look at the last bars: each round leaves as much as it sent, so the next one is no shorter."
    told = f"it would have left as much as now: {short(left(run))} of its RAM"
    same(lab.answers["more_time"], "left as much as now", told, hint)


@check(25, f"the edge was bracketed by two runs within {FULL:.0%} of it", after=own, run="above")
def bracket(lab, run):
    below = max(each.write_rate / bandwidth(each) for each in lab.tries("below"))
    above = min(each.write_rate / bandwidth(each) for each in lab.tries("above"))
    width = (above - below) / above
    if width > FULL:
        hint = "Go on in the middle between the two." if width < NOTHING else "Choose rates near the edge you foresaw."
        told = f"it completed at a rho of {below:.3f} and gave up at {above:.3f}, which is {width:.0%} apart"
        raise Wrong(told, hint, share=1 - (width - FULL) / (NOTHING - FULL))


@check(10, "the rate up to which the other guest completes was found, within 2 %", after=own)
def transfer(lab, run):
    link, share = lab.base("other_link") / 8e6, lab.base("other_goal") * lab.base("other_link") / 8
    share /= lab.base("other_ram")
    hints = {
        link: "That is rho = 1. What is left of a plateau may still fit into the goal.",
        -log(1 - share) / share * link * 8: "Bits and bytes: 8 Mbit are 1 MB.",
    }
    near(lab.answers["other_rate"], -log(1 - share) / share * link, 0.02, hints=hints, unit="MB/s", told=False)
