"""Lab 10: a policy of the student's own in the arena. Its code runs in the sandbox, and nowhere else."""

from testbed import arena
from testbed.labs.check import Wrong, check, near, own, same, short

GUESTS, MARGIN = 8, 1.05


def _key(lab):
    return f"lab 10, guests {lab.parameters['set']}"


def _played(lab):
    """Ours by name, the student's as ``mine``."""
    board = lab.tried("mine.py", arena.match, _key(lab), GUESTS)
    return {"mine" if each.own else each.name: each for each in board.standings}


def _way(start, goal, mine):
    """How much of the way from ``start``, where the untouched policy stands, to the goal was gone: 0 to 1."""
    return min(1, max(0, (mine - start) / (goal - start))) if goal != start else 0


def _beats(lab, rival, margin=MARGIN, hint=""):
    """Full points for no more than the rival's price times the margin; else the share of the way there from plain's."""
    price = {name: each.price.mean for name, each in _played(lab).items()}
    if price["mine"] > price[rival] * margin:
        reason = f"the mean price is {short(price['mine'])}, that of {rival} {short(price[rival])}"
        raise Wrong(reason, hint, _way(price["plain"], price[rival] * margin, price["mine"]))


@check(15, "it decides always, and brings over as many guests as vmotion", after=own)
def decides(lab, run):
    known = _played(lab)
    mine, theirs, untouched = known["mine"], known["vmotion"].completed, known["plain"].completed
    if mine.fault:
        raise Wrong(mine.fault)
    if mine.completed < theirs:
        hint = "Some guests write faster than their link carries, and never come within the goal by themselves."
        raise Wrong(
            f"{mine.completed} of {GUESTS} guests came over, {theirs} with vmotion, {untouched} with plain",
            "" if mine.completed else hint,
            _way(untouched, theirs, mine.completed),
        )


@check(15, "its price is less than half of that of plain", after=(own, decides))
def plain(lab, run):
    late = [each.downtime_s for each in _played(lab)["mine"].matches if each.completed and each.downtime_s > 10]
    guests = f"{len(late)} guest{'s' * (len(late) > 1)}"
    hint = f"{guests} stood still for more than 10 s: to come over is not all, the downtime has a price."
    _beats(lab, "plain", 0.5, hint if late else "")


@check(10, "its price is that of qemu, or less", after=(own, decides))
def qemu(lab, run):
    _beats(lab, "qemu")


@check(15, "its price is that of vmotion, or less", after=(own, decides))
def vmotion(lab, run):
    _beats(lab, "vmotion")


@check(10, "it decides the same where all bytes and rates are seven times as large", after=(own, decides))
def scale(lab, run):
    for each in lab.tried("mine.py", arena.scale_law, key=_key(lab), guests=4):
        hint = "Some rate or size in it is absolute: hold bytes against bytes, and rates against the link's."
        raise Wrong(f"after round {each.round} of guest {each.guest}: {each.decided}; larger: {each.larger}", hint)


@check(10, "the price was reckoned by hand, within 3 %", after=own)
def price(lab, run):
    total, lost, late = lab.number("total"), lab.number("lost"), lab.number("late")
    sending, decimal = lab.base("ram") * 8 / lab.base("link"), lab.number("ram") * 8 / lab.number("link")
    right = _price(total, sending, lost, late - 1)
    hints = {
        right + 0.5: "Sending the memory once costs nothing: only what comes on top of it does.",
        right + 0.2: "A downtime within the goal costs nothing: only what comes on top of it does.",
        _price(total, decimal, lost, late - 1): "1 GiB is 1.073741824 GB.",
    }
    near(lab.answers["price"], right, 0.03, hints=hints, told=False)


def _price(total, sending, lost, late):
    return 0.5 * (total - sending) / sending + lost / sending + 0.2 * late


@check(5, "what a difference allows to say was found", after=own)
def told(lab, run):
    right = "the second" if lab.number("width") < 1 else "nobody can tell"
    hint = "Both played the same guests: what counts is the difference guest by guest, and whether that may be zero."
    same(lab.answers["told"], right, f"'{lab.answers['told']}' does not follow from these figures", hint)
