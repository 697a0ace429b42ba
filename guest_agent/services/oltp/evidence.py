"""Whether a ledger was kept: balances add up, its log gives its tables again, and clients were told the truth, once."""

from collections.abc import Iterator

import numpy as np

from guest_agent.client.conversation import ClientFinished
from guest_agent.memory.hashing import Numbers
from guest_agent.ring import COLUMNS, DETAIL, NUMBER, Rows
from guest_agent.services import ServiceEvidence, broken_findings
from guest_agent.services.oltp.ledger import (
    ACCOUNT,
    BALANCE,
    BRANCH,
    DELTA,
    RECORD_WORDS,
    SEQUENCE,
    SESSION,
    TELLER,
    Ledger,
    Words,
)
from guest_agent.services.oltp.transactions import made_requests
from guest_agent.services.operation_numbers import count_numbers, number_findings
from testbed.core.records.verdict import Verdict

METHOD = (
    "accounts, tellers, branches and history add up; the log replayed from zeros gives them again; every transaction "
    "that a client was told of is in the history once, under the number it was told, and as it had been asked for"
)
_LOW, _HIGH = np.uint64(0xFFFFFFFF), np.uint64(32)


def check(ledger: Ledger, evidence: ServiceEvidence) -> Verdict:
    """The verdict on all that was done."""
    count = min(ledger.count, len(ledger.history))
    history = ledger.history[:count]
    lost, doubled = _acknowledged(history, evidence.client)
    findings = [*_balances(ledger, history), *_replayed(ledger, history, evidence)]
    findings += [*_asked(ledger, history, evidence), *_served(history, evidence), *_told(evidence, lost, doubled)]
    if ledger.errors:
        findings.append(f"the datastore refused {ledger.errors} groups of transactions")
    if ledger.refused:
        findings.append(
            f"the history was full at {count} rows: {ledger.refused} requests were refused; raise the service's "
            "'history' or 'think_time'"
        )
    return Verdict(
        ok=not findings, method=METHOD, operations=count, lost=lost, doubled=doubled, findings=tuple(findings[:10])
    )


def _balances(ledger: Ledger, history: Words) -> Iterator[str]:
    total = int(history[:, DELTA].sum())
    for name, table in (("accounts", ledger.accounts), ("tellers", ledger.tellers), ("branches", ledger.branches)):
        if int(table.sum()) != total:
            yield f"the balances of all {name} add up to {int(table.sum())}, the history to {total}"


def _replayed(ledger: Ledger, history: Words, evidence: ServiceEvidence) -> Iterator[str]:
    """What the log on the datastore says, against RAM."""
    log = np.frombuffer(evidence.read(0, ledger.sizes.log_bytes), np.int64).reshape(-1, RECORD_WORDS)
    different = int((log[: len(history)] != history).any(axis=1).sum())
    if different:
        yield f"{different} rows of the history are not what the log on the datastore holds"
    beyond = int((log[len(history) :] != 0).any(axis=1).sum())
    if beyond:
        yield f"the log on the datastore holds {beyond} transactions that were never applied"
    if (log[: len(history), 0] != np.arange(1, len(history) + 1)).any():
        yield "the log on the datastore is not numbered from its beginning"
    yield from _tables(ledger, log[: len(history)])


def _tables(ledger: Ledger, log: Words) -> Iterator[str]:
    columns = (("accounts", ledger.accounts, ACCOUNT), ("tellers", ledger.tellers, TELLER))
    for name, table, column in (*columns, ("branches", ledger.branches, BRANCH)):
        replayed, rows = np.zeros_like(table), log[:, column]
        inside = (rows >= 0) & (rows < len(table))
        np.add.at(replayed, rows[inside], log[inside, DELTA])
        wrong = int((replayed != table).sum())
        if wrong:
            yield f"{wrong} {name} have another balance than the log replayed gives"
    last = np.zeros_like(ledger.sessions)
    inside = (log[:, SESSION] >= 0) & (log[:, SESSION] < len(last))
    rows = log[inside]
    last[rows[:, SESSION]] = np.stack([rows[:, SEQUENCE], rows[:, 0] - 1, rows[:, BALANCE]], axis=1)
    if (last != ledger.sessions).any():
        yield "the sessions' last replies are not those that the log replayed gives"


def _asked(ledger: Ledger, history: Words, evidence: ServiceEvidence) -> Iterator[str]:
    """What was done is what was asked for: that follows from session and sequence, and from nothing that moved."""
    words, sizes = history.view(np.uint64), ledger.sizes
    rows = sizes.accounts, sizes.tellers, sizes.branches
    asked = made_requests(evidence.seed, words[:, SESSION], words[:, SEQUENCE], rows)
    strange = int((asked != history[:, [ACCOUNT, TELLER, BRANCH, DELTA]]).any(axis=1).sum())
    if strange:
        yield f"{strange} transactions in the history are not what their session had asked for"


def _served(history: Words, evidence: ServiceEvidence) -> Iterator[str]:
    """The service's own rows: every transaction once, for whom the history says."""
    rows: Rows = np.concatenate([np.empty((0, COLUMNS), np.uint64), *evidence.logs])
    lost, doubled = count_numbers(rows[:, NUMBER], len(history))
    yield from number_findings(evidence.logs, lost, doubled, len(history))
    inside = rows[rows[:, NUMBER] < np.uint64(len(history))]
    strange = int((_keys(history)[inside[:, NUMBER].astype(np.int64)] != inside[:, DETAIL]).sum())
    if strange:
        yield f"{strange} transactions were done for somebody else than the history says"


def _acknowledged(history: Words, client: Rows | None) -> tuple[int, int]:
    """(lost, doubled): acknowledged and not in the history under that number, and there more than once."""
    keys = _keys(history)
    _, times = np.unique(keys, return_counts=True)
    doubled = int((times - 1).sum())
    if client is None or not len(client):
        return 0, doubled
    said, numbers = client[:, NUMBER], client[:, DETAIL]
    known = numbers < np.uint64(len(history))
    found = np.zeros(len(client), bool)
    found[known] = keys[numbers[known].astype(np.int64)] == said[known]
    return int((~found).sum()), doubled


def _told(evidence: ServiceEvidence, lost: int, doubled: int) -> Iterator[str]:
    rows, said = 0 if evidence.client is None else len(evidence.client), evidence.said
    if said is None:
        yield "its clients said nothing at their end"
    else:
        yield from _unanswered(said, rows)
        yield from broken_findings(evidence)
    if lost:
        yield f"{lost} transactions were acknowledged and are not in the history"
    if doubled:
        yield f"{doubled} transactions are in the history more than once"


def _unanswered(said: ClientFinished, rows: int) -> Iterator[str]:
    """Nobody was told of what was never answered: without this a service that does nothing would be without fault."""
    answered = said.answered
    if answered != rows:
        yield f"its clients were told of {answered} transactions, and their log holds {rows}"
    if not answered:
        yield "no transaction was answered at all"
    if left := max(0, said.sent - answered - said.errors - said.abandoned):
        yield f"{left} requests were never answered"
    if said.mismatched:
        yield f"{said.mismatched} replies were not to what had been asked"


def _keys(history: Words) -> Numbers:
    """session << 32 | low bits of the sequence."""
    words = history.view(np.uint64)
    return (words[:, SESSION] << _HIGH) | (words[:, SEQUENCE] & _LOW)
