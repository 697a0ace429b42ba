"""The sample, run again: a flag for each of its works, which is for the teacher and takes no points."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from testbed.core.errors import Interrupted, MachineBusy, PrerequisiteMissing, ScenarioError
from testbed.core.text.printable import printable
from testbed.core.version import __version__
from testbed.grades.handed import HandedIn
from testbed.grades.rerun.asking import Runner
from testbed.grades.rerun.claims import Claimed, claimed
from testbed.grades.rerun.draw import SampleDraw
from testbed.grades.rerun.held import differences, silent
from testbed.grades.rerun.messages import NotRunAgain, RunAgain
from testbed.grades.work import GradedWork
from testbed.labs import handin
from testbed.labs.catalogue import LabFolder

AGREES = "run again: agrees"
NOT = "not run again"
WITHOUT_ROOT = "without root, records of real hosts are held against the model, within wider bounds: try sudo"
MOST = 1000
"""Characters of a flag."""
TRIES = 3
"""A machine that has other work to do makes a run that is not valid; then it is made once more, and once more."""


@dataclass(slots=True, kw_only=True)
class Sample:
    """A sample of a lab's hand-ins, which ``draw`` draws. ``ended``: why it was broken off; then what is left has a
    flag that says so, and the grades are none the less whole.
    """

    lab: LabFolder
    draw: SampleDraw
    runner: Runner
    say: Callable[[str], None]
    ended: BaseException | None = None
    _told_of_root: bool = False

    def flagged(self, given: Sequence[HandedIn], works: Sequence[GradedWork]) -> list[GradedWork]:
        """The works in their order, those drawn with flags. Raises nothing: see ``ended``."""
        if not self.lab.spec.runs:
            self.say(f"run again: the lab '{self.lab.name}' has no runs, and so nothing to run again")
            return list(works)
        drawn = self.draw.drawn(works)
        self.say(f"run again: {len(drawn)} of {len(works)} hand-ins, drawn by --rerun-seed {self.draw.seed}")
        made = list(works)
        for count, number in enumerate(drawn, 1):
            flags = list[str]()
            try:
                if self.ended is None:
                    self.say(f"run again, {count} of {len(drawn)}: {printable(works[number].student, 100)}")
                    flags += self._flags(given[number])
            except (Interrupted, KeyboardInterrupt, MachineBusy, PrerequisiteMissing) as end:
                self.ended = end
            if self.ended is not None:
                flags.append(f"{NOT}: {str(self.ended) or 'interrupted'}")
            cut = [printable(flag, MOST) for flag in flags]
            made[number] = replace(made[number], flags=(*made[number].flags, *cut))
        return made

    def _flags(self, given: HandedIn) -> Iterator[str]:
        try:
            with handin.opened(given.path) as folder:
                runs = list(claimed(self.lab, folder))
        except ScenarioError as fault:
            yield f"{NOT}: {str(fault).replace(str(given.path), given.shown)}"
            return
        if not self.runner.native and not self._told_of_root and any(_is_native(each) for each in runs):
            self._told_of_root = True
            self.say(WITHOUT_ROOT)
        yield from map(self._told, runs)

    def _told(self, each: Claimed) -> str:
        """One run. Raises what ends the whole sample."""
        run, why = each.wanted.run, ""
        for _ in range(TRIES):
            answer = self.runner.ask(each.wanted)
            if isinstance(answer, NotRunAgain):
                _raise_for(answer)
                return f"{NOT}: {run}: {answer.why}"
            if not (why := silent(each.recorded, answer)):
                return _compared(each.recorded, answer, run)
        return f"{NOT}: {run}: {why}"


def _compared(recorded: RunAgain, again: RunAgain, run: str) -> str:
    model = ", held against the model" if _is_across(recorded, again) else ""
    found = differences(recorded, again)
    if not found:
        return f"{AGREES} ({run}{model})"
    other = recorded.version
    version = f" (recorded by version {other:.40}, this is {__version__})" if other != __version__ else ""
    return f"run again: differs ({run}{model}): {'; '.join(found)}{version}"


def _is_native(each: Claimed) -> bool:
    return each.wanted.engine == "native"


def _is_across(recorded: RunAgain, again: RunAgain) -> bool:
    return recorded.engine != "simulated" and again.engine == "simulated"


def _raise_for(answer: NotRunAgain) -> None:
    if answer.exit_code == MachineBusy.exit_code:
        raise MachineBusy(answer.why)
    if answer.exit_code == PrerequisiteMissing.exit_code:
        what, _, remedy = answer.why.partition("; ")
        raise PrerequisiteMissing(what, remedy)
