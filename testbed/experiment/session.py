"""One guest between two hosts and somebody in front of it, who says when it migrates: what ``shell`` is made of.

    with Session(scenario, out) as session:      hosts up, the guest at work
        session.migrate()                        returns at once; the run goes on in a thread
        session.order(Order(what="cut"))
        session.wait()                           its record, as in any run's folder

Hosts are for one migration and go with it; ``again`` makes new ones. The folder gets all migrations.
"""

import copy
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from testbed.core.errors import TestbedError
from testbed.core.events import Event
from testbed.core.outlook import Outlook, Outlooks
from testbed.core.plan import Plan
from testbed.core.records.migration import MigrationRecord
from testbed.engines.native.engine import native_rig
from testbed.experiment.composition import Audience, composed
from testbed.experiment.machine import check_fits_all
from testbed.experiment.records import begun, failed
from testbed.linux.processes.interrupts import Signals, noting
from testbed.network.fabric import Fabric
from testbed.rig.orders import LINK_WORDS, Order, Orders
from testbed.rig.stages import build
from testbed.scenario import Scenario

PATIENCE_S = 24 * 3600.0
"""So long a guest may wait for the word."""
AT_WORK, MOVING = "the guest is at work at esx1", "a migration is under way"
OVER, NO_HOSTS = "the migration is over; 'again' makes another guest", "there are no hosts; 'again' makes new ones"


class Session:
    """A context manager. Entering takes the machine and raises what ``run_scenario`` raises. Of a matrix it is the
    first migration. ``observe`` is given every event, from any thread; ``say`` a line where the page was not drawn.
    ``fabric``: the hosts, which last until ``again``.
    """

    def __init__(
        self, scenario: Scenario, out: Path, observe: Callable[[Event], None], say: Callable[[str], None]
    ) -> None:
        self.scenario, self._out, self._observe, self._say = scenario, out, Audience(observe), say
        self.state, self._outlooks, self._lock = NO_HOSTS, Outlooks(), threading.Lock()
        self.summary = begun(scenario.name, "native", scenario.plans()[0].seed, native=True)
        self._made: Counter[str] = Counter()
        self._controls = Orders()
        self._stack, self._hosts = ExitStack(), ExitStack()
        self._thread: threading.Thread | None = None
        self._bug: BaseException | None = None
        self._over = threading.Event()

    def __enter__(self) -> "Session":
        with ExitStack() as stack:
            self._run = stack.enter_context(
                composed(
                    self.scenario,
                    self.scenario.plans()[:1],
                    out=self._out,
                    summary=self.summary,
                    lock=f"a shell of {self.scenario.name}",
                    observer=self._see,
                    say=self._say,
                )
            )
            stack.callback(self._leave)
            self.again(self.scenario)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def signals(self) -> Signals:
        """What ends it from outside."""
        return self._run.signals

    @property
    def outlook(self) -> Outlook:
        """What is known now of the migration of the guest at hand."""
        with self._lock:
            return copy.copy(self._outlooks.latest)

    def again(self, scenario: Scenario, changed: Sequence[str] = ()) -> None:
        """New hosts and a new guest, of another scenario if need be, which differs in ``changed`` (``PATH=VALUE``).

        Raises ``TestbedError``: during a migration nothing has happened then, later there may be no hosts.
        """
        if self.state == MOVING:
            raise TestbedError(f"{MOVING}; wait for it, or cancel it")
        check_fits_all(scenario.plans()[:1])
        plan = self._plan(scenario.plans()[0], changed)
        self.state, self._thread = NO_HOSTS, None
        self._hosts.close()
        number = self._made.total()
        context = replace(self._run.begin(plan, index=number, total=number), controls=self._controls)
        fabric = Fabric(plan.network, context.run_id)
        with ExitStack() as undone:
            hosts = undone.enter_context(ExitStack())
            self._warm = build(native_rig(plan, context, fabric, hosts, PATIENCE_S)).warm_up()
            self.fabric, self._hosts = fabric, hosts
            undone.pop_all()
        self.state = AT_WORK

    def migrate(self) -> None:
        """Begins it. Raises ``TestbedError`` when there is nothing to migrate."""
        if self.state != AT_WORK:
            raise TestbedError(self.state)
        self.state = MOVING
        self._over.clear()
        self._controls.open(self._warm.rig.plan.key, self._warm.set_up.mover.orders)  # orders are for it from now on
        self._thread = threading.Thread(target=self._move, name="migration")
        self._thread.start()

    def wait(self) -> MigrationRecord:
        """Its record, once it is over. Raises ``TestbedError`` when none was begun."""
        if self._thread is None:
            raise TestbedError("no migration has begun; 'migrate' begins one")
        self._over.wait()  # a join that Ctrl-C breaks off would not wait the next time
        if self._bug is not None:
            raise self._bug
        return self.summary.migrations[-1]

    def order(self, order: Order) -> None:
        """Carried out by the migration of the guest at hand; the link is in one's hands before it, too. Raises
        ``TestbedError``, saying why not.
        """
        fault = self._controls.give(replace(order, migration=self._warm.rig.plan.key))
        if fault is not None and order.what in LINK_WORDS and self.state == AT_WORK:
            fault = self._warm.obey(order)
        if fault is not None:
            raise TestbedError(f"'{order}' was not done: {fault}")

    def _plan(self, plan: Plan, changed: Sequence[str]) -> Plan:
        """By a name that says what is different; the same once more is a repeat."""
        settings = plan.settings | dict(each.split("=", 1) for each in changed)
        name = " ".join([plan.name, *changed])
        self._made[name] += 1
        return replace(plan, name=name, settings=settings, repeat=self._made[name])

    def _move(self) -> None:
        try:
            self._run.end(self._moved())
        except BaseException as bug:  # noqa: BLE001 - whoever waits gets it
            self._bug = bug
        finally:
            self._controls.close(self._warm.rig.plan.key)
            self.state = OVER
            self._over.set()

    def _moved(self) -> MigrationRecord:
        try:
            return self._warm.migrate().conclude()
        except (TestbedError, OSError) as fault:
            return failed(self._warm.rig.plan, str(fault))

    def _see(self, event: Event) -> None:
        with self._lock:
            self._outlooks.update(event)
        self._observe(event)

    def _leave(self) -> None:
        """Whatever is under way is cancelled, and hosts go."""
        with noting():  # who is impatient for the end does not get there sooner by breaking it off
            try:
                if self._thread is not None:
                    self._controls.give(Order(what="cancel", migration=self._warm.rig.plan.key))
                    self._thread.join()
            finally:
                self._hosts.close()
