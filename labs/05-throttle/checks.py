"""Lab 5: who pays for a throttle, and how much."""

from testbed.labs.check import Wrong, check, near, own

POLICIES, WRITER = ("vmotion", "qemu-dirty-limit", "qemu"), 3
"""Of the run 'three': the first three migrations are the rewriter's, and the writer's begin at ``WRITER``."""


def _lost(migration):
    """The share of its work that the guest did not do while it was throttled, in percent."""
    return 100 * (migration.throttle.guest_slowdown or 0.0)


@check(10, "what SDPS costs a guest that rewrites was foreseen within 7 points", after=own)
def spared(lab, run):
    said, there = lab.answers["spared_pct"], _lost(run.migrations[0])
    if abs(said - there) <= 7:
        return
    hints = {
        20: "First writes wait: this guest makes fewer of them than are let through, and rewrites cost nothing.",
        100 * (1 - 0.8 / lab.number("quick")): "Most of its writes are none: those pages are dirty already.",
    }
    hint = next((hint for wrong, hint in hints.items() if abs(said - wrong) <= 7), "")
    raise Wrong(f"{said:g} % were foreseen, {there:.1f} % were lost", hint)


@check(8, "the rate at which SDPS holds the writer was foreseen within 5 %", after=own)
def held(lab, run):
    link, target = run.migrations[WRITER].link, lab.number("target")
    b = (link.available or link.goodput) / 8e6
    hints = {
        target * lab.number("write_rate"): "The target is a share of the link, not of what the guest writes.",
        target * b * 8: "Bits and bytes: 8 Mbit are 1 MB.",
    }
    near(lab.answers["held_mb"], target * b, 0.05, hints=hints, unit="MB/s")


@check(8, "which operations of IOMeter wait was foreseen", after=own, native=True, run="halt")
def reads(lab, run):
    io = _io(run, 0)
    kept = (io.rate_throttled or 0.0) / io.rate_before
    if (lab.answers["reads"] == "all") != (kept < 0.5):
        hint = "A read fills a buffer, and that is a write to the guest's memory." if kept < 0.5 else ""
        raise Wrong(f"under SDPS {kept:.0%} of the operations were left, and 70 % of them are reads", hint)


@check(6, "what costs the rewriter most was found", after=own)
def dearest(lab, run):
    lost = dict(zip(POLICIES, map(_lost, run.migrations), strict=False))
    if lost[lab.answers["dearest"]] < max(lost.values()):
        hint = "Compare guest_slowdown: who takes time takes it from rewrites, too, and from everything else."
        raise Wrong("another one cost it more", hint)


@check(8, "what SDPS took from the writer was read from the record", after=own)
def writer(lab, run):
    there = _lost(run.migrations[WRITER])
    hints = {
        there / 100: "That is a share of 1; the question asks for percent.",
        100 * (1 - lab.number("target")): "That is the link's share that is not dirtied. Look what the guest did less.",
    }
    near(lab.answers["writer_pct"], there, 0.03, hints=hints, unit="%", told=False)


@check(20, "one run of 'contract' keeps both halves of it", after=own, run="contract")
def contract(lab, _run):
    seconds, percent = lab.number("contract_s"), lab.number("contract_pct")
    tried = [(each.total_time_s > seconds, _lost(each.done) > percent, each) for each in lab.runs("contract")]
    late, deep, best = min(tried, key=lambda each: each[0] + each[1])
    if not late and not deep:
        return
    reason = f"{best.folder.name}: {best.total_time_s:.1f} of {seconds:g} s, {_lost(best.done):.0f} of {percent:g} %"
    hints = {
        (True, False): "The guest was spared, and the migration is late: let fewer passes go by, or lower the target.",
        (False, True): "Fast at the guest's cost. A throttle is not free: raise the target.",
        (True, True): "Patience is paid with whole passes, and spares nothing: let fewer go by, then raise the target.",
    }
    raise Wrong(reason, hints[late, deep], 0 if late and deep else 0.5)


@check(10, "how long the other guest still takes was found within 2 %", after=own)
def transfer(lab, run):
    once, target = lab.number("left") * 8 / lab.number("other_link"), lab.number("other_target")
    hints = {
        once: "While that is sent, more is dirtied: the target's share of it, then of that, and so on.",
        once / target: "The target is what comes back each time. What is gained on it is the rest.",
    }
    near(lab.answers["after_s"], once / (1 - target), 0.02, hints=hints, unit="s", told=False)


@check(5, "how many times as long I/O halts was read from the record", after=own, native=True, run="halt")
def halts(lab, run):
    slow, fast = _io(run, 0).longest_halt_s, _io(run, 1).longest_halt_s
    hints = {36 / 9.4: "That is the ratio of the links. Look at longest_halt_s."}
    near(lab.answers["halt_ratio"], slow / fast, 0.03, hints=hints, told=False)


@check(5, "the phase of the longest halt was found", after=own, native=True, run="halt")
def phase(lab, run):
    halts = {each.phase: each.longest_halt_s for each in _io(run, 0).phases if not each.phase.startswith("round")}
    if halts.get(lab.answers["halt_phase"], 0.0) < max(halts.values()):
        raise Wrong("there was a longer one", "Where do the rates fall to next to nothing, phase by phase?")


def _io(run, index):
    """What IOMeter did in a migration of the run 'halt': 0 is the slow link's."""
    return next(each for each in run.migrations[index].services if each.name == "iometer")
