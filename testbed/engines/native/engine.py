"""Real hosts, a real guest, real TCP: one migration from nothing to nothing.

network ─ guests ─ agents ─ calibrate ─ warm-up ─ pre-copy … switchover ─ cool-down ─ proof of memory ─ all gone
"""

from contextlib import ExitStack
from typing import ClassVar

from testbed.core.plan import Plan
from testbed.core.records.migration import MigrationRecord
from testbed.engines import register
from testbed.engines.native.concluding import conclude
from testbed.engines.native.mover import WAIT_S, NativeStart
from testbed.network.fabric import Fabric
from testbed.rig.context import RunContext
from testbed.rig.hosts import EmulatedHosts
from testbed.rig.stages import Rig, carry_out


@register("native")
class NativeEngine:
    """This project's own agents and guest, between emulated hosts on this machine; needs root."""

    needs_machine: ClassVar[bool] = True

    def check(self, plan: Plan) -> None:
        """Nothing: what a machine lacks for it shows when hosts are up."""

    def migrate(self, plan: Plan, context: RunContext) -> MigrationRecord:
        """See ``Engine``. From the word on signals are noted alone: what was begun is followed to its end."""
        return carry_out(native_rig(plan, context, Fabric(plan.network, context.run_id), ExitStack()))


def native_rig(plan: Plan, context: RunContext, fabric: Fabric, stack: ExitStack, wait_s: float = WAIT_S) -> Rig:
    """For our agents, in a ``fabric`` that is not up yet. ``wait_s``: seconds after the warm-up in which the word to
    migrate may come.
    """
    return Rig(
        plan=plan,
        context=context,
        hosts=EmulatedHosts(plan, fabric),
        start=NativeStart(fabric, wait_s),
        conclude=conclude,
        stack=stack,
    )
