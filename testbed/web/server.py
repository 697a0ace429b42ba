"""The live page's process: ``python -m testbed.web.server CONFIG``, without root as soon as it has its socket.

    in   (stdin)    the token, then what the run says, one JSON object a line; the end of it is the end of the run
    out  (stdout)   orders, one JSON object a line

It lasts as long as the run; when that has ended, browsers that are connected hear so and fetch the report, and it goes.
"""

import asyncio
import json
import os
import secrets
import socket
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import uvicorn

from testbed.linux.processes.caller import Caller, caller
from testbed.linux.processes.process import die_with_parent
from testbed.rig.orders import Order
from testbed.web.app import LiveApp
from testbed.web.hub import Hub
from testbed.web.live_page import live_page
from testbed.web.rehearsal import rehearse, serving
from testbed.web.sections import Sections

LAST_LOOK_S = 3.0
"""So long a browser that is connected has to fetch the report."""
NOBODY = 65534


class Serving:
    """Made with all rights, so that whatever is read from disk is read; run without them."""

    def __init__(self, config: dict[str, Any], token: str) -> None:
        page = live_page(config["title"], token)
        rehearse(page)
        self._hub = Hub(secrets.token_hex(4))
        self._app = LiveApp(self._hub, _give, page, token, config["cookie"])
        self._sections = Sections()
        self._uvicorn = serving(self._app.app)
        self._uvicorn.load()

    async def until_the_end(self, listener: socket.socket) -> None:
        """Until stdin has ended and whoever looks has heard so."""
        server = uvicorn.Server(self._uvicorn)
        listening = asyncio.create_task(server.serve(sockets=[listener]))
        async for said in _lines():
            await self._take(said)
        await self._hub.end()
        await self._last_look()
        server.should_exit = True
        await listening

    async def _take(self, said: dict[str, Any]) -> None:
        """One message of the run: a report, an event, or an event with all that is known of a migration that ended."""
        if "report" in said:
            self._app.report = said["report"]
            return
        if record := said.pop("record", None):
            sampled, paged, total = (said.pop(name) for name in ("samples", "pages", "total"))
            said["section"] = await asyncio.to_thread(self._sections.add, record, sampled, paged, total)
        await self._hub.add(said)

    async def _last_look(self) -> None:
        """Nobody waits for a page that nobody opened. One whose connection is just broken comes back."""
        if not self._hub.seen or not self._app.report:
            return
        deadline = asyncio.get_running_loop().time() + LAST_LOOK_S
        while self._app.fetched < self._hub.seen and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)


async def _lines() -> AsyncIterator[dict[str, Any]]:
    """A thread reads, since stdin may be a file or a pipe; what it has read comes out here, in order."""
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[bytes]()

    def read() -> None:
        for line in sys.stdin.buffer:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, b"")

    threading.Thread(target=read, daemon=True, name="run").start()
    while line := await lines.get():
        yield json.loads(line)


def _give(order: Order) -> None:
    os.write(1, (json.dumps(asdict(order)) + "\n").encode())


def drop_root() -> None:
    """Who started the run with sudo, else nobody. Does nothing without root."""
    if os.geteuid() == 0:
        to = caller() or Caller(uid=NOBODY, gid=NOBODY)
        os.setgroups([])
        os.setgid(to.gid)
        os.setuid(to.uid)


def main() -> int:
    """Exit code 0 when the run has ended."""
    die_with_parent()
    config = json.loads(sys.argv[1])
    listener = socket.socket(fileno=config["fd"])
    live = Serving(config, json.loads(sys.stdin.buffer.readline())["token"])
    drop_root()
    die_with_parent()  # a change of user takes that back
    asyncio.run(live.until_the_end(listener))
    return 0


if __name__ == "__main__":
    sys.exit(main())
