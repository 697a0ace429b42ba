"""When to go on, throttle, switch over or give up: pure functions of the rounds so far.

To add one: a file here (or anywhere, given as a path: ``./mine.py``) with a dataclass whose fields are its parameters
(their types say their units), registered by name, and one method, ``decide``. ``plain.py`` is the example to copy;
``common.py`` holds what most of them need. One that wants to decide before a round has been sent whole has an attribute
``early_look``, a ``testbed.core.rounds.EarlyLook``; ``qemu.py`` has.
"""

from collections.abc import Sequence
from typing import Protocol

from testbed.core.registry import Registry
from testbed.core.rounds import Decision, Round


class Policy(Protocol):
    """Decides after each pre-copy round. It knows no clock and no socket, so a record can be replayed through it."""

    def decide(self, history: Sequence[Round]) -> Decision:
        """What to do now. ``history`` holds every round so far, the newest last, and is never empty."""
        ...


def _from_file(path: str) -> type[Policy]:
    from testbed.policies.load import from_file

    return from_file(path)


def _broken(policy: type, fault: BaseException) -> str:
    from testbed.policies.load import broken

    return broken(policy, fault)


registry: Registry[Policy] = Registry("policy", __name__, _from_file, broken=_broken)
register, build = registry.register, registry.build
