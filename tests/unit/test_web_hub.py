"""The hub: whoever comes late or comes back gets everything, once, in order; a page of another run is told so."""

import asyncio
import json

import pytest

from testbed.web.live import hub as hubs
from testbed.web.live.hub import RETRY_MS, Hub

RUN = "a1b2"


async def said(hub: Hub, last: str) -> list[str]:
    """What a stream gives until its end."""
    return [text async for text in hub.stream(last)]


async def collect(hub: Hub, last: str = "") -> list[tuple[int, int]]:
    """Numbers and contents of the events."""
    found = []
    for text in await said(hub, last):
        if text.startswith("id: "):
            number, data = text.strip().split("\n")
            found.append((int(number.rpartition("-")[2]), json.loads(data.removeprefix("data: "))["n"]))
    return found


def test_early_late_and_returning_readers_all_get_everything_once() -> None:
    async def play() -> None:
        hub = Hub(RUN)
        early = asyncio.create_task(collect(hub))
        for n in range(1, 6):
            await hub.add({"n": n})
            await asyncio.sleep(0)
        back = asyncio.create_task(collect(hub, f"{RUN}-3"))
        for n in range(6, 9):
            await hub.add({"n": n})
        late = asyncio.create_task(collect(hub))
        await asyncio.sleep(0)
        assert hub.watching == 3
        await hub.end()
        everything = [(n, n) for n in range(1, 9)]
        assert await early == everything and await late == everything and await back == everything[3:]
        assert (hub.watching, hub.seen) == (0, 3)

    asyncio.run(play())


def test_a_reader_from_the_future_or_after_the_end_waits_for_nothing() -> None:
    async def play() -> list[tuple[int, int]]:
        hub = Hub(RUN)
        await hub.add({"n": 1})
        await hub.end()
        return await collect(hub, f"{RUN}-7")

    assert asyncio.run(play()) == []


@pytest.mark.parametrize("last", ["other-3", "7", "x", f"{RUN}-", f"{RUN}-x", f"{RUN}-{9**400}", f"{RUN}-٣", "-1"])
def test_a_page_of_another_run_is_to_load_anew(last: str) -> None:
    async def play() -> tuple[list[str], int]:
        hub = Hub(RUN)
        await hub.add({"n": 1})
        return await said(hub, last), hub.seen

    texts, seen = asyncio.run(play())
    assert texts == [f"retry: {RETRY_MS}\n\n", 'data: {"event": "Reload"}\n\n'] and seen == 0


def test_silence_is_broken_by_a_line_that_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "KEEP_ALIVE_S", 0.001)

    async def play() -> str:
        stream = Hub(RUN).stream("")
        try:
            assert (await anext(stream)).startswith("retry")
            return await anext(stream)
        finally:
            await stream.aclose()  # type: ignore[attr-defined]

    assert asyncio.run(play()).startswith(":")
