"""The live page's process: ``python -m testbed.web.server CONFIG``, without root as soon as it has its socket.

    in   (stdin)    what the run says, one JSON object a line; the end of it is the end of the run
    out  (stdout)   orders, one JSON object a line

It lasts as long as the run; when that has ended it lets browsers that are connected hear so, and goes.
"""

import asyncio
import json
import os
import socket
import sys
import threading
from typing import Any

import uvicorn

from testbed.engines.control import Order
from testbed.linux.process import die_with_parent
from testbed.web.app import LiveApp
from testbed.web.hub import Hub
from testbed.web.live_page import live_page

_LAST_WORDS_S = 2
NOBODY = 65534


async def serve(config: dict[str, Any], listener: socket.socket) -> None:
    """Until stdin ends."""
    hub = Hub()
    made = LiveApp(hub, _give, lambda token: live_page(config["title"], token), config["hosts"])
    server = uvicorn.Server(
        uvicorn.Config(
            made.app, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=_LAST_WORDS_S
        )
    )
    listening = asyncio.create_task(server.serve(sockets=[listener]))
    await _read_run(hub, made)
    await hub.end()
    server.should_exit = True
    await listening


async def _read_run(hub: Hub, made: LiveApp) -> None:
    """A thread reads, since stdin may be a file or a pipe; what it has read is added here, in order."""
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[bytes]()

    def read() -> None:
        for line in sys.stdin.buffer:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, b"")

    threading.Thread(target=read, daemon=True, name="run").start()
    while line := await lines.get():
        said = json.loads(line)
        if "report" in said:
            made.report = said["report"]
        else:
            await hub.add(said)


def _give(order: Order) -> None:
    os.write(1, (json.dumps({"what": order.what, "value": order.value}) + "\n").encode())


def drop_root() -> None:
    """Who started the run with sudo, else nobody. Does nothing without root."""
    if os.geteuid() == 0:
        group, user = int(os.environ.get("SUDO_GID", NOBODY)), int(os.environ.get("SUDO_UID", NOBODY))
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)


def main() -> int:
    """Exit code 0 when the run has ended."""
    die_with_parent()
    config = json.loads(sys.argv[1])
    listener = socket.socket(fileno=config["fd"])
    drop_root()
    die_with_parent()  # a change of user takes that back
    asyncio.run(serve(config, listener))
    return 0


if __name__ == "__main__":
    sys.exit(main())
