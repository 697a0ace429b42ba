"""Who may ask: a browser that was given this machine's name or address, on a page of its own.

A page elsewhere can let its own name point here (DNS rebinding) and would then be of the same origin. It cannot do so
under an address, nor under a name that only this machine has. Nor may it show our page in a frame, and have a button
of it pressed unseen.
"""

import errno
import ipaddress
import socket

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from testbed.core.errors import TestbedError
from testbed.linux.namespaces.outside import listening

LOCAL = "127.0.0.1"
ANY = {"0.0.0.0": LOCAL, "::": "[::1]"}  # noqa: S104 - names for it
"""What stands for all addresses of this machine, and one of them by which a browser here comes."""
HEADERS = {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Guard:
    """ASGI middleware: 400 for a foreign name, ``HEADERS`` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request: passes it on, or refuses it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        foreign = not is_ours(Headers(scope=scope).get("host", ""))
        app = PlainTextResponse("ask by this machine's address, or localhost\n", 400) if foreign else self._app
        await app(scope, receive, guarded)


def is_ours(host: str) -> bool:
    """Whether a ``Host`` header names this machine: any address, ``localhost``, or its own name."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.lower() in ("localhost", socket.gethostname().lower())
    return True


def where(host: str, port: int) -> str:
    """A URL that a browser on this machine can open, for what listens on ``host``."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{ANY.get(host, shown)}:{port}/"


def listener(host: str, port: int, port_option: str, host_option: str) -> socket.socket:
    """What a page's server listens by. Raises ``TestbedError``, which names the option that mends it."""
    try:
        return listening(host, port)
    except (OSError, TypeError) as fault:  # the latter: a name that no machine can have
        said = fault.strerror if isinstance(fault, OSError) else "it is no name of a machine"
        taken = isinstance(fault, OSError) and fault.errno in (errno.EADDRINUSE, errno.EACCES)
        remedy = f"try another {port_option}" if taken else f"{host_option} is for an address of this machine"
        raise TestbedError(f"cannot serve at {where(host, port)}: {said}; {remedy}") from fault
