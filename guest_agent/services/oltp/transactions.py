"""TPC-B's transaction (TPC Benchmark B, 1994, clause 1.2) as bytes on a connection, in both directions.

    request   magic | session u32 | sequence u64 | account u32 | teller u32 | branch u32 | delta i64
    reply     magic | session u32 | sequence u64 | transaction i64 | balance i64             all big-endian

A session asks for one transaction at a time, numbered from 1. A request that is repeated, because its connection broke
before the reply came, gets the reply that it would have had, and nothing is done again.
"""

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from guest_agent.memory.hashing import Numbers, below, mix, mix_one

_REQUEST, _REPLY = struct.Struct(">4sIQIIIq"), struct.Struct(">4sIQqq")
_ASK, _TELL = b"TPCB", b"tpcb"
REQUEST_BYTES, REPLY_BYTES = _REQUEST.size, _REPLY.size
MOST_DELTA = 999_999
"""Of either sign (clause 5.3.5)."""
FULL = -1
"""The transaction number in a reply that says: no room for more history."""


class Request(NamedTuple):
    """Add ``delta`` to one account, one teller and one branch, and write that into the history."""

    session: int
    sequence: int
    account: int
    teller: int
    branch: int
    delta: int

    def pack(self) -> bytes:
        """The request as ``REQUEST_BYTES`` bytes."""
        return _REQUEST.pack(_ASK, *self)


class Reply(NamedTuple):
    """The number of the transaction, 0... or ``FULL``, and the account's balance after it."""

    session: int
    sequence: int
    transaction: int
    balance: int

    def pack(self) -> bytes:
        """The reply as ``REPLY_BYTES`` bytes."""
        return _REPLY.pack(_TELL, *self)


def read_request(data: bytes) -> Request | None:
    """None where it is none."""
    magic, *fields = _REQUEST.unpack(data)
    return Request(*fields) if magic == _ASK else None


def read_reply(data: bytes) -> Reply | None:
    """None where it is none."""
    magic, *fields = _REPLY.unpack(data)
    return Reply(*fields) if magic == _TELL else None


def make_request(seed: int, session: int, sequence: int, sizes: tuple[int, int, int]) -> Request:
    """What a session asks for: a pure function of (seed, session, sequence). ``sizes``: accounts, tellers, branches.

    The branch is the teller's own.
    """
    accounts, tellers, branches = sizes
    random = mix_one(mix_one(sequence, seed) ^ session)
    more = mix_one(random)
    teller = (random & 0xFFFFFFFF) * tellers >> 32
    delta = more % (2 * MOST_DELTA + 1) - MOST_DELTA
    return Request(session, sequence, (random >> 32) * accounts >> 32, teller, teller * branches // tellers, delta)


def made_requests(
    seed: int, sessions: Numbers, sequences: Numbers, sizes: tuple[int, int, int]
) -> npt.NDArray[np.int64]:
    """``make_request`` of many: columns account, teller, branch, delta."""
    accounts, tellers, branches = sizes
    random = mix(mix(sequences, seed) ^ sessions)
    teller = below(random << np.uint64(32), tellers)
    branch = teller * np.uint64(branches) // np.uint64(tellers)
    delta = (mix(random) % np.uint64(2 * MOST_DELTA + 1)).astype(np.int64) - MOST_DELTA
    return np.stack([below(random, accounts), teller, branch, delta.view(np.uint64)], axis=1).view(np.int64)
