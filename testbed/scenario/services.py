"""The guest's services at emulated size, and whether there is room for them in its RAM.

RAM   state │ area of service 1 │ area of service 2 │ ... │ working set
"""

from testbed.core.errors import ScenarioError
from testbed.core.parameters import Spec
from testbed.core.plan import GuestPlan
from testbed.core.text.yaml_text import KeyPath
from testbed.core.units import PAGE_SIZE, in_bytes
from testbed.scenario.document import Document
from testbed.scenario.models import Root, Scale
from testbed.scenario.parameters import at_scale

SERVICES: KeyPath = ("vm", "services")
STATE_PAGES = 1
"""Pages of the guest's own state, before the areas."""


def scaled_services(root: Root, document: Document) -> tuple[Spec, ...]:
    """Their specs. Raises ``ScenarioError`` for one that cannot be any more once it is small."""
    from guest_agent.services import build, registry

    found = []
    for index, each in enumerate(root.vm.services):
        small = at_scale(registry, each, root.scale.size, root.scale.time)
        try:
            build(small)
        except ScenarioError as error:
            raise ScenarioError(f"{error} (at this scale)", document.place((*SERVICES, index))) from error
        found.append(small)
    return tuple(found)


def check_areas(guest: GuestPlan, scale: Scale, document: Document) -> None:
    """Refuse services whose areas leave no room for the working set: for what was asked, or else for one page."""
    from guest_agent.services import build

    if not guest.services:
        return
    areas = PAGE_SIZE * (STATE_PAGES + sum(build(each).area_pages for each in guest.services))
    wanted = max(_working_sets(guest.workload), default=PAGE_SIZE)
    if areas + wanted > guest.ram_bytes:
        real = scale.size * scale.time
        message = (
            f"the services need {in_bytes(areas * real)} of RAM beside a working set of {in_bytes(wanted * real)}, and "
            f"vm.ram is {in_bytes(guest.ram_bytes * real)}; give more RAM, or smaller services (areas do not scale by "
            "themselves)"
        )
        raise ScenarioError(message, document.place(SERVICES))


def _working_sets(workload: Spec) -> list[int]:
    nested = [size for part in workload.get("phases", ()) for size in _working_sets(part)]
    size = workload.get("working_set")
    return [*nested, size] if size is not None else nested
