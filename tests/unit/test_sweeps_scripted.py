"""Points by a scheduler that does as the test says: workers that lack something, are busy, or die with a point."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.sweeps.conduct import Sweep
from testbed.sweeps.folder import SweepFolder
from testbed.sweeps.grid import load
from testbed.sweeps.makers import remote, safe
from testbed.sweeps.makers.brought import PointBrought, brought
from testbed.sweeps.points import Points, PointWanted
from tests.unit.sweeping import grid, points

Script = Callable[[PointWanted, str], PointBrought | Exception | None]


class Future:
    """What has ended as soon as it is asked for."""

    def __init__(self, answer: PointBrought | Exception | None) -> None:
        self.answer, self.status = answer, "finished" if answer else "cancelled"

    def release(self) -> None:
        """As Dask does."""
        self.status = "cancelled"


class Client:
    """A scheduler with workers a and b, and an event loop that does all at once."""

    script: Script

    def __init__(self, *_where: Any, **_how: Any) -> None:
        self.status, self.loop = "running", self

    def add_callback(self, task: Callable[..., Coroutine[Any, Any, None]], *words: Any) -> None:
        asyncio.run(task(*words))

    async def gather(self, future: Future, asynchronous: bool) -> Any:
        assert asynchronous
        if isinstance(future.answer, PointBrought):
            return future.answer
        raise future.answer or RuntimeError("it was cancelled")

    def scheduler_info(self, n_workers: int) -> Any:
        return {"workers": {f"tcp://{name}": {"name": name, "resources": {"machine": 1.0}} for name in "ab"}}

    def submit(self, _task: Any, wanted: PointWanted, *, workers: list[str], **_more: Any) -> Future:
        return Future(Client.script(wanted, workers[0].removeprefix("tcp://")))

    def close(self, timeout: float) -> None:
        """Nothing is open."""


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Script], tuple[list[str], int]]:
    """Sweeps eight points by a script; what was said, and how many are there."""

    def sweep(script: Script, keys: str = "repeats: 2") -> tuple[list[str], int]:
        said: list[str] = []
        monkeypatch.setattr("distributed.Client", Client)
        monkeypatch.setattr(Client, "script", staticmethod(script), raising=False)
        folder, place = SweepFolder(tmp_path / "out"), safe.place("tcp://127.0.0.1:1", safe.Certificates())
        conducted = Sweep(Points(load(grid(tmp_path, keys)), "simulated"), folder, say=said.append)
        conducted.run(lambda: remote.Remote(place, folder, False, said.append))
        return said, len(points(folder.path))

    return sweep


def test_points_of_one_that_lacks_something_are_made_by_others(scripted: Callable[..., tuple[list[str], int]]) -> None:
    def script(wanted: PointWanted, worker: str) -> PointBrought:
        return brought(wanted) if worker == "b" else PointBrought(machine="a", lacks="no room; make some")

    said, there = scripted(script)
    assert there == 8 and set(said) == {"a makes no more: no room; make some"}


def test_where_all_lack_it_that_is_the_end(scripted: Callable[..., tuple[list[str], int]]) -> None:
    with pytest.raises(PrerequisiteMissing, match="no room; make some"):
        scripted(lambda _wanted, worker: PointBrought(machine=worker, lacks="no room; make some"))


def test_one_of_another_version_makes_nothing(scripted: Callable[..., tuple[list[str], int]]) -> None:
    with pytest.raises(PrerequisiteMissing, match=r"version 0\.1\.0 is here, and 9\.9 is asked"):
        scripted(lambda wanted, _worker: brought(replace(wanted, version="9.9")))


def test_nobody_waits_for_a_busy_machine_before_another_was_asked(
    scripted: Callable[..., tuple[list[str], int]],
) -> None:
    asked: dict[str, list[bool]] = {}

    def script(wanted: PointWanted, _worker: str) -> PointBrought:
        asked.setdefault(wanted.id, []).append(wanted.wait)
        return brought(wanted) if wanted.wait else PointBrought(machine="a", busy="another run")

    assert scripted(script) == ([], 8) and list(asked.values()) == [[False, True]] * 8


def test_a_point_that_dask_gives_up_is_given_again_but_not_for_ever(
    scripted: Callable[..., tuple[list[str], int]],
) -> None:
    died: set[str] = set()

    def once(wanted: PointWanted, _worker: str) -> PointBrought | Exception:
        if wanted.id in died:
            return brought(wanted)
        died.add(wanted.id)
        return RuntimeError("KilledWorker")

    with pytest.raises(TestbedError, match=r"point 0 \(.*\): KilledWorker"):
        scripted(lambda wanted, _worker: RuntimeError("KilledWorker") if wanted.number == 0 else brought(wanted))
    assert scripted(once)[1] == 8


def test_what_was_cancelled_was_not_made(scripted: Callable[..., tuple[list[str], int]]) -> None:
    with pytest.raises(TestbedError, match="is gone; what was made is kept, and the same command goes on"):
        scripted(lambda _wanted, _worker: None)


def test_the_canaries_of_several_workers_on_one_machine_are_all_kept(
    scripted: Callable[..., tuple[list[str], int]], tmp_path: Path
) -> None:
    """Each worker counted its own from 1, and the second canary of that number was thrown away."""
    made: list[int] = []

    def script(wanted: PointWanted, _worker: str) -> PointBrought:
        made.extend([wanted.number] * wanted.canary)
        return brought(wanted)

    assert scripted(script, "repeats: 2\ncanary: {scenario: hello, every: 4}") == ([], 8)
    scripted(script, "repeats: 4\ncanary: {scenario: hello, every: 4}")
    kept = [name.rpartition("-")[2] for name in sorted(each.name for each in (tmp_path / "out/canaries").iterdir())]
    assert len(made) >= 4 and list(map(int, kept)) == sorted(made) == list(range(1, len(made) + 1))
