"""The bank: every request is done once, whatever is repeated, moved or broken; and a ledger that lies is found."""

import errno
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guest_agent.ledger import ACCOUNT, DELTA, TELLER, Ledger
from guest_agent.services import Evidence
from guest_agent.services.oltp import Oltp
from guest_agent.transactions import (
    FULL,
    REPLY_BYTES,
    Reply,
    Request,
    made_requests,
    make_request,
    read_reply,
    read_request,
)
from tests.unit.service_machine import SmallMachine, evidence, free_port

SEED = 1
SPEC = Oltp(accounts=1000, tellers=10, branches=3, sessions=4, history=1000)


def told(answered: int, **more: int) -> dict[str, int]:
    """What clients say who were answered so often, and lost nothing beside ``more``."""
    said = {"answered": answered, "errors": 0, "abandoned": 0, "mismatched": 0, "broken": 0} | more
    return {"sent": answered + said["errors"] + said["abandoned"]} | said


class Asking:
    """A client's end by hand."""

    def __init__(self, session: int) -> None:
        self.session, self.sequence = session, 0
        self.sock = socket.create_connection(("127.0.0.1", Oltp.port or 0))
        self.sock.setblocking(False)

    def __del__(self) -> None:
        self.sock.close()

    def ask(self, sequence: int | None = None) -> Request:
        self.sequence = self.sequence + 1 if sequence is None else sequence
        request = make_request(SEED, self.session, self.sequence, (1000, 10, 3))
        self.sock.send(request.pack())
        return request

    def answer(self, machine: SmallMachine) -> Reply | None:
        """None: the connection was closed."""
        came: list[bytes] = []

        def some() -> bool:
            try:
                came.append(self.sock.recv(REPLY_BYTES))
            except BlockingIOError:
                return False
            except ConnectionResetError:
                came.append(b"")
            return True

        machine.run(some)
        return read_reply(came[0]) if came[0] else None


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallMachine]:
    monkeypatch.setattr(Oltp, "port", free_port())
    small = SmallMachine(SPEC, str(tmp_path / "log")).start()
    yield small
    small.close()


def ledger(machine: SmallMachine) -> Ledger:
    return Ledger(machine.area, SPEC.sizes)


def transact(machine: SmallMachine, asking: Asking, times: int) -> list[list[int]]:
    """The client's rows."""
    rows = []
    for _ in range(times):
        asking.ask()
        reply = asking.answer(machine)
        assert reply and (reply.session, reply.sequence) == (asking.session, asking.sequence)
        rows.append([1, 2, reply.session << 32 | reply.sequence, reply.transaction])
    return rows


@given(
    st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.integers(-(2**63), 2**63 - 1)
)
def test_requests_and_replies_are_read_as_they_were_written(a: int, b: int, c: int, d: int) -> None:
    request, reply = Request(a, b, c, a, c, d), Reply(a, b, d, d)
    assert read_request(request.pack()) == request and read_reply(reply.pack()) == reply
    assert read_request(b"x" + request.pack()[1:]) is None and read_reply(b"x" + reply.pack()[1:]) is None


@given(st.integers(0, 2**63 - 1), st.integers(0, 1000), st.integers(1, 2**40))
def test_what_is_asked_for_exists(seed: int, session: int, sequence: int) -> None:
    request = make_request(seed, session, sequence, (7, 5, 3))
    assert request.account < 7 and request.teller < 5 and request.branch == request.teller * 3 // 5
    assert request == make_request(seed, session, sequence, (7, 5, 3))


def test_the_balance_is_that_of_all_that_was_asked(machine: SmallMachine) -> None:
    asking = Asking(0)
    deltas: dict[int, int] = {}
    for _ in range(100):
        request, reply = asking.ask(), asking.answer(machine)
        deltas[request.account] = deltas.get(request.account, 0) + request.delta
        assert reply and reply.balance == deltas[request.account]
    assert ledger(machine).count == 100


def test_requests_that_are_there_together_are_one_group(machine: SmallMachine) -> None:
    clients = [Asking(number) for number in range(4)]
    machine.turn()
    for client in clients:
        client.ask()
    assert [reply.transaction for client in clients if (reply := client.answer(machine))] == [0, 1, 2, 3]
    assert len(np.unique(machine.rows()[:, 0])) == 1  # all began at once


def test_a_repeated_request_gets_the_same_reply_and_is_not_done_again(machine: SmallMachine) -> None:
    asking = Asking(2)
    transact(machine, asking, 3)
    asking.ask()
    told = asking.answer(machine)
    asking.sock.close()
    again = Asking(2)
    again.ask(4)
    assert again.answer(machine) == told and ledger(machine).count == 4


def test_one_request_on_two_connections_at_once_is_done_once(machine: SmallMachine) -> None:
    one, other = Asking(1), Asking(1)
    machine.turn()
    one.ask()
    other.ask()
    assert one.answer(machine) == other.answer(machine) and ledger(machine).count == 1


@pytest.mark.parametrize("wrong", [b"GET / HTTP/1.1\r\nHost: the guest\r\n\r\n", Request(9, 1, 0, 0, 0, 1).pack(),
                                   Request(0, 1, 1000, 0, 0, 1).pack(), Request(0, 7, 0, 0, 0, 1).pack()])  # fmt: skip
def test_nonsense_closes_the_connection_and_nothing_else(machine: SmallMachine, wrong: bytes) -> None:
    asking, other = Asking(0), Asking(3)
    asking.sock.send(wrong.ljust(36))
    assert asking.answer(machine) is None
    assert len(transact(machine, other, 2)) == 2 and ledger(machine).count == 2


def test_half_a_request_waits_in_the_kernel_and_moves_with_the_connection(machine: SmallMachine) -> None:
    asking = Asking(0)
    whole = make_request(SEED, 0, 1, (1000, 10, 3)).pack()
    asking.sock.send(whole[:20])
    for _ in range(3):
        machine.turn()
    successor = machine.move()
    asking.sock.send(whole[20:])
    reply = asking.answer(successor)
    assert reply and reply.transaction == 0
    successor.close()


def test_a_client_that_leaves_in_the_middle_of_a_request_is_let_go(machine: SmallMachine) -> None:
    asking = Asking(0)
    asking.sock.send(b"TPCB")
    asking.sock.shutdown(socket.SHUT_WR)
    assert asking.answer(machine) is None


def test_the_history_fills_up_and_the_verdict_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Oltp, "port", free_port())
    spec = replace(SPEC, history=5)
    small = SmallMachine(spec, str(tmp_path / "log")).start()
    asking = Asking(0)
    rows = transact(small, asking, 5)
    asking.ask()
    reply = asking.answer(small)
    assert reply and reply.transaction == FULL
    verdict = spec.verify(evidence(small, client=np.array(rows, np.uint64), said=told(5, errors=1)))
    assert not verdict.ok and len(verdict.findings) == 1
    assert verdict.findings[0].startswith("the history was full at 5 rows: 1 requests were refused")
    assert "raise the service's 'history' or 'think_time'" in verdict.findings[0]
    small.close()


def test_a_group_the_datastore_refuses_is_answered_to_nobody(machine: SmallMachine) -> None:
    asking = Asking(0)
    machine.turn()
    machine.files.fail = errno.EIO
    asking.ask()
    assert asking.answer(machine) is None and ledger(machine).count == 0
    again = Asking(0)
    again.ask(1)
    reply = again.answer(machine)
    assert reply and reply.transaction == 0
    verdict = SPEC.verify(
        evidence(machine, client=np.array([[1, 2, 1, 0]], np.uint64), said=told(1, broken=1), may_break=1)
    )
    assert verdict.findings == ("the datastore refused 1 groups of transactions",)


@pytest.fixture
def kept(machine: SmallMachine) -> Iterator[tuple[Evidence, SmallMachine]]:
    """200 transactions, 100 on either side of a move."""
    asking = Asking(1)
    rows = transact(machine, asking, 100)
    successor = machine.move()
    rows += transact(successor, asking, 100)
    yield evidence(machine, successor, client=np.array(rows, np.uint64), said=told(200)), successor
    successor.close()


def test_a_bank_that_moved_is_in_order(kept: tuple[Evidence, SmallMachine]) -> None:
    verdict = SPEC.verify(kept[0])
    assert verdict.ok and verdict.operations == 200 and verdict.lost == verdict.doubled == 0, verdict.findings


def _balance(left: Evidence, of: Ledger) -> None:
    of.accounts[3] += 1


def _moved_money(left: Evidence, of: Ledger) -> None:
    of.accounts[3] += 1
    of.accounts[4] -= 1


def _history(left: Evidence, of: Ledger) -> None:
    of.history[5, 6] += 1


def _session(left: Evidence, of: Ledger) -> None:
    of.sessions[1, 0] += 1


@pytest.mark.parametrize("tamper", [_balance, _moved_money, _history, _session])
def test_tables_that_are_not_what_the_log_gives_are_found(
    kept: tuple[Evidence, SmallMachine], tamper: Callable[[Evidence, Ledger], None]
) -> None:
    tamper(kept[0], Ledger(kept[0].area, SPEC.sizes))
    assert not SPEC.verify(kept[0]).ok


def test_a_log_that_was_not_written_is_found(kept: tuple[Evidence, SmallMachine]) -> None:
    kept[1].files.put(4096, bytes(4096))
    assert any("on the datastore" in finding for finding in SPEC.verify(kept[0]).findings)


def test_an_acknowledged_transaction_that_is_gone_is_lost(kept: tuple[Evidence, SmallMachine]) -> None:
    left, _ = kept
    assert left.client is not None
    more = np.vstack([left.client, np.array([[1, 2, 1 << 32 | 201, 200]], np.uint64)])
    assert SPEC.verify(replace(left, client=more, said=told(201))).lost == 1


def test_a_transaction_done_twice_is_doubled(kept: tuple[Evidence, SmallMachine]) -> None:
    of = Ledger(kept[0].area, SPEC.sizes)
    of.history[7, 1:7] = of.history[6, 1:7]
    verdict = SPEC.verify(kept[0])
    assert verdict.doubled == 1 and verdict.lost == 1 and not verdict.ok


def test_clients_that_said_nothing_prove_nothing(kept: tuple[Evidence, SmallMachine]) -> None:
    assert not SPEC.verify(replace(kept[0], said={})).ok


@given(st.data())
def test_any_area_and_any_datastore_get_a_verdict(data: st.DataObject) -> None:
    spec = Oltp(accounts=5, tellers=2, branches=1, sessions=2, history=10)
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    area = random.integers(0, 256, spec.area_pages * 4096, np.uint8)
    rows = random.integers(0, 2**64, (3, 4), np.uint64)
    left = Evidence(area=area, read=lambda _, n: random.bytes(n), logs=[rows], client=rows, said={}, seed=1)
    assert not spec.verify(left).ok


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"sent": 203}, "3 requests were never answered"),
        ({"sent": 203, "errors": 1, "abandoned": 1}, "1 requests were never answered"),
        ({"broken": 2}, "2 connections broke"),
        ({"mismatched": 1}, "1 replies were not"),
        ({"answered": 199}, "told of 199 transactions, and their log holds 200"),
    ],
)
def test_what_the_clients_miss_is_found(kept: tuple[Evidence, SmallMachine], said: dict[str, int], words: str) -> None:
    verdict = SPEC.verify(replace(kept[0], said=told(200) | said))
    assert not verdict.ok and any(words in finding for finding in verdict.findings), verdict.findings


def test_what_broke_with_its_connection_was_done_or_not_and_is_no_fault(kept: tuple[Evidence, SmallMachine]) -> None:
    said = told(200) | {"sent": 203, "abandoned": 3, "broken": 4}
    assert SPEC.verify(replace(kept[0], said=said, may_break=None)).ok
    assert SPEC.verify(replace(kept[0], said=said, may_break=4)).ok
    assert not SPEC.verify(replace(kept[0], said=said, may_break=3)).ok


def test_a_bank_that_did_nothing_is_not_in_order(machine: SmallMachine) -> None:
    verdict = SPEC.verify(evidence(machine, client=np.empty((0, 4), np.uint64), said=told(0)))
    assert verdict.findings == ("no transaction was answered at all",)


@pytest.mark.parametrize("column", [ACCOUNT, TELLER, DELTA])
def test_a_transaction_that_nobody_asked_for_is_found_although_all_adds_up(machine: SmallMachine, column: int) -> None:
    """Done with one number changed, in the tables, the history and the log alike."""
    asking = Asking(0)
    asked = make_request(SEED, 0, 1, (1000, 10, 3))
    changed = list(asked)
    changed[column - 1] = (changed[column - 1] + 1) % 10
    asking.sock.send(Request(*changed).pack())
    reply = asking.answer(machine)
    assert reply is not None
    machine.drain()
    verdict = SPEC.verify(evidence(machine, client=np.array([[1, 2, 1, 0]], np.uint64), said=told(1)))
    assert verdict.findings == ("1 transactions in the history are not what their session had asked for",)


@given(st.integers(0, 2**63 - 1), st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 2**40)), min_size=1))
def test_many_requests_are_made_as_one_is(seed: int, asked: list[tuple[int, int]]) -> None:
    sessions, sequences = np.array(asked, np.uint64).T
    made = made_requests(seed, sessions, sequences, (7, 5, 3)).tolist()
    assert made == [list(make_request(seed, *each, (7, 5, 3))[2:]) for each in asked]
