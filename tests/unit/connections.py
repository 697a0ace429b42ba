"""An established connection of two ends, as a guest takes one that moved to it."""

import select
import socket
from contextlib import ExitStack


def moved(stack: ExitStack) -> tuple[socket.socket, socket.socket]:
    """An established connection: its client's end, and the one that moves."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = stack.enter_context(socket.create_connection(server.getsockname()))
        return client, server.accept()[0]


def readable(sock: socket.socket) -> bool:
    asked = select.poll()  # a descriptor may have a number that select() does not take
    asked.register(sock, select.POLLIN)
    return bool(asked.poll(0))
