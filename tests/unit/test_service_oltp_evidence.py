"""What a bank leaves behind is in order, or is found not to be: whatever was tampered with, lost or never asked for."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guest_agent.services import ServiceEvidence
from guest_agent.services.oltp.ledger import ACCOUNT, DELTA, TELLER, Ledger
from guest_agent.services.oltp.service import Oltp
from guest_agent.services.oltp.transactions import (
    Request,
    made_requests,
    make_request,
)
from tests.unit.banking import SEED, SPEC, Asking, told, transact
from tests.unit.service_machine import SmallMachine, evidence, free_port


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallMachine]:
    monkeypatch.setattr(Oltp, "port", free_port())
    small = SmallMachine(SPEC, str(tmp_path / "log")).start()
    yield small
    small.close()


@pytest.fixture
def kept(machine: SmallMachine) -> Iterator[tuple[ServiceEvidence, SmallMachine]]:
    """200 transactions, 100 on either side of a move."""
    asking = Asking(1)
    rows = transact(machine, asking, 100)
    successor = machine.move()
    rows += transact(successor, asking, 100)
    yield evidence(machine, successor, client=np.array(rows, np.uint64), said=told(200)), successor
    successor.close()


def test_a_bank_that_moved_is_in_order(kept: tuple[ServiceEvidence, SmallMachine]) -> None:
    verdict = SPEC.verify(kept[0])
    assert verdict.ok and verdict.operations == 200 and verdict.lost == verdict.doubled == 0, verdict.findings


def _balance(left: ServiceEvidence, of: Ledger) -> None:
    of.accounts[3] += 1


def _moved_money(left: ServiceEvidence, of: Ledger) -> None:
    of.accounts[3] += 1
    of.accounts[4] -= 1


def _history(left: ServiceEvidence, of: Ledger) -> None:
    of.history[5, 6] += 1


def _session(left: ServiceEvidence, of: Ledger) -> None:
    of.sessions[1, 0] += 1


@pytest.mark.parametrize("tamper", [_balance, _moved_money, _history, _session])
def test_tables_that_are_not_what_the_log_gives_are_found(
    kept: tuple[ServiceEvidence, SmallMachine], tamper: Callable[[ServiceEvidence, Ledger], None]
) -> None:
    tamper(kept[0], Ledger(kept[0].area, SPEC.sizes))
    assert not SPEC.verify(kept[0]).ok


def test_a_log_that_was_not_written_is_found(kept: tuple[ServiceEvidence, SmallMachine]) -> None:
    kept[1].files.put(4096, bytes(4096))
    assert any("on the datastore" in finding for finding in SPEC.verify(kept[0]).findings)


def test_an_acknowledged_transaction_that_is_gone_is_lost(kept: tuple[ServiceEvidence, SmallMachine]) -> None:
    left, _ = kept
    assert left.client is not None
    more = np.vstack([left.client, np.array([[1, 2, 1 << 32 | 201, 200]], np.uint64)])
    assert SPEC.verify(replace(left, client=more, said=told(201))).lost == 1


def test_a_transaction_done_twice_is_doubled(kept: tuple[ServiceEvidence, SmallMachine]) -> None:
    of = Ledger(kept[0].area, SPEC.sizes)
    of.history[7, 1:7] = of.history[6, 1:7]
    verdict = SPEC.verify(kept[0])
    assert verdict.doubled == 1 and verdict.lost == 1 and not verdict.ok


def test_clients_that_said_nothing_prove_nothing(kept: tuple[ServiceEvidence, SmallMachine]) -> None:
    assert not SPEC.verify(replace(kept[0], said=None)).ok


@given(st.data())
def test_any_area_and_any_datastore_get_a_verdict(data: st.DataObject) -> None:
    spec = Oltp(accounts=5, tellers=2, branches=1, sessions=2, history=10)
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    area = random.integers(0, 256, spec.area_pages * 4096, np.uint8)
    rows = random.integers(0, 2**64, (3, 4), np.uint64)
    left = ServiceEvidence(area=area, read=lambda _, n: random.bytes(n), logs=[rows], client=rows, said=None, seed=1)
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
def test_what_the_clients_miss_is_found(
    kept: tuple[ServiceEvidence, SmallMachine], said: dict[str, int], words: str
) -> None:
    verdict = SPEC.verify(replace(kept[0], said=replace(told(200), **said)))
    assert not verdict.ok and any(words in finding for finding in verdict.findings), verdict.findings


def test_what_broke_with_its_connection_was_done_or_not_and_is_no_fault(
    kept: tuple[ServiceEvidence, SmallMachine],
) -> None:
    said = told(200, abandoned=3, broken=4)
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
