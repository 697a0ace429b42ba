"""Lab 3: who measures what of a downtime, and what a goal is held against."""

from testbed.labs.check import NotAsked, Wrong, check, near, own

RESTLESS = 0.05
"""Seconds: where goals change a total by less, the machine has changed it more."""


@check(8, "what a faster link does to the downtime was foreseen", after=own)
def faster_link(lab, run):
    slow, fast = run.migrations
    if lab.answers["faster_link"] != ("longer" if fast.downtime_s > slow.downtime_s else "shorter"):
        hint = "It depends on what the last round has left to send: reckon with both where rounds get below the goal."
        raise Wrong(f"they were {slow.downtime_s * 1e3:.0f} and {fast.downtime_s * 1e3:.0f} ms", hint)


@check(6, "the phase that depends on the link was foreseen", after=own)
def scaling_phase(lab, run):
    if lab.answers["scaling_phase"] != "last_round":
        hint = "All phases but one are made of messages, of a few bytes each. One sends pages."
        raise Wrong(f"'{lab.answers['scaling_phase']}' sends no pages", hint)


@check(6, "who is kept waiting longest was foreseen", after=own, native=True)
def longest_clock(lab, run):
    seen = run.done
    clocks = {"hypervisor": run.downtime_s, "guest": seen.guest_gap_s or 0.0, "client": seen.client_blackout_s or 0.0}
    short = max(clocks.values()) - clocks[lab.answers["longest_clock"]]
    if short > 0.5e-3:  # guest and client act every few milliseconds at most: closer than this nobody is the longest
        hint = "A client waits from its last answer before to its first after: both lie outside of the downtime."
        raise Wrong(", ".join(f"{who} {time * 1e3:.1f} ms" for who, time in clocks.items()), hint)


@check(10, "the downtime with the second goal was foreseen within 10 %", after=own, run="goals")
def middle(lab, run):
    first, one, total = run.migrations[1], lab.number("one_pass") * 1e3, run.migrations[1].total_time_s * 1e3
    hints = {
        lab.number("middle"): "A goal is no target: the first round that leaves less ends it, and may leave much less.",
        total: "That is the time of the whole migration. Downtime is the part in which the guest stands still.",
        one * lab.number("rho"): "That is still above the goal, so there is another round.",
        one * lab.number("rho") ** 3: "That is one round too many: what the round before left was within the goal.",
    }
    near(lab.answers["middle_ms"], first.downtime_s * 1e3, 0.1, hints=hints, unit="ms")


@check(10, "what lies between the hypervisor's figure and the client's was found", after=own, native=True)
def beside(lab, run):
    if run.done.blackout is None or not run.done.guest_gap_s:
        raise NotAsked("nobody heard the client")
    parts, seen = run.done.blackout.parts, run.done
    hints = {
        sum(parts.values()) * 1e3: "That is the whole blackout. Leave out the part that is called downtime.",
        (seen.guest_gap_s - seen.downtime_s) * 1e3: "That is the guest's clock. Its own log, not the client's.",
    }
    right = sum(time for part, time in parts.items() if part != "downtime") * 1e3
    near(lab.answers["beside_ms"], right, 0.03, hints=hints, unit="ms", told=False)


@check(10, "the downtime was held against what had been expected, within 2 %", after=own, native=True)
def factor(lab, run):
    last = run.rounds[-2]
    expected = last.dirtied_bytes / last.bandwidth + last.switchover_s
    hints = {
        run.downtime_s * 1e3 / lab.number("goal"): "The goal is only a limit. What was expected is in the decision.",
        expected / run.downtime_s: "The other way round: the downtime over what was expected.",
    }
    near(lab.answers["factor"], run.downtime_s / expected, 0.02, hints=hints, told=False)


@check(10, "the chance that a question once a second sees it was found, within 5 %", after=own, native=True)
def found_by_luck(lab, run):
    blackout = run.done.client_blackout_s or 0.0
    hints = {
        1.0: "One question a second, and an outage much shorter than that: most outages fall between two questions.",
        0.0: "Yours may have seen nothing. How often would it, if you moved a thousand guests?",
        blackout * 100: "A chance lies between 0 and 1.",
    }
    near(lab.answers["found_by_luck"], blackout, 0.05, hints=hints, told=False)


@check(10, "what saved time costs in downtime was found, within 5 %", after=own, run="goals")
def price(lab, run):
    wide, tight = run.migrations[0], run.migrations[-1]
    saved, paid = tight.total_time_s - wide.total_time_s, wide.downtime_s - tight.downtime_s
    if saved < RESTLESS:
        raise NotAsked(f"the machine was too busy: the totals differ by {saved * 1e3:.0f} ms; run 'goals' again")
    hints = {
        saved / paid: "The other way round: what it costs, by what is saved.",
        wide.downtime_s / tight.downtime_s: "Those are the downtimes. What does a millisecond of the total cost?",
    }
    near(lab.answers["price"], paid / saved, 0.05, hints=hints, told=False)


def outage(lab, answer, right):
    middle = lab.number("lost") * lab.number("interval")
    hint = "Questions are moments. An outage begins anywhere after the last answer, and ends anywhere before the next."
    near(lab.answers[answer], right, 0.01, hints={middle: hint}, unit="s", told=False)


@check(5, "how short an outage may have been that some questions fell into was found", after=own)
def least(lab, run):
    outage(lab, "least_s", (lab.number("lost") - 1) * lab.number("interval"))


@check(5, "how long it may have been was found", after=own)
def most(lab, run):
    outage(lab, "most_s", (lab.number("lost") + 1) * lab.number("interval"))
