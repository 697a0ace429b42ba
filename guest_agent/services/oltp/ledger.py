"""The tables of TPC-B in an area of RAM, and how they change: through a write-ahead log, and never otherwise.

    header | accounts | tellers | branches | sessions | history | buffer of the log        each from a page's beginning

A record of the log is a row of the history, 64 bytes, so row n of one is row n of the other: 64 of them fill a page of
the datastore. A group of transactions is staged in the buffer behind what the last page of the log holds already,
written as whole pages, and applied to the tables once it is durable.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from guest_agent.services.oltp.transactions import Reply, Request
from testbed.core.units import PAGE_SIZE

Words = npt.NDArray[np.int64]

RECORD_WORDS = 8
"""Transaction + 1, session, sequence, account, teller, branch, delta, the account's balance after it."""
TRANSACTION, SESSION, SEQUENCE, ACCOUNT, TELLER, BRANCH, DELTA, BALANCE = range(RECORD_WORDS)
_PER_PAGE = PAGE_SIZE // (8 * RECORD_WORDS)
_PAGE_WORDS = PAGE_SIZE // 8
_SESSION_WORDS = 3
"""Last sequence, its transaction, the balance it was told."""
_COUNT, _ERRORS, _REFUSED = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Rows of each table."""

    accounts: int
    tellers: int
    branches: int
    sessions: int
    history: int

    @property
    def tables(self) -> tuple[int, ...]:
        """Pages of each part of the area, in order."""
        buffer = -(-(self.sessions + _PER_PAGE) // _PER_PAGE)
        words = (1, self.accounts, self.tellers, self.branches, _SESSION_WORDS * self.sessions, 8 * self.history)
        return *(-(-count // _PAGE_WORDS) for count in words), buffer

    @property
    def log_bytes(self) -> int:
        """Bytes of the write-ahead log, in whole pages; one more than the history takes, for a group's last page."""
        return (-(-self.history // _PER_PAGE) + 1) * PAGE_SIZE


class Ledger:
    """The tables as arrays over the area itself: there is no other copy."""

    def __init__(self, area: npt.NDArray[np.uint8], sizes: Sizes) -> None:
        """``area``: as many pages as ``sizes.tables`` says, zeros or another ledger's."""
        words, starts = area.view(np.int64), np.cumsum((0, *sizes.tables)) * _PAGE_WORDS
        parts = [words[start:stop] for start, stop in pairwise(starts)]
        self.sizes, self._header = sizes, parts[0]
        self.accounts, self.tellers = parts[1][: sizes.accounts], parts[2][: sizes.tellers]
        self.branches = parts[3][: sizes.branches]
        self.sessions = parts[4][: _SESSION_WORDS * sizes.sessions].reshape(-1, _SESSION_WORDS)
        self.history = parts[5][: RECORD_WORDS * sizes.history].reshape(-1, RECORD_WORDS)
        self._buffer = parts[6].reshape(-1, RECORD_WORDS)
        self.buffer_offset = int(starts[6]) * 8

    @property
    def count(self) -> int:
        """How many transactions are done."""
        return int(self._header[_COUNT])

    @property
    def errors(self) -> int:
        """Groups that the datastore did not take."""
        return int(self._header[_ERRORS])

    @property
    def refused(self) -> int:
        """Requests refused because the history was full."""
        return int(self._header[_REFUSED])

    def failed(self) -> None:
        """The datastore did not take a group."""
        self._header[_ERRORS] += 1

    def refuse(self) -> None:
        """There was no room for a transaction."""
        self._header[_REFUSED] += 1

    def can_be(self, request: Request) -> bool:
        """Its rows are there, and it is its session's next transaction or its last once more."""
        sizes = self.sizes
        if request.session >= sizes.sessions or request.account >= sizes.accounts:
            return False
        if request.teller >= sizes.tellers or request.branch >= sizes.branches or request.sequence < 1:
            return False
        return request.sequence - int(self.sessions[request.session, 0]) in (0, 1)

    def answered(self, request: Request) -> Reply | None:
        """The reply, if it was done before."""
        sequence, transaction, balance = self.sessions[request.session].tolist()
        return Reply(request.session, sequence, transaction, balance) if sequence == request.sequence else None

    def stage(self, requests: list[Request]) -> tuple[list[list[int]], int, int]:
        """Puts a group into the buffer. Returns its records, and the offset and length of the log to be written."""
        count, changed, records = self.count, dict[int, int](), []
        for number, request in enumerate(requests, count + 1):
            balance = changed.get(request.account)
            balance = (int(self.accounts[request.account]) if balance is None else balance) + request.delta
            changed[request.account] = balance
            records.append([number, *request, balance])
        begin, end = count % _PER_PAGE, count % _PER_PAGE + len(records)
        self._buffer[begin:end] = records
        self._buffer[end:] = 0
        return records, count // _PER_PAGE * PAGE_SIZE, -(-end // _PER_PAGE) * PAGE_SIZE

    def apply(self, records: list[list[int]]) -> list[Reply]:
        """A group that is durable. Returns the replies, in order."""
        count = self.count
        self.history[count : count + len(records)] = records
        for transaction, session, sequence, account, teller, branch, delta, balance in records:
            self.accounts[account] = balance
            self.tellers[teller] += delta
            self.branches[branch] += delta
            self.sessions[session] = (sequence, transaction - 1, balance)
        self._header[_COUNT] = count + len(records)
        whole = (count + len(records)) // _PER_PAGE - count // _PER_PAGE
        if whole:  # the page that is not yet full goes to the front
            self._buffer[:_PER_PAGE] = self._buffer[whole * _PER_PAGE : (whole + 1) * _PER_PAGE]
        return [Reply(record[SESSION], record[SEQUENCE], record[0] - 1, record[BALANCE]) for record in records]
