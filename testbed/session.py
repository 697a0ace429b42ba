"""One guest between two hosts and somebody in front of it, who says when it migrates: what ``shell`` is made of.

    with Session(scenario, out) as session:      hosts up, the guest at work
        session.migrate()                        returns at once; the run goes on in a thread
        session.order(Order(what="cut"))
        session.wait()                           its record, as in any run's folder

A session is one migration, since its hosts go with it; ``again`` makes new ones. The folder gets them all.
"""

import secrets
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import TracebackType

import testbed
from testbed.core.errors import TestbedError
from testbed.core.events import Controlled, Event, MigrationFinished, MigrationStarted
from testbed.core.outlook import Outlook
from testbed.core.record import LinkRecord, MigrationRecord, Summary
from testbed.engines.control import LINK_WORDS, Controls, Order
from testbed.engines.native import Lab
from testbed.experiment import check_fits_all, run_context, the_machine
from testbed.linux.environment import environment
from testbed.network.fabric import Fabric
from testbed.report import page
from testbed.report.folder import RunFolder
from testbed.scenario import Scenario

PATIENCE_S = 24 * 3600.0
"""So long a guest may wait for the word."""
AT_WORK, MOVING, OVER = "the guest is at work at esx1", "a migration is under way", "the migration is over"


class Session:
    """A context manager. Entering takes the machine and raises what ``run_scenario`` raises. Of a matrix it is the
    first migration. ``observe`` is given every event, from any thread.
    """

    def __init__(self, scenario: Scenario, out: Path, observe: Callable[[Event], None]) -> None:
        self.scenario, self._out, self._observe = scenario, out, observe
        self.state, self.outlook = AT_WORK, Outlook()
        self.summary = Summary(
            testbed_version=testbed.__version__,
            scenario=scenario.name,
            engine="native",
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            seed=scenario.plans()[0].seed,
            valid=False,
            invalid_reasons=[],
            environment=environment(["tbf, at both ends of a link"]),
            migrations=[],
        )
        self._controls = Controls()
        self._stack, self._hosts = ExitStack(), ExitStack()
        self._thread: threading.Thread | None = None
        self._fault: BaseException | None = None
        self._over = threading.Event()

    def __enter__(self) -> "Session":
        with ExitStack() as stack:
            run_id = secrets.token_hex(3)
            state = stack.enter_context(the_machine(f"a shell of {self.scenario.name}", run_id))
            self.folder = RunFolder.create(self._out)
            self._context = stack.enter_context(run_context(run_id, self.folder, self._see, state.add))
            stack.callback(self._leave)
            self._stack = stack.pop_all()
        try:
            self.again(self.scenario)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def fabric(self) -> Fabric:
        """The hosts, which last until ``again``."""
        return self._lab.fabric

    def again(self, scenario: Scenario) -> None:
        """New hosts and a new guest, of another scenario if need be. Raises ``TestbedError`` during a migration."""
        if self.state == MOVING:
            raise TestbedError(f"{MOVING}; wait for it, or cancel it")
        self._hosts.close()
        self.scenario = scenario
        repeat = 1 + len(self.summary.migrations)
        plan = replace(scenario.plans()[0], repeat=repeat)
        check_fits_all([plan])
        self.folder.write_scenario(scenario.resolved_yaml())
        context = replace(self._context, controls=self._controls, number=repeat)
        self._see(MigrationStarted(at=monotonic(), name=plan.name, index=repeat, total=repeat))
        with ExitStack() as hosts:
            log = hosts.enter_context(self.folder.log.open("ab"))
            self._lab = Lab(plan, context, hosts, log, PATIENCE_S)
            self._link = self._lab.build()
            self._lab.warm_up()
            self._hosts = hosts.pop_all()
        self.state = AT_WORK

    def migrate(self) -> None:
        """Begins it. Raises ``TestbedError`` when there is nothing to migrate."""
        if self.state != AT_WORK:
            raise TestbedError(f"{self.state}; 'again' makes another guest" if self.state == OVER else self.state)
        self.state, self._fault = MOVING, None
        self._over.clear()
        self._thread = threading.Thread(target=self._move, args=(self._link,), name="migration")
        self._thread.start()

    def wait(self) -> MigrationRecord:
        """Its record, once it is over. Raises what went wrong, and ``TestbedError`` when none was begun."""
        if self._thread is None:
            raise TestbedError("no migration has begun; 'migrate' begins one")
        self._over.wait()  # a join that Ctrl-C breaks off would not wait the next time
        if self._fault is not None:
            raise self._fault
        return self.summary.migrations[-1]

    def order(self, order: Order) -> None:
        """Carried out by the migration that is under way; the link is in one's hands without one, too. Raises
        ``TestbedError``, saying why not.
        """
        fault = self._controls.give(order)
        if fault is not None and order.what in LINK_WORDS and self.state == AT_WORK:
            fault = self._lab.by_hand(order)
            self._see(Controlled(at=monotonic(), what=order.what, value=order.value, fault=fault))
        if fault is not None:
            raise TestbedError(f"'{order}' was not done: {fault}")

    def _move(self, link: LinkRecord) -> None:
        try:
            done = self._lab.conclude(link, self._lab.migrate())
            self.summary.migrations.append(done)
            reasons = [f"{each.name}: {why}" for each in self.summary.migrations for why in each.invalid_reasons]
            self.summary.invalid_reasons, self.summary.valid = reasons, not reasons
            self.folder.write_summary(self.summary)
            self._see(
                MigrationFinished(
                    at=monotonic(),
                    name=done.name,
                    outcome=done.outcome,
                    reason=done.reason,
                    valid=done.valid,
                    record=done,
                )
            )
        except (TestbedError, OSError) as fault:
            self._fault = fault
        finally:
            self.state = OVER
            self._over.set()

    def _see(self, event: Event) -> None:
        self.outlook.update(event)
        self._observe(event)

    def _leave(self) -> None:
        """Whatever is under way is cancelled, hosts go, and the folder gets its page."""
        if self.state == MOVING and self._thread is not None:
            self._controls.give(Order(what="cancel"))
            self._thread.join()
        self._hosts.close()
        if self.summary.migrations:
            page.write(self.folder.path)
