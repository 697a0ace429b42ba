"""What RAM holds before the first operation: every page different, none zero unless asked.

Page p is one random page, the same for all, with every word xor-ed with the hash of p: as fast as memory is written.
"""

import numpy as np

from guest_agent.config import GuestConfig
from guest_agent.memory.hashing import Numbers, mix, mix_one, share
from guest_agent.memory.program import Memory
from testbed.core.units import PAGE_SIZE

_WORDS = PAGE_SIZE // 8
_PAGES_AT_ONCE = 64
"""256 KiB: stays in a core's cache."""


def fill(memory: Memory, config: GuestConfig, first_page: int = 0) -> None:
    """Writes the first content of pages ``first_page``... into ``memory``, shape (pages, 512) of u64.

    Page 0 is left as it is: its content is the state. The services' areas are left zero: they begin with nothing.
    """
    base = mix(np.arange(_WORDS, dtype=np.uint64), mix_one(config.seed, 1))
    stop = first_page + len(memory)
    for first in range(max(first_page, config.reserved_pages), stop, _PAGES_AT_ONCE):
        numbers = np.arange(first, min(first + _PAGES_AT_ONCE, stop), dtype=np.uint64)
        keys = mix(numbers, mix_one(config.seed, 2))
        part = memory[first - first_page : first - first_page + len(numbers)]
        np.bitwise_xor(keys[:, None], base, out=part)
        if config.zero_share:
            part[_left_zero(keys, config.zero_share)] = 0


def _left_zero(keys: Numbers, part: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return share(mix(keys), part)
