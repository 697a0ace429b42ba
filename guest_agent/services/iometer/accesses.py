"""IOMeter's access specification as pure functions: what operation n does, to which block, and what it writes.

    hash(seed, n) ──┬── random share ──> a random block, or the one behind that of operation n - 1
                    ├── read share ────> read or write
                    └── (n, block) ────> the content: header | pattern xor one word

A run of sequential accesses goes on from the last random one, as IOMeter's does, and begins anew every 1,024 operations
at block n modulo blocks: so no operation depends on more than its own run, and without random ones n is the position.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guest_agent.memory.hashing import Numbers, below, mix, mix_one, share

RUN = 1024
"""Operations that are worked out together."""
WORD = 8
HEADER_WORDS = 3
"""n + 1, block, check: never all zero, as a block that was never written is."""

_WRITE, _CONTENT, _BITS = 0x57, 0x43, np.uint64(1)
_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Accesses:
    """All operations of one access specification. ``block`` in bytes, ``read`` and ``random`` as shares 0..1."""

    seed: int
    block: int
    blocks: int
    read: float
    random: float

    def details(self, operations: Numbers) -> Numbers:
        """``block number << 1 | is_write`` of each operation, in any order."""
        runs, where = np.unique(operations // np.uint64(RUN), return_inverse=True)
        table = np.concatenate([self.run(int(run)) for run in runs]) if len(runs) else np.empty(0, np.uint64)
        found: Numbers = table[where * RUN + (operations % np.uint64(RUN)).astype(np.int64)]
        return found

    def run(self, run: int) -> Numbers:
        """Those of operations ``RUN * run``..., in order; shape (RUN,)."""
        numbers = np.arange(run * RUN, (run + 1) * RUN, dtype=np.uint64)
        hashes = mix(numbers, mix_one(self.seed))
        jumps = share(hashes, self.random)
        position = np.arange(RUN)
        last = np.maximum.accumulate(np.where(jumps, position, -1))
        targets = below(mix(hashes), self.blocks)
        behind = targets[np.maximum(last, 0)] + (position - last).astype(np.uint64)
        blocks = np.where(last < 0, numbers, behind) % np.uint64(self.blocks)
        writes = ~share(mix(hashes, _WRITE), self.read)
        return (blocks << _BITS) | writes.astype(np.uint64)

    def check(self, operation: int, block: int) -> int:
        """The third word of what that operation writes to that block; its content is the pattern xor this."""
        return mix_one(mix_one(operation, self.seed ^ _CONTENT) ^ block)

    def pattern(self) -> Numbers:
        """The words that all blocks have in common; shape (block / 8,)."""
        return mix(np.arange(self.block // WORD, dtype=np.uint64), mix_one(self.seed ^ _CONTENT))

    def write(self, buffer: Numbers, pattern: Numbers, operation: int, block: int) -> None:
        """Puts the content of one block into ``buffer``, words of the block's size."""
        check = self.check(operation, block)
        np.bitwise_xor(pattern, np.uint64(check), out=buffer)
        buffer[:HEADER_WORDS] = (operation + 1, block, check)

    def contents(self, operations: Numbers, blocks: Numbers, pattern: Numbers) -> Numbers:
        """What those operations write to those blocks; shape (n, block / 8)."""
        checks = mix(mix(operations, self.seed ^ _CONTENT) ^ blocks)
        content = pattern[None, :] ^ checks[:, None]
        content[:, 0], content[:, 1], content[:, 2] = operations + _BITS, blocks, checks
        return content

    def is_content(self, words: npt.NDArray[np.uint64] | memoryview, block: int) -> bool:
        """Whether a block that was read was never written, or written as that block: by its header alone."""
        number, said, check = int(words[0]), int(words[1]), int(words[2])
        if not number:
            return not said and not check
        return said == block and check == self.check((number - 1) & _MASK, block)
