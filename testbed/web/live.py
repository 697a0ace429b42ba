"""The run's end of its live page: events go out, orders come in, and neither can hold the run up.

with LivePage(title, folder, host, port, controls) as page:
    run_scenario(..., observer=page.beside(...))
    page.ended(valid)
"""

import dataclasses
import json
import math
import secrets
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from enum import Enum
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from types import TracebackType
from typing import Any, TypeAlias

from testbed.core.errors import TestbedError
from testbed.core.events import Controlled, Event, MigrationFinished, MigrationStarted, Progress
from testbed.core.outlook import Outlooks
from testbed.core.rounds import Round
from testbed.linux.processes.child import STANDARD_ERROR, Child
from testbed.linux.processes.module import module
from testbed.rig.orders import Controls, Order
from testbed.runfiles.folder import RunFolder
from testbed.web.guard import where
from testbed.web.ticket import QUERY

LOCAL = "127.0.0.1"
_END_S = 8.0
"""The server gives browsers a last look (``server.LAST_LOOK_S``); after so long it is ended."""
Message: TypeAlias = dict[str, Any]


class LivePage:
    """A context manager. ``address`` is what opens the page, the token in it. Entering raises ``TestbedError`` for a
    port that is taken.
    """

    def __init__(self, title: str, folder: Path, host: str, port: int, controls: Controls) -> None:
        self._title, self._folder, self._host, self._port = title, RunFolder(folder), host, port
        self._controls = controls
        self._messages: SimpleQueue[Event | Message | None] = SimpleQueue()
        self._outlooks = Outlooks()
        self._offsets = {"samples": 0, "pages": 0}
        self._valid: bool | None = None
        self._server: _Server
        self._ends = ExitStack()
        self.url, self.token = "", secrets.token_urlsafe(24)
        self.tell({"token": self.token})  # not among the arguments, which everybody on the machine may read

    def __enter__(self) -> "LivePage":
        with ExitStack() as ends, self._listen() as listener:
            port = listener.getsockname()[1]
            self.url = where(self._host, port)
            config = {"fd": listener.fileno(), "title": self._title, "cookie": f"fast-motion-{port}"}
            argv, fds = module("testbed.web.server", json.dumps(config)), (listener.fileno(),)
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
            self.tell({"report": report.read_text(encoding="utf-8")})
        ended = {"valid": self._valid, "reason": str(error or ""), "folder": str(self._folder.path)}
        self.tell({"event": "Ended", **ended, "report_there": report.exists()})
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
        """The server's process."""
        return self._server.pid

    def observe(self, event: Event) -> None:
        """From any thread; returns at once."""
        self._messages.put(event)

    def beside(self, observer: Callable[[Event], None]) -> Callable[[Event], None]:
        """Tells both."""

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

    def _listen(self) -> socket.socket:
        try:
            return socket.create_server((self._host, self._port))
        except OSError as fault:
            named = f"{self._host}:{self._port}"
            raise TestbedError(
                f"the live page cannot have {named}: {fault.strerror}; try another --live PORT"
            ) from fault

    def _write(self) -> None:
        try:
            while (message := self._messages.get()) is not None:
                made = message if isinstance(message, dict) else self._message(message)
                if not self._server.tell((json.dumps(made) + "\n").encode(), math.inf):
                    return  # a server that has gone is no fault of the run
        finally:
            self._server.close_input()

    def _message(self, event: Event) -> Message:
        """An event, and what it means: how long it will still take, and of a migration that ended all there is."""
        self._outlooks.update(event)
        made = as_json(event)
        if isinstance(event, Progress):
            outlook = self._outlooks.of(event.migration)
            made |= {"left_s": outlook.left_s, "all_left_s": outlook.all_left_s}
        if isinstance(event, MigrationFinished) and event.record is not None:
            made |= {"total": self._outlooks.of(event.migration).total, "record": dataclasses.asdict(event.record)}
            made |= {"samples": self._new("samples"), "pages": self._new("pages")}
        return made

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
            order = Order.read(json.loads(line))
            fault = self._controls.give(order)
            if fault is not None:
                self.observe(
                    Controlled(
                        at=monotonic(), migration=order.migration, what=order.what, value=order.value, fault=fault
                    )
                )


class _Server(Child):
    """The page's process; it has no rights, and is believed as little."""

    most_line = 4096
    """An order is a few words."""


def _spawn(argv: Sequence[str], **more: Any) -> "subprocess.Popen[bytes]":
    """In a session of its own: Ctrl-C reaches the run."""
    return subprocess.Popen(argv, start_new_session=True, **more)


def as_json(event: Event) -> Message:
    """An event as the page gets it: its fields but for the record, and which event it is; of a round also its rates."""
    fields = {name: getattr(event, name) for name in event.__dataclass_fields__ if name != "record"}
    made = {"event": type(event).__name__, **{name: _plain(value) for name, value in fields.items()}}
    if isinstance(event, MigrationStarted | MigrationFinished):
        made["name"] = event.name
    done = getattr(event, "round", None)
    if isinstance(done, Round):
        made["round"] |= {"bandwidth": done.bandwidth, "dirty_rate": done.dirty_rate}
    return made


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return value.value if isinstance(value, Enum) else value
