"""Lab 9: a dirty tracker of the student's own. Its code runs in the sandbox, and nowhere else."""

import hashlib
import re
from math import comb

from testbed import sandbox
from testbed.labs.check import NotAsked, Wrong, check, near, own, same

ORDERS, CALLS = 1644, 5.05
"""Of a tracker that asks for all pages at once, and protects those that were written; its calls in each."""


def _explored(lab):
    return lab.tried("tracker.py", sandbox.explored)


def _kept(lab):
    """Of a tracker that loses a page nobody asks what else it does."""
    if _explored(lab).wrong is not None:
        raise Wrong("first 'loses' has to be right")
    return _explored(lab)


def _protected_unseen(wrong):
    """Whether the page that was lost was protected right after the guest had written it."""
    page = re.match(r"page (\d+) at the destination", wrong.end)
    if page is None:
        return False
    here = [step for step in wrong.steps if step.endswith(f"page {page[1]}") or f"page {page[1]}:" in step]
    at = max((index for index, step in enumerate(here) if step.startswith("the guest writes")), default=len(here))
    return here[at + 1 : at + 2] == [f"your tracker protects page {page[1]}"]


def _unseen(found):
    """What the shortest story shows, of a tracker that loses a page in one."""
    told = "Protecting forgets that a page was written. What had you been told of it by then?"
    return told if found.wrong is not None and _protected_unseen(found.wrong) else ""


@check(35, "no page is lost in any order in which it and a guest can act", after=own)
def loses(lab, run):
    found = _explored(lab)
    if found.wrong is None:
        return
    story = "; ".join(f"{number}. {step}" for number, step in list(enumerate(found.wrong.steps, 1))[-6:])
    raise Wrong(
        f"{found.wrong.end}. The last steps: {story}",
        _unseen(found),
        min(0.5, found.interleavings / ORDERS),
    )


@check(10, "it sends no page again that was not written", after=(own, loses))
def needless(lab, run):
    found = _kept(lab)
    if found.needless:
        hint = "What you have told of is to be protected again: until then it counts as written."
        reason = f"{found.needless:,} of {found.sent:,} pages were sent again without need"
        raise Wrong(reason, hint, 0.5 * (1 - found.needless / found.sent))


@check(10, "it makes at most twice the calls that it needs", after=(own, loses))
def calls(lab, run):
    found = _kept(lab)
    each = found.calls / max(1, found.interleavings)
    if each > 2 * CALLS:
        hint = (
            "One call asks for as many pages as you like, or protects them: in a real guest each is one of the kernel."
        )
        raise Wrong(f"{each:.1f} calls in an order; {CALLS:.1f} will do", hint, CALLS / each)


@check(10, "a real guest moved by it with all of its memory", after=own, native=True, run="move")
def moved(lab, run):
    if hashlib.sha256(lab.text("tracker.py").encode()).hexdigest() not in run.done.own_code.values():
        raise Wrong("it moved by another tracker.py than is here now: testbed lab run move")
    if run.done.memory is not None and run.done.memory.match is False:
        raise Wrong(f"the memories differ {run.done.memory.difference or ''}".strip(), _unseen(_explored(lab)))
    if run.done.outcome == "aborted":
        raise Wrong(run.done.reason)
    if not run.summary.valid:
        raise NotAsked(f"run it again: {'; '.join(run.summary.invalid_reasons[:2])}")


@check(5, "what becomes of a write was found", after=own)
def fate(lab, run):
    kept = (lab.parameters["kind"] == "asks first") == (lab.parameters["moment"] == "before both")
    right, said = "sent in this round" if kept else "lost", lab.answers["fate"]
    hint = "Go through it step by step: who tells of the write, and what has been forgotten by then?"
    same(said, right, f"'{said}' is not what becomes of it", hint)


@check(5, "the orders were counted", after=own)
def orders(lab, run):
    steps, writes = int(lab.number("steps")), int(lab.number("writes"))
    hints = {
        comb(
            steps, writes
        ): "There is room before the first step and behind the last, and for two writes in one place.",
        comb(steps + 1, writes): "Two writes may come between the same two steps.",
        (steps + 1) ** writes: "The writes are alike: which of them comes first is no other order.",
    }
    near(lab.answers["orders"], comb(steps + writes, writes), 0.001, hints=hints, told=False)


@check(5, "how probable it is to miss one was found, within 2 %", after=own)
def chance(lab, run):
    tries, hidden = lab.number("tries"), lab.number("hidden")
    hints = {
        1 - (1 - 1 / hidden) ** tries: "That is how probable it is to meet it.",
        1 - tries / hidden: "It may come twice.",
    }
    near(lab.answers["chance"], (1 - 1 / hidden) ** tries, 0.02, hints=hints, told=False)
