"""What carries a migration out: ``native`` (this project's agents and guest), ``simulated`` (the model).

``forecasting`` is what the model expects of a migration before it begins, whichever carries it out; ``unplugged`` are
faults in one that is simulated.
"""

from typing import ClassVar, Protocol

from testbed.core.plan import Plan
from testbed.core.records.migration import MigrationRecord
from testbed.core.registry import Registry
from testbed.rig.context import RunContext


class Engine(Protocol):
    """Carries out one migration of the matrix and writes its record."""

    needs_machine: ClassVar[bool]

    def check(self, plan: Plan) -> None:
        """Raises ``ScenarioError`` for what this engine can never carry out: asked of all before any is begun."""
        ...

    def migrate(self, plan: Plan, context: RunContext) -> MigrationRecord:
        """Build, run, measure, take down. Raises ``TestbedError`` for what goes wrong before the migration begins;
        from there on whatever happens is an outcome.
        """
        ...


registry: Registry[Engine] = Registry("engine", __name__)
register = registry.register
