"""QEMU's dirty limit: each virtual processor of the guest waits at first writes until it keeps to a rate.

QEMU measures that rate from full dirty rings and lets the processor that filled one sleep (system/dirtylimit.c). What
the guest feels is what SDPS makes it feel, so it is done by the same means; when and how far is the policy's.
"""

from testbed.throttles import register
from testbed.throttles.held_rate import HeldRate
from testbed.throttles.sdps import StunDuringPageSend


@register("dirty_limit")
class DirtyLimit(HeldRate):
    """Holds the guest's dirty rate at the limit."""

    rank = 2
    tracker = StunDuringPageSend
