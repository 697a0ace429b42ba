"""The live page's process, ``testbed.web.live.server_process CONFIG``: without root as soon as it has its socket.

    in   (stdin)    what the run says (``messages``); the end of it is the end of the run
    out  (stdout)   orders

It lasts as long as the run; when that has ended, browsers that are connected hear so and fetch the report, and it goes.
"""

import asyncio
import os
import secrets
import socket
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import uvicorn

from testbed.core.events import Event, MigrationFinished, Progress
from testbed.core.outlook import Outlooks
from testbed.core.text.json_lines import read_argument
from testbed.exports.standing import FiguresSoFar
from testbed.linux.processes.caller import give_up_root
from testbed.linux.processes.process import die_with_parent
from testbed.rig.orders import Order
from testbed.web.live.app import LiveApp
from testbed.web.live.browser_events import as_json, end_as_json
from testbed.web.live.hub import Hub
from testbed.web.live.messages import MESSAGES, ORDERS, Grown, Message, Opening, Report, RunEnded, ServerConfig
from testbed.web.live.page import live_page
from testbed.web.live.rehearsal import rehearse, serving
from testbed.web.live.sections import Sections

LAST_LOOK_S = 3.0
"""So long a browser that is connected has to fetch the report."""


class Serving:
    """Made with all rights, so that whatever is read from disk is read; run without them."""

    def __init__(self, config: ServerConfig, opening: Opening) -> None:
        page = live_page(config.title, opening.token)
        rehearse(page)
        self._hub = Hub(secrets.token_hex(4))
        self._sections, self._outlooks = Sections(), Outlooks()
        self._standing = FiguresSoFar(self._outlooks, opening.about)
        self._app = LiveApp(self._hub, _give, page, opening.token, config.cookie, self._standing)
        self._uvicorn = serving(self._app.app)
        self._uvicorn.load()

    async def until_the_end(self, listener: socket.socket) -> None:
        """Until stdin has ended and whoever looks has heard so."""
        server = uvicorn.Server(self._uvicorn)
        listening = asyncio.create_task(server.serve(sockets=[listener]))
        async for message in _messages():
            await self._take(message)
        await self._hub.end()
        await self._last_look()
        server.should_exit = True
        await listening

    async def _take(self, message: Message) -> None:
        match message:
            case Opening():
                return
            case Report():
                self._app.report = message.html
            case Grown():
                await asyncio.to_thread(self._sections.take, message.samples, message.pages)
            case RunEnded():
                self._standing.valid = message.valid
                await self._hub.add(end_as_json(message))
            case _:
                await self._hub.add(await self._shown(message))

    async def _shown(self, event: Event) -> dict[str, Any]:
        """An event, and what it means: how long it will still take, and of a migration that ended its section."""
        self._outlooks.update(event)
        self._standing.take(event)
        made = as_json(event)
        if isinstance(event, Progress):
            outlook = self._outlooks.of(event.migration)
            made |= {"left_s": outlook.left_s, "all_left_s": outlook.all_left_s}
        if isinstance(event, MigrationFinished) and event.record is not None:
            total = self._outlooks.of(event.migration).total
            made["section"] = await asyncio.to_thread(self._sections.add, event.record, total)
        return made

    async def _last_look(self) -> None:
        """Nobody waits for a page that nobody opened. One whose connection is just broken comes back."""
        if not self._hub.seen or not self._app.report:
            return
        deadline = asyncio.get_running_loop().time() + LAST_LOOK_S
        while self._app.fetched < self._hub.seen and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)


async def _messages() -> AsyncIterator[Message]:
    """A thread reads, since stdin may be a file or a pipe; what it has read comes out here, in order. A page that lacks
    what cannot be read is better than none.
    """
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[bytes]()

    def read() -> None:
        for line in sys.stdin.buffer:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, b"")

    threading.Thread(target=read, daemon=True, name="run").start()
    while line := await lines.get():
        with suppress(ValueError):
            yield MESSAGES.read(line)


def _give(order: Order) -> None:
    os.write(1, ORDERS.line(order))


def main() -> int:
    """Exit code 0 when the run has ended."""
    die_with_parent()
    config = read_argument(ServerConfig, sys.argv[1])
    listener = socket.socket(fileno=config.fd)
    opening = MESSAGES.read(sys.stdin.buffer.readline())
    if not isinstance(opening, Opening):
        raise TypeError(f"the run begins with {type(opening).__name__}")
    live = Serving(config, opening)
    give_up_root()
    die_with_parent()  # a change of user takes that back
    asyncio.run(live.until_the_end(listener))
    return 0


if __name__ == "__main__":
    sys.exit(main())
