"""Everything that a browser may ask for, asked once before root is given up: what is loaded late is loaded then.

Where only root may read the checkout or the virtual environment, a module that the first request asks for would not be
there any more.
"""

import asyncio
import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from testbed.core.records.link import LinkRecord
from testbed.core.records.migration import MigrationRecord, VmRecord
from testbed.core.records.services import ServiceRecord
from testbed.web.live.app import LiveApp
from testbed.web.live.hub import Hub
from testbed.web.live.sections import Sections
from testbed.web.live.ticket import HEADER

PATIENCE_S = 10.0
"""So long the whole rehearsal may take; what was not asked by then is loaded when it is asked for, or is not."""
_TOKEN, _COOKIE = "rehearsal", "rehearsal"
_LAST_WORDS_S = 1
_NOTHING = MigrationRecord(
    name="",
    settings={},
    repeat=1,
    scale={"size": 1.0, "time": 1.0},
    outcome="failed",
    reason="",
    vm=VmRecord(ram_bytes=0, workload="", working_set_bytes=None, write_rate=None),
    link=LinkRecord(rate=None, goodput=None, expected_goodput=None, rtt_s=None, drops=None, mtu=0, verified=False),
    services=[ServiceRecord.counted("s", 2)],
)
"""A migration of which hardly anything is known: drawing it and its samples loads all that drawing needs."""
_SAMPLES = """\
{"t": 0.0, "kind": "event", "event": "migration", "name": "", "repeat": 1, "seed": 1}
{"t": 0.1, "kind": "link", "host": "esx1", "interface": "vmotion", "tx_bytes": 1}
{"t": 0.1, "kind": "guest", "host": "esx1", "operations": 1}
{"t": 0.1, "kind": "service", "host": "esx1", "name": "s", "operations": 1, "latency_s": 0.001}
{"t": 0.2, "kind": "link", "host": "esx1", "interface": "vmotion", "tx_bytes": 2}
{"t": 0.2, "kind": "guest", "host": "esx1", "operations": 2}
{"t": 0.2, "kind": "service", "host": "esx1", "name": "s", "operations": 2, "latency_s": 0.001}
"""
_REQUESTS = (
    "GET / HTTP/1.1\r\n",
    "GET /?token=rehearsal HTTP/1.1\r\n",
    "GET / HTTP/1.1\r\nCookie: rehearsal=rehearsal\r\n",
    f"GET /report HTTP/1.1\r\n{HEADER}: {_TOKEN}\r\n",
    f"GET /metrics HTTP/1.1\r\n{HEADER}: {_TOKEN}\r\nAccept: application/openmetrics-text\r\n",
    "GET /metrics HTTP/1.1\r\nAuthorization: Bearer rehearsal\r\n",
    f"GET /events HTTP/1.1\r\n{HEADER}: {_TOKEN}\r\n",
    f"GET /nowhere HTTP/1.1\r\n{HEADER}: {_TOKEN}\r\n",
    f"PUT /order HTTP/1.1\r\n{HEADER}: {_TOKEN}\r\n",
    f'POST /order HTTP/1.1\r\n{HEADER}: {_TOKEN}\r\nContent-Length: 17\r\n\r\n{{"what":"cancel"}}',
    f"POST /order HTTP/1.1\r\n{HEADER}: {_TOKEN}\r\nOrigin: http://elsewhere\r\nContent-Length: 2\r\n\r\n{{}}",
    f"POST /order HTTP/1.1\r\n{HEADER}: {_TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n",
    f"POST /order HTTP/1.1\r\n{HEADER}: {_TOKEN}\r\nContent-Length: 2\r\n\r\n[]",
    f"POST /order HTTP/1.1\r\n{HEADER}: {_TOKEN}\r\nContent-Length: 1\r\n\r\n{{",
    "no request at all\r\n",
)


def serving(app: ASGIApp) -> uvicorn.Config:
    """How the live page is served, here and in earnest."""
    return uvicorn.Config(
        app, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=_LAST_WORDS_S
    )


def rehearse(page: str) -> None:
    """Serves ``page`` to itself. Raises ``OSError`` where there is no loopback, and whatever is our bug."""
    asyncio.run(_rehearse(page))


async def _rehearse(page: str) -> None:
    hub = Hub("rehearsal")
    app = LiveApp(hub, lambda _order: None, page, _TOKEN, _COOKIE)
    app.report = page
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(serving(app.app))
        listening = asyncio.create_task(server.serve(sockets=[listener]))
        async with asyncio.timeout(PATIENCE_S):
            section = await asyncio.to_thread(_drawn)
            await hub.add(section)
            await hub.end()
            for request in _REQUESTS:
                await _ask(listener.getsockname()[1], request)
        server.should_exit = True
        await listening


def _drawn() -> dict[str, Any]:
    sections = Sections()
    sections.take(_SAMPLES, "")
    return sections.add(_NOTHING, 1)


async def _ask(port: int, request: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head, _, body = request.partition("\r\n\r\n")
    writer.write(f"{head.rstrip()}\r\nHost: localhost\r\nConnection: close\r\n\r\n{body}".encode())
    answer = await reader.read()
    writer.close()
    return answer
