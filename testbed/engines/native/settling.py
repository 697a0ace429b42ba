"""Who owns the guest when no agent can say so: one runner, never two, never none.

A guest's own RAM says how far it came. A destination that ran has done more operations than the frozen source, so even
with both agents dead it can be told where the guest is: freeze both, compare, end one.
"""

from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass

from testbed.core.agents.config import GuestNic
from testbed.core.agents.told import Unaccepted
from testbed.core.errors import TestbedError
from testbed.engines.native.agents import AgentProcess
from testbed.linux.net.interface import Nic
from testbed.migration.identity.rescue import bring_up, take_back
from testbed.rig.guests import GuestProcess


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


def settle(pair: Pair) -> bool:
    """Decides for good where the guest lives: True at the destination, which then runs; False at the source, and the
    destination's guest is ended. The source is left frozen either way. Raises ``TimeoutError`` for one that cannot be
    stopped; the other is, then.
    """
    pair.destination_agent.kill()
    with ExitStack() as both:
        both.callback(pair.destination.freeze)
        pair.source.freeze()
    if pair.destination.operations() > pair.source.operations():
        _go_on_at_destination(pair)
        return True
    _silence(pair)
    pair.destination.kill()
    return False


def _silence(pair: Pair) -> None:
    """The guest that never ran says nothing to its clients when it is ended: they are the source's."""
    if pair.nic is not None and pair.destination.alive:
        pid, nic = pair.destination.process.pid, pair.nic
        with suppress(OSError), closing(Nic(pid, nic.interface, nic.ip, nic.prefix)) as its:
            its.silence()


def _go_on_at_destination(pair: Pair) -> None:
    """As the agent would have done it: the network first, then the guest. One that cannot be reached there runs there
    all the same, and the switch is found to send what is for it elsewhere.
    """
    if (nic := pair.nic) is not None and pair.destination.alive:
        with suppress(TestbedError):
            bring_up(pair.destination.process.pid, nic.interface, nic.ip, nic.prefix, frames=pair.frames)
    pair.destination.thaw()


def go_on_at_source(pair: Pair, unaccepted: Sequence[Unaccepted]) -> str:
    """As the agent would have done it: the network first, then the guest. What could not be done, as words to add."""
    fault = ""
    if (nic := pair.nic) is not None and pair.source.alive:
        pid, frames = pair.source.process.pid, pair.frames
        try:
            take_back(pid, nic.interface, nic.ip, nic.prefix, frames=frames, unaccepted=unaccepted)
        except TestbedError as error:
            fault = f", but {error}"
    pair.source.thaw()
    return fault
