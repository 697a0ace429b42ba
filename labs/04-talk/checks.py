"""Lab 4: a guest moves in the middle of hundreds of conversations, and a frame of 60 bytes says where it is."""

from testbed.labs.check import NotAsked, Wrong, check, near, own

NEAR_S, ROUNDED_S = 2e-6, 2e-3
"""Seconds within which a time was copied, and within which it may have been rounded: packets are this close."""


@check(8, "it was foreseen how often clients have to connect again", after=own, native=True)
def again(lab, run):
    moved, reset = (each.connections.reconnects for each in run.migrations)
    right = (lab.answers["again_move"] == moved) + (lab.answers["again_reset"] == reset)
    if right < 2:
        hint = ""
        if lab.answers["again_move"] == reset:
            hint = "A socket is state in a kernel: sequence numbers and queues. Can that not be copied like a page?"
        elif lab.answers["again_reset"] == moved:
            hint = "The address is the same, but which of the new host's sockets would know the next sequence number?"
        raise Wrong(f"{moved} when moved, {reset} when reset", hint, share=right / 2)


@check(5, "it was foreseen which of the two has the shorter downtime", after=own, native=True)
def shorter(lab, run):
    moved, reset = (each.downtime_s for each in run.migrations)
    if abs(moved - reset) < 0.1 * reset:
        raise NotAsked("the two are alike this time")
    if lab.answers["shorter"] != ("moved" if moved < reset else "reset"):
        hint = "Downtime is the hypervisor's clock: each socket is taken apart and put together while the guest stands."
        raise Wrong(f"{moved * 1e3:.0f} ms when moved, {reset * 1e3:.0f} ms when reset", hint)


@check(4, "it was foreseen what becomes of a client's ARP entry", after=own)
def arp(lab, run):
    if lab.answers["arp"]:
        raise Wrong("it stays as it is", "Whose IP and whose MAC are in it: the host's, or the guest's own?")


@check(18, "three packets of the switchover were found", after=own, native=True)
def packets(lab, run):
    right = {
        "last_s": run.told("guest's last packet from the source"),
        "rarp_s": run.told("RARP"),
        "first_s": run.told("its first from the destination"),
    }
    if None in right.values():
        raise NotAsked("its packets were not kept")
    off = [name for name, there in right.items() if abs(lab.answers[name] - there) > NEAR_S]
    if off:
        other = run.told("guest's last packet from the source", 2)
        reset = other is not None and abs(lab.answers["last_s"] - other) <= NEAR_S
        early = abs(lab.answers["first_s"] - right["rarp_s"]) <= NEAR_S
        hint = "That is the migration whose connections were reset: --migration 1." if reset else ""
        hint = hint or ("That one is to everybody. Which is the first that a client had asked for?" if early else "")
        rounded = all(abs(lab.answers[name] - right[name]) < ROUNDED_S for name in off)
        hint = hint or ("Copy all six digits: packets are less than a millisecond apart." if rounded else "")
        raise Wrong(f"another time: {', '.join(off)}", hint, share=1 - len(off) / 3)


@check(6, "the frame that moved the guest to its new port was found", after=own, native=True)
def relearned(lab, run):
    if lab.answers["relearned"] != "the RARP":
        hint = "A switch learns from any frame that carries a MAC as its source. Which one came first?"
        raise Wrong("there was one before", hint)


@check(6, "the requests that were abandoned were counted", after=own, native=True)
def abandoned(lab, run):
    service = run.migrations[1].services[0]
    if lab.answers["abandoned"] != service.abandoned:
        again = lab.answers["abandoned"] == service.reconnects
        raise Wrong("another number", "Those are connections. Each may have had several requests under way." * again)


@check(6, "it was seen that nothing acknowledged was lost", after=own, native=True)
def lost(lab, run):
    service = run.migrations[1].services[0]
    if lab.answers["lost"] != service.lost:
        same = lab.answers["lost"] == service.abandoned
        hint = "Abandoned is not lost: nobody was told that these were done. Who promised what to whom?"
        raise Wrong("another number", hint if same else "")


@check(8, "what the clients saw of both was compared, within 3 %", after=own, native=True)
def ratio(lab, run):
    moved, reset = (each.services[0].longest_halt_s for each in run.migrations)
    down = [each.downtime_s for each in run.migrations]
    hints = {moved / reset: "The other way round.", down[1] / down[0]: "That is downtime. Take what the clients saw."}
    near(lab.answers["ratio"], reset / moved, 0.03, hints=hints, told=False)


@check(5, "it was foreseen what an unannounced guest's clients hear", after=own, run="silent", native=True)
def found(lab, run):
    silent = run.of(announce=False)
    if lab.answers["found"] == "not at all" or silent.client_blackout_s is not None:
        return
    hint = "Each question goes to the old port, and nobody is there. How would the guest come to speak?"
    raise Wrong("they never did", hint if lab.answers["found"] == "when they ask again" else "")


@check(5, "the switch's table was read", after=own, run="silent", native=True)
def port(lab, run):
    if lab.answers["port"] != run.of(announce=False).identity.forwarding_after:
        raise Wrong("it is another one", "What the switch believes, not where the guest is: forwarding_after.")


@check(9, "the longest silence of the other guest was found", after=own)
def transfer(lab, run):
    beat, ageing = lab.number("beat"), lab.number("ageing")
    hints = {
        max(beat, ageing): "One of the two is enough. Which comes first?",
        beat + ageing: "Both clocks run at the same time.",
    }
    near(lab.answers["silence_s"], min(beat, ageing), 0.02, hints=hints, unit="s", told=False)
