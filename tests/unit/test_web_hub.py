"""The hub: whoever comes late or comes back gets everything, once, in order."""

import asyncio
import json

import pytest

from testbed.web import hub as hubs
from testbed.web.hub import Hub, last_id


async def collect(hub: Hub, after: int) -> list[tuple[int, int]]:
    """Numbers and contents of what a stream gives, until its end."""
    found = []
    async for text in hub.stream(after):
        if not text.startswith(":"):
            number, data = text.strip().split("\n")
            found.append((int(number.removeprefix("id: ")), json.loads(data.removeprefix("data: "))["n"]))
    return found


def test_early_late_and_returning_readers_all_get_everything_once() -> None:
    async def play() -> None:
        hub = Hub()
        early = asyncio.create_task(collect(hub, 0))
        for n in range(1, 6):
            await hub.add({"n": n})
            await asyncio.sleep(0)
        back = asyncio.create_task(collect(hub, 3))
        for n in range(6, 9):
            await hub.add({"n": n})
        late = asyncio.create_task(collect(hub, 0))
        await asyncio.sleep(0)
        await hub.end()
        everything = [(n, n) for n in range(1, 9)]
        assert await early == everything and await late == everything and await back == everything[3:]

    asyncio.run(play())


def test_a_reader_from_the_future_or_after_the_end_waits_for_nothing() -> None:
    async def play() -> list[tuple[int, int]]:
        hub = Hub()
        await hub.add({"n": 1})
        await hub.end()
        return await collect(hub, 7)

    assert asyncio.run(play()) == []


def test_silence_is_broken_by_a_line_that_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "KEEP_ALIVE_S", 0.001)

    async def play() -> str:
        stream = Hub().stream(0)
        try:
            return await anext(stream)
        finally:
            await stream.aclose()  # type: ignore[attr-defined]

    assert asyncio.run(play()).startswith(":")


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), (None, 0), ("", 0), ("-1", 0), ("x", 0), ("9" * 400, 0), ("٣", 0)]
)
def test_what_a_browser_says_it_has_had(text: str | None, number: int) -> None:
    assert last_id(text) == number
