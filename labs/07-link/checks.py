"""Lab 7: where a link's rate goes."""

from testbed.labs.check import Wrong, check, near, own, same


def _link(run, index, what):
    """Mbit/s of TCP payload, as it was measured on the link of that migration."""
    return getattr(run.migrations[index].link, what) / 1e6


@check(6, "the goodput was foreseen within 2 %", after=own)
def goodput(lab, run):
    there, rate = _link(run, 0, "goodput"), lab.number("rate")
    hints = {rate: "Count a frame: of 1,514 bytes 1,448 are yours.", rate / 8: "Mbit are asked for, and that is MB."}
    near(lab.answers["goodput_mbit"], there, 0.02, hints=hints, unit="Mbit/s")


@check(4, "what large frames gain was foreseen within 2.5 %", after=own)
def gain(lab, run):
    there = _link(run, 1, "goodput") / _link(run, 0, "goodput")
    hints = {6: "Frames are six times as large, and so many times fewer. What of each is header?"}
    near(lab.answers["gain"], there, 0.025, hints=hints)


@check(6, "the time of two capped streams was foreseen within 4 %", after=own, run="capped")
def capped(lab, run):
    one, megabits = lab.number("cap"), lab.mb("ram") * 8
    hints = {
        megabits / _link(run, 1, "goodput"): "That is the whole link. Each stream carries no more than its cap.",
        megabits / one: "That is one stream. Two carry twice as much, as long as the link does.",
        megabits / one / 16: "Bits and bytes: the cap is in Mbit, the RAM in MB.",
    }
    near(lab.answers["capped_s"], megabits / _link(run, 1, "available"), 0.04, hints=hints, unit="s")


@check(6, "what UDP leaves was foreseen within 3 %", after=own, run="crowded")
def left(lab, run):
    b = _link(run, 0, "goodput")
    hints = {
        b / 2: "UDP does not share: it takes its rate, and the migration gets the rest.",
        lab.number("cross"): "That is what the others have. The migration gets the rest.",
        b: "TCP yields to it, and not the other way round.",
    }
    near(lab.answers["left_mbit"], _link(run, 0, "available"), 0.03, hints=hints, unit="Mbit/s")


@check(10, "what the wire carried for each byte was read from the record", after=own, native=True)
def wire(lab, run):
    there = run.done.wire_bytes / run.done.bytes_sent
    hints = {1 / there: "The other way round: the wire carries more than the pages."}
    near(lab.answers["wire"], there, 0.002, hints=hints, told=False)


@check(6, "the number of streams that fill the link was found", after=own, run="capped")
def fill(lab, run):
    need = -int(-_link(run, 2, "goodput") // lab.number("cap"))
    same(lab.answers["fill"], need, "others do", {need - 1: "That many leave something of the link. Round up."})


@check(6, "the bandwidth beside UDP was read from the record", after=own, run="crowded")
def seen(lab, run):
    there = run.rounds[0].bandwidth * 8 / 1e6
    hints = {there / 8: "The record has bytes a second; the question asks for Mbit."}
    near(lab.answers["seen_mbit"], there, 0.01, hints=hints, unit="Mbit/s", told=False)


def _parties(run):
    """Mbit/s of the streams, and of the others, in the migration with several streams."""
    mine, others = run.migrations[1].rounds[0].bandwidth, run.migrations[1].cross_traffic.achieved_rate
    return mine * 8 / 1e6, others * 8 / 1e6


@check(8, "what streams get beside other TCP was foreseen within 20 %", after=own, run="shared")
def share(lab, run):
    k, b = lab.number("mine"), _link(run, 1, "goodput")
    hints = {
        b * k / 8: "Your streams are flows, too: count all of them.",
        b / 9: "That is one stream. You have more than one, and each is a flow.",
        b: "You are not alone: the others want all of it, too.",
        0: "It is UDP that does not yield. TCP does.",
    }
    near(lab.answers["share_mbit"], _parties(run)[0], 0.2, hints=hints, unit="Mbit/s")


@check(5, "what they got was read from the record", after=own, run="shared")
def got(lab, run):
    mine, one = _parties(run)[0], run.rounds[0].bandwidth * 8 / 1e6
    hints = {
        mine / 8: "The record has bytes a second; the question asks for Mbit.",
        one: "That is one stream: the first migration.",
    }
    near(lab.answers["got_mbit"], mine, 0.01, hints=hints, unit="Mbit/s", told=False)


@check(12, "how fair that was between the two parties was found, within 0.5 %", after=own, run="shared")
def jain(lab, run):
    mine, others = _parties(run)
    right = (mine + others) ** 2 / (2 * (mine**2 + others**2))
    hints = {
        2 * right: "Divide by how many they are: two parties.",
        1: "So it may be flow by flow. Ask for the parties.",
    }
    near(lab.answers["jain"], right, 0.005, hints=hints, told=False)


@check(5, "two controls of congestion were tried", after=own, run="shared")
def controls(lab, run):
    tried = sorted({each.said("network.vmotion.congestion") for each in lab.runs("shared")})
    if len(tried) < 2:
        hint = "Add --set network.vmotion.congestion=...; which there are, testbed doctor says."
        raise Wrong(f"there is {' and '.join(tried)} alone", hint)


@check(6, "the share of the other migration was found within 2 %", after=own)
def transfer(lab, run):
    link, k, flows = lab.number("other"), lab.number("streams"), lab.number("flows")
    hints = {
        link * k / flows: "Your streams are flows, too: count all of them.",
        link / (flows + 1): "That is one stream. You have more than one, and each is a flow.",
    }
    near(lab.answers["share_gbit"], link * k / (k + flows), 0.02, hints=hints, unit="Gbit/s", told=False)
