"""What ``shell``'s prompt understands beside Mininet's own commands."""

from collections.abc import Callable

from testbed.cli.live import figures, sights
from testbed.core.errors import ScenarioError
from testbed.core.text.quantity import read
from testbed.core.units import Dimension
from testbed.experiment.session import AT_WORK, MOVING, OVER, Session
from testbed.network.prompt import Command, Leave
from testbed.report.words import summary
from testbed.rig.orders import Order
from testbed.scenario import Scenario


class Commands:
    """What the prompt understands beside Mininet's own; the docstrings are its help."""

    def __init__(self, session: Session, load: Callable[[list[str]], Scenario]) -> None:
        self._session, self._load = session, load

    def by_name(self) -> dict[str, Command]:
        """Each is given the words after it."""
        alone = {word: self._order(word) for word in ("cancel", "cut", "mend")}
        alone |= {each.__name__: each for each in (self.migrate, self.wait, self.status)}
        others = (self.rate, self.throttle, self.again)
        return {word: _alone(word, each) for word, each in alone.items()} | {each.__name__: each for each in others}

    def migrate(self) -> None:
        """migrate: begin the migration; the prompt comes back at once."""
        self._session.migrate()

    def wait(self) -> None:
        """wait: until the migration is over; then its figures. Ctrl-C comes back to the prompt and ends nothing."""
        self._session.wait()
        summary.show(self._session.summary)

    def status(self) -> None:
        """status: where the guest is, and what it and the link do."""
        state, outlook = self._session.state, self._session.outlook
        seen = [state, *(sights(outlook) if state in (AT_WORK, MOVING) else [])]
        if state == MOVING and outlook.round:
            seen += [f"round {outlook.round}", *figures(outlook)]
        if state == OVER:
            seen += [f"{last.outcome}: {last.reason}" for last in self._session.summary.migrations[-1:]]
        print("; ".join(seen))

    def rate(self, words: list[str]) -> None:
        """rate 300Mbit: the vMotion link's rate, from now on."""
        try:
            rate = read(" ".join(words), Dimension.BIT_RATE)
        except ValueError as fault:
            raise ScenarioError(str(fault)) from fault
        self._session.order(Order.read({"what": "rate", "value": rate}))

    def throttle(self, words: list[str]) -> None:
        """throttle 0.5: take that share of the guest's time while it migrates; 0 gives it back."""
        said = " ".join(words)
        try:
            share = float(said)
        except ValueError:
            raise ScenarioError(f"a throttle is a number such as 0.5, not '{said}'") from None
        self._session.order(Order.read({"what": "throttle", "value": share}))

    def again(self, changed: list[str]) -> None:
        """again [PATH=VALUE ...]: new hosts and a new guest, with these keys changed."""
        self._session.again(self._load(changed), changed)
        raise Leave

    def _order(self, word: str) -> Callable[[], None]:
        def order() -> None:
            self._session.order(Order(what=word))

        order.__doc__ = {
            "cancel": "cancel: the guest stays where it is.",
            "cut": "cut: nothing passes the vMotion link any more.",
            "mend": "mend: the link is as it was again.",
        }[word]
        return order


def _alone(word: str, does: Callable[[], None]) -> Command:
    """Who writes something after it means something by it, and would not get it."""

    def command(words: list[str]) -> None:
        if words:
            changes = "; 'again PATH=VALUE' changes keys" if "=" in words[0] else ""
            raise ScenarioError(f"'{word}' takes nothing after it, not '{' '.join(words)}'{changes}")
        does()

    command.__doc__ = does.__doc__
    return command
