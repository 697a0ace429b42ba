"""The bank: every request is done once, whatever is repeated, moved or broken; and a ledger that lies is found."""

import errno
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guest_agent.services.oltp.ledger import Ledger
from guest_agent.services.oltp.service import Oltp
from guest_agent.services.oltp.transactions import (
    FULL,
    Reply,
    Request,
    make_request,
    read_reply,
    read_request,
)
from tests.unit.banking import SEED, SPEC, Asking, told, transact
from tests.unit.service_machine import SmallMachine, evidence, free_port


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallMachine]:
    monkeypatch.setattr(Oltp, "port", free_port())
    small = SmallMachine(SPEC, str(tmp_path / "log")).start()
    yield small
    small.close()


def ledger(machine: SmallMachine) -> Ledger:
    return Ledger(machine.area, SPEC.sizes)


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
