"""Everything that a run has said so far, numbered, and whoever waits for more: a browser that comes late, or comes
back, misses nothing.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

KEEP_ALIVE_S = 15.0
"""After so long a silence a line is sent that means nothing, so that a connection that is dead is noticed."""


class Hub:
    """Belongs to one event loop. Events are JSON objects; the number of the first is 1."""

    def __init__(self) -> None:
        self._events: list[str] = []
        self._news = asyncio.Condition()
        self.over = False

    async def add(self, event: dict[str, Any]) -> None:
        """One more."""
        async with self._news:
            self._events.append(json.dumps(event))
            self._news.notify_all()

    async def end(self) -> None:
        """No more will come: streams end once they have said all."""
        async with self._news:
            self.over = True
            self._news.notify_all()

    async def stream(self, after: int) -> AsyncIterator[str]:
        """Server-sent events (WHATWG HTML, 9.2) from number ``after`` + 1 on, until the end."""
        sent = max(0, min(after, len(self._events)))
        while True:
            while sent < len(self._events):
                sent += 1
                yield f"id: {sent}\ndata: {self._events[sent - 1]}\n\n"
            if self.over:
                return
            if not await self._wait(sent):
                yield ": still there\n\n"

    async def _wait(self, sent: int) -> bool:
        """Whether there is something new, or the end."""
        async with self._news:
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    await self._news.wait_for(lambda: len(self._events) > sent or self.over)
            except TimeoutError:
                return False
        return True


def last_id(text: str | None) -> int:
    """What a browser says it has had (``Last-Event-ID``); 0 for nothing, or nonsense."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
