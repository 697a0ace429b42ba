"""When to go on, throttle, switch over or give up: pure functions of the rounds so far.

To add one: a file here (or anywhere, given as a path: ``./mine.py``) with a dataclass whose fields are its parameters
(their types say their units), registered by name, and one method, ``decide``. ``plain.py`` is the example to copy;
``common.py`` holds what most of them need. One that wants to decide before a round has been sent whole has an attribute
``early_look``, a ``testbed.core.rounds.EarlyLook``; ``qemu.py`` has.

policy ─ what each is        decisions ─ one is asked, whatever it does
common, bitmap_sync, flattening ── what several need
"""

from testbed.core.own.file import OwnFile
from testbed.core.registry import Registry
from testbed.policies.policy import Policy

registry: Registry[Policy] = Registry("policy", __name__, own=OwnFile("policy", ("decide",)))
register, build = registry.register, registry.build
