"""Lab 6: whatever breaks, and whenever, one host runs the guest; and who could know that it does."""

from testbed.labs.check import Wrong, check, near, own

CELLS = "abcdef"
WHERE = {"esx1": "source", "esx2": "destination", None: "nowhere"}
UNANSWERED = "commit was sent and not answered"


def where(done):
    """Which host ran the guest in the end, in the lab's words."""
    return WHERE.get(done.runs_at, "nowhere")


def met(done):
    """The faults that struck, such as ``commit:cut``."""
    return [str(fault) for fault in done.faults if fault.struck]


def doubted(run):
    """The phases of the faults that left the source in doubt."""
    return [each.faults[0].phase for each in run.migrations if UNANSWERED in each.reason]


def hint(said, phase, what):
    """Which mistake an answer is."""
    if said == "both":
        return "One of the two may only run it once the other has given it away. Where could both believe that?"
    if said == "nowhere":
        return (
            "The source's memory is there until the guest was heard elsewhere. Who would have to give it up, and when?"
        )
    if said == "source" and what == "kill-source":
        return "The agent is killed, not the guest; and by then this guest was somewhere else already."
    if said == "source":
        return "Can the source know that the word did not arrive? Look at who has taken a step by then."
    if phase == "commit":
        return "It was about to be given away, but the word never arrived. Who has ever run it over there?"
    return "Over there lay a copy, and nobody had been told to run it. Before commit the guest is the source's."


@check(24, "where the guest runs was foreseen for each of the six cells", after=own)
def table(lab, run):
    wrong = [
        (name, lab.answers[name], each)
        for name, each in zip(CELLS, run.migrations, strict=True)
        if lab.answers[name] != where(each)
    ]
    if wrong:
        name, said, each = wrong[0]
        told = f"cell {name.upper()}, {each.faults[0]}: not '{said}'; read of it who runs the guest, and why"
        share = 1 - len(wrong) / len(CELLS)
        raise Wrong(told, hint(said, *met(each)[0].split(":")), share)


@check(5, "it was foreseen how often the source is in doubt", after=own)
def doubts(lab, run):
    said, phases = lab.answers["doubts"], [each.faults[0].phase for each in run.migrations]
    if said == len(doubted(run)):
        return
    why = ""
    if said == phases.count("commit") + phases.count("running"):
        why = "Those are all from commit on. But an agent that was killed doubts nothing any more."
    elif said == doubted(run).count("commit"):
        why = "When the fault strikes at running, the guest runs. Has the source heard of it?"
    raise Wrong(f"it was in doubt {len(doubted(run))} times, where its record says that commit was not answered", why)


@check(8, "it was found who can end the doubt", after=own)
def decides(lab, run):
    if lab.answers["decides"] == "the source":
        raise Wrong("it cannot", "All that it has is a silence, and both ends of the story sound like that.")
    if lab.answers["decides"] != "who sees both hosts":
        raise Wrong("they cannot", "A client hears a guest, or hears none. Does it know of the other one?")


@check(10, "the fault that was left out at running was tried, and left the guest at the destination", after=own)
def turned(lab, run):
    wanted = f"running:{lab.parameters['running_out']}"
    tried = [each.done for each in lab.runs("turned") or [lab.run("turned")]]
    if not any(met(each) == [wanted] and where(each) == "destination" for each in tried):
        late = "From which message on is the guest the destination's?"
        raise Wrong(f"after {', '.join(met(tried[0])) or 'no fault'} it ran at the {where(tried[0])}", late)


@check(5, "what the banks acknowledged was added up", after=own, native=True)
def acknowledged(lab, run):
    each = [service.operations for done in run.migrations for service in done.services]
    hints = {each[0]: "That is one bank. There were six."}
    near(lab.answers["acknowledged"], sum(each), 0.001, hints=hints, told=False)


@check(3, "it was seen what became of them", after=own, native=True)
def gone(lab, run):
    right = sum((service.lost or 0) + (service.doubled or 0) for done in run.migrations for service in done.services)
    if lab.answers["gone"] != right:
        raise Wrong("count 'lost' and 'doubled' of the six services in summary.json", "Slow is not lost.")


@check(4, "the bank's longest halt was found", after=own, native=True)
def halt(lab, run):
    halts = [done.services[0].longest_halt_s for done in run.migrations]
    hints = {halts[1] * 1e3: "The record is in seconds."}
    hints |= {each: "That is another cell's." for each in halts if each}
    near(lab.answers["halt_s"], halts[1], 0.02, hints=hints, unit="s", told=False)


@check(4, "it was seen what was waited for", after=own, native=True)
def waited(lab, run):
    if lab.answers["waited"] == "bytes of the last round":
        raise Wrong(
            "they take some 60 ms", "How long would they take by the link's rate? And what does a cut link say?"
        )
    if lab.answers["waited"] != "an end of the silence":
        raise Wrong("no client had to", "Look at 'reconnects' of the service: the guest never moved.")


@check(5, "a link that was cut at commit or before was mended in time", after=own, native=True)
def mended(lab, run):
    tried = [each.done for each in lab.runs("mended") or [lab.run("mended")]]
    cut = {f"{phase}:{what}" for phase in ("last-round", "prepare", "commit") for what in ("cut", "mend")}
    if not any(len(met(each)) == 2 and cut.issuperset(met(each)) and each.outcome == "completed" for each in tried):
        raise Wrong(f"after {', '.join(met(tried[0])) or 'no fault'} it {tried[0].outcome}: {tried[0].reason}")


@check(6, "it was foreseen which guests hypervisor X would run twice", after=own)
def twice(lab, run):
    right, said = doubted(run).count("running"), lab.answers["twice"]
    if said != right:
        every = "Where the word never arrived, nobody runs it over there." if said == len(doubted(run)) else ""
        raise Wrong(f"{said} is another number; ask in each cell: who runs it before X comes?", every)


@check(6, "it was foreseen which guests hypervisor Y would run nowhere", after=own)
def nowhere(lab, run):
    right, said = doubted(run).count("commit"), lab.answers["nowhere"]
    if said != right:
        every = "Where it had taken a step over there, Y is right." if said == len(doubted(run)) else ""
        raise Wrong(f"{said} is another number; ask in each cell: who runs it before Y comes?", every)
