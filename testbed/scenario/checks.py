"""Whether this machine can hold what a plan asks for. Asked by engines that really allocate it."""

from testbed.core.errors import ScenarioError
from testbed.core.plan import Plan
from testbed.core.units import in_bytes

BESIDE = 512 * 2**20
"""Bytes that all processes of a run may need beside the two copies of the guest's RAM."""


def check_fits(plan: Plan, available_bytes: int, of: str = "this machine has") -> None:
    """Refuse a guest whose two copies, source and destination, do not fit into the memory that is available. ``of``
    says who has no more.

    Raises ``ScenarioError`` with the largest that fits.
    """
    needed = 2 * plan.guest.ram_bytes + BESIDE
    if needed <= available_bytes:
        return
    real = (available_bytes - BESIDE) // 2 * plan.scale.size * plan.scale.time // 1e6
    advice = f"set vm.ram to at most {real:.0f}MB, or a larger scale" if real > 0 else "no guest fits; free some"
    raise ScenarioError(
        f"two copies of {in_bytes(plan.guest.ram_bytes)} of RAM and {in_bytes(BESIDE)} beside them need "
        f"{in_bytes(needed)}, and {of} {in_bytes(available_bytes)} available; {advice}",
        plan.name,
    )
