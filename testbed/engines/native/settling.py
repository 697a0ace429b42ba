"""The two guests stopped, and one of them let run: what ``Follower`` decides upon, and what it decides, carried out;
and what is to break, broken.
"""

from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass

from testbed.core.agents.config import GuestNic
from testbed.core.agents.told import Unaccepted
from testbed.core.errors import TestbedError, in_words
from testbed.core.plan import PlannedFault
from testbed.engines.native.agents import AgentProcess
from testbed.engines.native.deeds import Frozen
from testbed.linux.net.interface import Nic
from testbed.migration.identity.rescue import bring_up, take_back
from testbed.rig.guests import GuestProcess
from testbed.rig.mover import SteeredLink
from testbed.rig.orders import LINK_WORDS, Order


@dataclass(slots=True, kw_only=True)
class Pair:
    """Both hosts' agents and guests; ``nic`` is what the agents were told of the guest's network, None without one;
    ``frames`` announce the guest on it.
    """

    source_agent: AgentProcess
    destination_agent: AgentProcess
    source: GuestProcess
    destination: GuestProcess
    nic: GuestNic | None = None
    frames: tuple[bytes, ...] = ()


def freeze(pair: Pair) -> Frozen:
    """Neither makes a step any more. Raises ``TimeoutError`` for one that cannot be stopped; the other is, then."""
    with ExitStack() as both:
        both.callback(pair.destination.freeze)
        pair.source.freeze()
    return Frozen(
        source_operations=pair.source.operations(),
        destination_operations=pair.destination.operations(),
        source_alive=pair.source.alive,
    )


def drop(pair: Pair) -> None:
    """The guest that never ran at the destination is ended, and says nothing to its clients by that: they are the
    source's.
    """
    if (nic := pair.nic) is not None and pair.destination.alive:
        pid = pair.destination.pid
        with suppress(OSError), closing(Nic(pid, nic.interface, nic.ip, nic.prefix)) as its:
            its.silence()
    pair.destination.kill()


def go_on_at_destination(pair: Pair) -> None:
    """As the agent would have done it: the network first, then the guest. One that cannot be reached there runs there
    all the same, and the switch is found to send what is for it elsewhere.
    """
    if (nic := pair.nic) is not None and pair.destination.alive:
        with suppress(TestbedError):
            bring_up(pair.destination.pid, nic.interface, nic.ip, nic.prefix, frames=pair.frames)
    pair.destination.thaw()


def go_on_at_source(pair: Pair, unaccepted: Sequence[Unaccepted]) -> str:
    """As the agent would have done it: the network first, then the guest. What could not be done, as words to add."""
    fault = ""
    if (nic := pair.nic) is not None and pair.source.alive:
        pid, frames = pair.source.pid, pair.frames
        try:
            take_back(pid, nic.interface, nic.ip, nic.prefix, frames=frames, unaccepted=unaccepted)
        except TestbedError as error:
            fault = f", but {in_words(error)}"
    pair.source.thaw()
    return fault


def inject(pair: Pair, link: SteeredLink, planned: PlannedFault) -> str | None:
    """Breaks what is planned, now: why that could not be done, None when it is."""
    if planned.what in LINK_WORDS:
        return link.obey(Order(what=planned.what))
    verb, _, end = planned.what.partition("-")
    agent = pair.destination_agent if end == "destination" else pair.source_agent
    if not agent.alive:
        return "the agent had ended"
    if verb == "kill":
        agent.kill()
    else:
        agent.suspend()
    return None
