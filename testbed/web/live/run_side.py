"""The run's end of its live page: events go out, orders come in, and neither can hold the run up.

with LivePage(title, folder, host, port, controls) as page:
    run_scenario(..., observer=page.beside(...))
    page.ended(valid)
"""

import math
import secrets
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from types import TracebackType
from typing import Any

from testbed.core.events import Controlled, Event, MigrationFinished
from testbed.core.text.from_json import MOST_TEXT
from testbed.core.text.json_lines import argument
from testbed.core.text.printable import printable
from testbed.linux.processes.child import STANDARD_ERROR, Child
from testbed.linux.processes.module import module
from testbed.rig.orders import Order, Orders
from testbed.runfiles.folder import RunFolder
from testbed.web.guard import listener, where
from testbed.web.live.messages import MESSAGES, Grown, Message, Opening, Report, RunEnded, ServerConfig, read_order
from testbed.web.live.ticket import QUERY

_END_S = 8.0
"""The server gives browsers a last look (``server_process.LAST_LOOK_S``); after so long it is ended."""
MOST_ORDER = 4096
"""Bytes of a line: an order is a few words."""


class LivePage:
    """A context manager. ``address`` is what opens the page, the token in it. Entering raises ``TestbedError`` for a
    port that is taken. ``about``: labels of the figures that it gives out, as the run's scenario and engine.
    """

    def __init__(
        self,
        title: str,
        folder: Path,
        host: str,
        port: int,
        controls: Orders,
        about: dict[str, str] | None = None,
    ) -> None:
        self._title, self._folder, self._host, self._port = title, RunFolder(folder), host, port
        self._controls = controls
        self._messages: SimpleQueue[Message | None] = SimpleQueue()
        self._offsets = {"samples": 0, "pages": 0}
        self._valid: bool | None = None
        self._server: _Server
        self._ends = ExitStack()
        self.url, self.token = "", secrets.token_urlsafe(24)
        self.tell(Opening(token=self.token, about=about or {}))

    def __enter__(self) -> "LivePage":
        with ExitStack() as ends, listener(self._host, self._port, "--live PORT", "--live-host") as listening:
            port = listening.getsockname()[1]
            self.url = where(self._host, port)
            config = ServerConfig(fd=listening.fileno(), title=self._title, cookie=f"fast-motion-{port}")
            argv, fds = module("testbed.web.live.server_process", argument(config)), (listening.fileno(),)
            self._server = ends.enter_context(_Server(_spawn, argv, STANDARD_ERROR, fds))
            for work in (self._write, self._read):
                thread = threading.Thread(target=work, daemon=True, name="live page")
                thread.start()
                ends.callback(thread.join)
            ends.callback(self._server.kill)
            ends.callback(self._finish)
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """However the run ended, the page hears so, and gets the report if there is one."""
        report = self._folder.path / "report.html"
        with suppress(OSError):  # a page that could not be drawn was said to be so
            self.tell(Report(html=report.read_text(encoding="utf-8")))
        reason, folder = (printable(str(each or ""), MOST_TEXT) for each in (error, self._folder.path))
        self.tell(RunEnded(valid=self._valid, reason=reason, folder=folder, report_there=report.exists()))
        self._ends.close()

    def _finish(self) -> None:
        """Nothing more is said; browsers have their last look."""
        self._messages.put(None)
        self._server.wait(_END_S)

    @property
    def address(self) -> str:
        """What opens the page."""
        return f"{self.url}?{QUERY}={self.token}"

    @property
    def pid(self) -> int:
        """The pid of the server's process."""
        return self._server.pid

    def observe(self, event: Event) -> None:
        """From any thread; returns at once."""
        self._messages.put(event)

    def beside(self, observer: Callable[[Event], None]) -> Callable[[Event], None]:
        """An observer that tells this page and then ``observer``."""

        def both(event: Event) -> None:
            self.observe(event)
            observer(event)

        return both

    def ended(self, valid: bool) -> None:
        """The run is over; without this it was broken off."""
        self._valid = valid

    def tell(self, message: Message) -> None:
        """Anything else for the page."""
        self._messages.put(message)

    def _write(self) -> None:
        try:
            while (message := self._messages.get()) is not None:
                if isinstance(message, MigrationFinished):
                    grown = Grown(samples=self._new("samples"), pages=self._new("pages"))
                    self._server.tell(MESSAGES.line(grown), math.inf)
                if not self._server.tell(MESSAGES.line(message), math.inf):
                    return  # a server that has gone is no fault of the run
        finally:
            self._server.close_input()

    def _new(self, which: str) -> str:
        """Whole lines that were written to that file since this was asked last: a migration's, and others' between."""
        path = self._folder.samples if which == "samples" else self._folder.pages
        with suppress(OSError), path.open("rb") as file:  # a simulated migration has none
            file.seek(self._offsets[which])
            new = file.read()
            new = new[: new.rfind(b"\n") + 1]
            self._offsets[which] += len(new)
            return new.decode(errors="replace")
        return ""

    def _read(self) -> None:
        for line in self._server.lines():
            with suppress(ValueError):  # of a server that is not ours any more
                self._give(read_order(line))

    def _give(self, order: Order) -> None:
        fault = self._controls.give(order)
        if fault is not None:
            refused = Controlled(
                at=monotonic(), migration=order.migration, what=order.what, value=order.value, fault=fault
            )
            self.observe(refused)


class _Server(Child):
    """The page's process; it has no rights, and is believed as little."""

    most_line = MOST_ORDER


def _spawn(argv: Sequence[str], **more: Any) -> "subprocess.Popen[bytes]":
    """In a session of its own: Ctrl-C reaches the run."""
    return subprocess.Popen(argv, start_new_session=True, **more)
