"""Lab 1: each pass sends what the one before left."""

from testbed.labs.check import Wrong, check, near, own


@check(8, "round 2 was foreseen within 3 %", after=own)
def second(lab, run):
    m, rho = lab.mb("ram"), lab.number("rho")
    hints = {
        m * (1 - rho): "What was dirtied is what has to be sent again, not what stayed clean.",
        m * rho * 8: "Bits and bytes: the link is quoted in Mbit/s, memory in MB. 8 Mbit are 1 MB.",
        m: "Round 1 sends all of the RAM. Round 2 sends only what was written meanwhile.",
        m * rho / 1.048576: "Your RAM is in MiB, the question asks for MB: 1 MiB is 1.048576 MB.",
    }
    near(lab.answers["second_round_mb"], run.rounds[1].sent_bytes / 1e6, 0.03, hints=hints, unit="MB")


@check(8, "the number of rounds was foreseen", after=own)
def passes(lab, run):
    said, there = lab.answers["passes"], len(run.rounds)
    if said == there:
        return
    if said == there - 1:
        hint = "Count the stop-and-copy, too: what the last pre-copy round leaves is sent while the guest stands still."
        raise Wrong(f"{said} rounds were foreseen, {there} were made", hint, share=0.6)
    raise Wrong(f"{said} rounds were foreseen, {there} were made", share=0.6 if said == there + 1 else 0)


@check(8, "the total time was foreseen within 5 %", after=own)
def total(lab, run):
    m, b, rho = lab.mb("ram"), lab.number("goodput") / 8, lab.number("rho")
    hints = {
        m / b: "That is one pass. Sum the series: M/B (1 + rho + rho^2 + ...) = M / (B - D).",
        m / b * (1 + rho): "Those are two passes. Sum the whole series: M / (B - D).",
        m / (b - rho * b) / 8: "Bits and bytes: goodput is in Mbit/s, and 8 Mbit are 1 MB.",
        m / (b + rho * b): "What the guest writes comes on top of what is to be sent; it does not help to send it.",
    }
    near(lab.answers["total_s"], run.total_time_s, 0.05, hints=hints, unit="s")


@check(6, "what a link twice as fast would gain was foreseen within 3 %", after=own)
def gain(lab, run):
    rho = lab.number("rho")
    hints = {2.0: "B doubles, D does not: compare M / (B - D) with M / (2B - D)."}
    near(lab.answers["gain"], (2 - rho) / (1 - rho), 0.03, hints=hints)


@check(10, "the round whose decision was to stop was found", after=own)
def stopped(lab, run):
    right = next(each.index for each in run.rounds if each.decision.startswith("stopped"))
    said = lab.answers["stopped_after"]
    if said == right + 1:
        raise Wrong(f"round {said} is another one", "That is the stop-and-copy. The decision came before it.")
    if said != right:
        raise Wrong(f"round {said} is another one; read the decisions in report.html")


@check(20, "what a round dirties follows from its own duration, within 3 %", after=own)
def dirtied(lab, run):
    rate, second = run.write_rate / 1e6, run.rounds[1]
    hints = {
        rate
        * run.rounds[0].duration_s: "That is what round 1 left, for round 2 to send. Take the duration of round 2.",
        rate * run.total_time_s: "Take the duration of round 2 alone, not of the whole migration.",
    }
    near(lab.answers["dirtied_mb"], rate * second.duration_s, 0.03, hints=hints, unit="MB", told=False)


@check(20, "the RAM of the other guest was found from its fourth round, within 2 %", after=own)
def transfer(lab, run):
    rho, fourth = lab.number("other_rho"), lab.number("fourth")
    hints = {
        fourth
        / rho**4: "Round 1 sends the RAM itself, so between round 1 and round 4 there are three steps, not four.",
        fourth / rho: "That is round 3. Go back to round 1.",
        fourth * rho**3: "Each round is rho times the one before: going back, divide.",
    }
    near(lab.answers["other_ram_mb"], fourth / rho**3, 0.02, hints=hints, unit="MB", told=False)
