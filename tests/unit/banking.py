"""A bank under test, and a client's end of it by hand."""

import socket

from guest_agent.client.conversation import ClientFinished
from guest_agent.services.oltp.service import Oltp
from guest_agent.services.oltp.transactions import (
    REPLY_BYTES,
    Reply,
    Request,
    make_request,
    read_reply,
)
from tests.unit.service_machine import SmallMachine

SEED = 1
SPEC = Oltp(accounts=1000, tellers=10, branches=3, sessions=4, history=1000)


def told(answered: int, **more: int) -> ClientFinished:
    """What clients say who were answered so often, and lost nothing beside ``more``."""
    said = {"errors": 0, "reconnects": 0, "abandoned": 0} | more
    return ClientFinished(sent=answered + said["errors"] + said["abandoned"], answered=answered, **said)


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


def transact(machine: SmallMachine, asking: Asking, times: int) -> list[list[int]]:
    """The client's rows."""
    rows = []
    for _ in range(times):
        asking.ask()
        reply = asking.answer(machine)
        assert reply and (reply.session, reply.sequence) == (asking.session, asking.sequence)
        rows.append([1, 2, reply.session << 32 | reply.sequence, reply.transaction])
    return rows
