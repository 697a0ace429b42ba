"""Everything that a run has said so far, numbered, and whoever waits for more: a browser that comes late, or comes
back, misses nothing.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

KEEP_ALIVE_S = 15.0
"""After so long a silence a line is sent that means nothing, so that a connection that is dead is noticed."""
RETRY_MS = 500
"""A browser that lost the connection asks again after so long; its own choice would be seconds."""
_DIGITS = 9


class Hub:
    """Belongs to one event loop. Events are JSON objects; the number of the first is 1. ``run`` is in every number, so
    that a page of another run that comes back to this port is told to load anew.
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self._events: list[str] = []
        self._news = asyncio.Condition()
        self.over = False
        self.watching = 0
        """Browsers that listen now."""
        self.seen = 0
        """Those that ever did."""

    async def add(self, event: dict[str, Any]) -> None:
        """Takes in one more event, and wakes whoever waits for it."""
        async with self._news:
            self._events.append(json.dumps(event))
            self._news.notify_all()

    async def end(self) -> None:
        """No more will come: streams end once they have said all."""
        async with self._news:
            self.over = True
            self._news.notify_all()

    async def stream(self, last: str) -> AsyncIterator[str]:
        """Server-sent events (WHATWG HTML, 9.2) after the one numbered ``last``, until the end; empty: all of them."""
        yield f"retry: {RETRY_MS}\n\n"
        sent = self._after(last)
        if sent is None:
            yield f"data: {json.dumps({'event': 'Reload'})}\n\n"
            return
        self.watching += 1
        self.seen += 1
        try:
            async for text in self._from(sent):
                yield text
        finally:
            self.watching -= 1

    async def _from(self, sent: int) -> AsyncIterator[str]:
        while True:
            while sent < len(self._events):
                sent += 1
                yield f"id: {self._run}-{sent}\ndata: {self._events[sent - 1]}\n\n"
            if self.over:
                return
            if not await self._wait(sent):
                yield ": still there\n\n"

    def _after(self, last: str) -> int | None:
        """How many a browser has had, by the number that it gives (``Last-Event-ID``); None: of another run."""
        run, _, number = last.rpartition("-")
        if not last:
            return 0
        if run != self._run or not number.isascii() or not number.isdigit() or len(number) > _DIGITS:
            return None
        return min(int(number), len(self._events))

    async def _wait(self, sent: int) -> bool:
        """Whether there is something new, or the end."""
        async with self._news:
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    await self._news.wait_for(lambda: len(self._events) > sent or self.over)
            except TimeoutError:
                return False
        return True
