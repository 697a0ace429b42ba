"""The run's end of its live page: events go out, orders come in, and neither can hold the run up.

with LivePage(title, report, host, port, controls) as page:
    run_scenario(..., observer=both(page.observe, ...))
"""

import dataclasses
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from queue import SimpleQueue
from time import sleep
from types import TracebackType
from typing import IO, Any

from testbed.core.errors import TestbedError
from testbed.core.events import Event
from testbed.core.rounds import Round
from testbed.engines.control import Controls, Order

LOCAL = "127.0.0.1"
_END_S = 5.0
LAST_LOOK_S = 3.0
"""The page shows the report by itself when it hears of the end."""
_ROOT = str(Path(__file__).parents[2])


class LivePage:
    """A context manager. ``url`` is where the page is. Entering raises ``TestbedError`` for a port that is taken."""

    def __init__(self, title: str, host: str, port: int, controls: Controls) -> None:
        self._title, self._host, self._port = title, host, port
        self._controls = controls
        self._events: SimpleQueue[bytes | None] = SimpleQueue()
        self.url = ""

    def __enter__(self) -> "LivePage":
        listener = self._listen()
        host, port = listener.getsockname()[:2]
        self.url = f"http://{host}:{port}/"
        config: dict[str, Any] = {"fd": listener.fileno(), "title": self._title}
        config["hosts"] = ["*"] if host == "0.0.0.0" else [host, "localhost", "127.0.0.1"]  # noqa: S104 - as asked
        self._process = subprocess.Popen(
            [sys.executable, "-m", "testbed.web.server", json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(listener.fileno(),),
            start_new_session=True,
            cwd=_ROOT,
        )
        listener.close()
        self._threads = [
            threading.Thread(target=work, args=(pipe,), daemon=True, name="live page")
            for work, pipe in ((self._write, self._process.stdin), (self._read, self._process.stdout))
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._events.put(None)
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def observe(self, event: Event) -> None:
        """From any thread; returns at once."""
        self.tell(as_json(event))

    def beside(self, observer: Callable[[Event], None]) -> Callable[[Event], None]:
        """Tells both."""

        def both(event: Event) -> None:
            self.observe(event)
            observer(event)

        return both

    def ended(self, valid: bool, folder: Path) -> None:
        """The run is over, and its report is written: whoever looks has ``LAST_LOOK_S`` to fetch it."""
        with suppress(OSError):  # a page that could not be drawn was said to be so
            self.tell({"report": (folder / "report.html").read_text(encoding="utf-8")})
        self.tell({"event": "Ended", "valid": valid, "folder": str(folder)})
        sleep(LAST_LOOK_S)

    def tell(self, message: dict[str, Any]) -> None:
        """Anything else for the page."""
        self._events.put((json.dumps(message) + "\n").encode())

    def _listen(self) -> socket.socket:
        try:
            listener = socket.create_server((self._host, self._port))
        except OSError as fault:
            where = f"{self._host}:{self._port}"
            raise TestbedError(
                f"the live page cannot have {where}: {fault.strerror}; try another --live PORT"
            ) from fault
        return listener

    def _write(self, pipe: IO[bytes]) -> None:
        with suppress(OSError), pipe:  # a server that has gone is no fault of the run
            while (line := self._events.get()) is not None:
                pipe.write(line)
                pipe.flush()

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                self._controls.give(Order(**json.loads(line)))


def as_json(event: Event) -> dict[str, Any]:
    """An event as the page gets it: its fields, and which event it is; of a round also its rates."""
    made = {"event": type(event).__name__, **_plain(dataclasses.asdict(event))}
    done = getattr(event, "round", None)
    if isinstance(done, Round):
        made["round"] |= {"bandwidth": done.bandwidth, "dirty_rate": done.dirty_rate}
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return value.value if isinstance(value, Enum) else value
