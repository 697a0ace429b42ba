"""Small plans for tests of the model: a guest, a goodput, a policy."""

from typing import Any

from testbed.core.plan import GuestPlan, LinkPlan, MigrationPlan, NetworkPlan, Plan

GIB, GBIT = 2**30, 1e9 / 8
IDLE: dict[str, Any] = {"name": "idle"}


def writes(gbit: float, working_set: float | None = None) -> dict[str, Any]:
    """Sequential over all of the memory, or uniform over a working set in GiB."""
    if working_set is None:
        return {"name": "sequential", "working_set": None, "write_rate": gbit * GBIT}
    return {"name": "uniform", "working_set": int(working_set * GIB), "write_rate": gbit * GBIT}


def plan(memory: float, workload: dict[str, Any], policy: str | dict[str, Any] = "plain", **more: Any) -> Plan:
    """A guest of so many GiB behind a link whose goodput is 9.4 Gbit/s unless told."""
    goodput = more.pop("goodput", 9.4)
    return Plan(
        name="test",
        network=NetworkPlan(vmotion=LinkPlan(goodput=goodput * 1e9)),
        guest=GuestPlan(ram_bytes=int(memory * GIB), workload=workload),
        migration=MigrationPlan(
            policy={"name": policy} if isinstance(policy, str) else policy, timeout_s=more.pop("timeout_s", 5000.0)
        ),
        **more,
    )
