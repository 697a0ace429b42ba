"""Lab 6: whatever breaks, and whenever, one host runs the guest; and who could know that it does."""

from testbed.labs.check import Wrong, check, each_same, near, own, same

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
    anywhere = {
        "both": "One of the two may only run it once the other has given it away. Where could both believe that?",
        "nowhere": "The source's memory is there until the guest was heard elsewhere. Who would have to give it up?",
    }
    if said in anywhere:
        return anywhere[said]
    if said == "source" and what == "kill-source":
        return "The agent is killed, not the guest; and by then this guest was somewhere else already."
    if said == "source":
        return "Can the source know that the word did not arrive? Look at who has taken a step by then."
    if phase == "commit":
        return "It was about to be given away, but the word never arrived. Who has ever run it over there?"
    return "Over there lay a copy, and nobody had been told to run it. Before commit the guest is the source's."


@check(24, "where the guest runs was foreseen for each of the six cells", after=own)
def table(lab, run):
    known = dict(zip("abcdef", run.migrations, strict=True))

    def told(name):
        said, fault = lab.answers[name], known[name].faults[0]
        reason = f"cell {name.upper()}, {fault}: not '{said}'; read of it who runs the guest, and why"
        return reason, hint(said, *str(fault).split(":"))

    each_same(lab.answers, {name: where(done) for name, done in known.items()}, told)


@check(5, "it was foreseen how often the source is in doubt", after=own)
def doubts(lab, run):
    phases, in_doubt = [each.faults[0].phase for each in run.migrations], doubted(run)
    hints = {
        in_doubt.count("commit"): "When the fault strikes at running, the guest runs. Has the source heard of it?",
        phases.count("commit") + phases.count("running"): "Those are all from commit on. But an agent that was killed "
        "doubts nothing any more.",
    }
    told = f"it was in doubt {len(in_doubt)} times, where its record says that commit was not answered"
    same(lab.answers["doubts"], len(in_doubt), told, hints)


@check(8, "it was found who can end the doubt", after=own)
def decides(lab, run):
    hints = {
        "the source": "All that it has is a silence, and both ends of the story sound like that.",
        "the clients": "A client hears a guest, or hears none. Does it know of the other one?",
    }
    same(lab.answers["decides"], "who sees both hosts", f"not {lab.answers['decides']}", hints)


@check(10, "the fault that was left out at running was tried, and left the guest at the destination", after=own)
def turned(lab, run):
    wanted, tried = [f"running:{lab.parameters['running_out']}"], [each.done for each in lab.tries("turned")]
    if not any(met(each) == wanted and where(each) == "destination" for each in tried):
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
    same(lab.answers["gone"], right, "count 'lost' and 'doubled' of the six in summary.json", "Slow is not lost.")


@check(4, "the bank's longest halt was found", after=own, native=True)
def halt(lab, run):
    halts = [done.services[0].longest_halt_s for done in run.migrations]
    hints = {halts[1] * 1e3: "The record is in seconds."}
    hints |= {each: "That is another cell's." for each in halts if each}
    near(lab.answers["halt_s"], halts[1], 0.02, hints=hints, unit="s", told=False)


@check(4, "it was seen what was waited for", after=own, native=True)
def waited(lab, run):
    long = "How long would they take by the link's rate? And what does a cut link say?"
    hints = {"bytes of the last round": long, "clients that connect again": "Look at 'reconnects' of the service."}
    same(lab.answers["waited"], "an end of the silence", f"not {lab.answers['waited']}", hints)


@check(5, "a link that was cut at commit or before was mended in time", after=own, native=True)
def mended(lab, run):
    tried = [each.done for each in lab.tries("mended")]
    cut = {f"{phase}:{what}" for phase in ("last-round", "prepare", "commit") for what in ("cut", "mend")}
    if not any(len(met(each)) == 2 and cut.issuperset(met(each)) and each.outcome == "completed" for each in tried):
        raise Wrong(f"after {', '.join(met(tried[0])) or 'no fault'} it {tried[0].outcome}: {tried[0].reason}")


def sold(said, run, phase, every):
    """How many guests a vendor's source gets wrong: of the doubts those at one phase."""
    told = f"{said} is another number; ask in each cell: who runs it before the vendor's source comes?"
    same(said, doubted(run).count(phase), told, {len(doubted(run)): every})


@check(6, "it was foreseen which guests hypervisor X would run twice", after=own)
def twice(lab, run):
    sold(lab.answers["twice"], run, "running", "Where the word never arrived, nobody runs it over there.")


@check(6, "it was foreseen which guests hypervisor Y would run nowhere", after=own)
def nowhere(lab, run):
    sold(lab.answers["nowhere"], run, "commit", "Where it had taken a step over there, Y is right.")
