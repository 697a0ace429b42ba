"""Every point is handed out once, blocks are a machine's own as long as there are others, and intervals end repeats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.sweeps.ended import PointMade
from testbed.sweeps.feed import Feed
from testbed.sweeps.folder import PointRecord
from testbed.sweeps.grid import Grid, load
from testbed.sweeps.making import told
from testbed.sweeps.points import Point, Points
from tests.unit.records import a_migration, a_summary
from tests.unit.sweeping import grid


def made(point: Point, value: float = 1.0) -> PointMade:
    """That it ended, with this total time."""
    return PointMade(
        id=point.id, number=point.number, state="valid", machine="m", figures={"hello": {"total_time": value}}
    )


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Grid:
    return load(grid(tmp_path_factory.mktemp("grid"), "repeats: 3"))


@pytest.fixture(scope="module")
def narrowing(tmp_path_factory: pytest.TempPathFactory) -> Grid:
    return load(grid(tmp_path_factory.mktemp("grid"), "repeats: 2\nuntil_ci: {within: 5%, most: 6}"))


@given(
    machines=st.lists(st.sampled_from("abc"), max_size=60),
    there=st.sets(st.integers(0, 11)),
    back=st.sets(st.integers(0, 11)),
)
def test_each_is_handed_out_once(plain: Grid, machines: list[str], there: set[int], back: set[int]) -> None:
    points = Points(plain, "simulated")
    feed = Feed(points, lambda point: made(point) if point.number in there else None)
    seen: list[int] = []
    for machine in [*machines, *"a" * 24]:
        point = feed.next(machine, 0)
        if point is None:
            break
        if point.number in back:
            back = back - {point.number}
            feed.again(point)
            continue
        seen.append(point.number)
        feed.note(made(point))
    assert sorted([*seen, *there]) == list(range(12)) and len(feed.ended) == 12


def test_a_machine_keeps_to_its_block(plain: Grid) -> None:
    feed = Feed(Points(plain, "simulated"), lambda _point: None)
    asked = [(machine, feed.next(machine, 0)) for machine in "abababababab"]
    blocks = {(machine, point.repeat) for machine, point in asked[:8] if point}
    assert blocks == {("a", 1), ("b", 2)}, "each has one of its own, which nobody else helps with"
    assert {point.repeat for _, point in asked[8:] if point} == {3}, "the last one is shared"


def test_no_more_than_the_limit(plain: Grid) -> None:
    feed = Feed(Points(plain, "simulated"), lambda _point: None, limit=5)
    assert len(feed) == 5 and [feed.next("a", 0) is None for _ in range(6)] == [False] * 5 + [True]


def run_out(feed: Feed, value: dict[int, list[float]]) -> dict[int, int]:
    """How often each combination was made; ``value``: its total times, in turn."""
    count: dict[int, int] = {}
    while (point := feed.next("a", 0)) is not None:
        index = count[point.arm.index] = count.get(point.arm.index, 0) + 1
        values = value.get(point.arm.index, [1.0])
        feed.note(made(point, values[(index - 1) % len(values)]))
    return count


def test_what_is_wide_is_repeated_until_it_is_narrow_or_that_is_enough(narrowing: Grid) -> None:
    feed = Feed(Points(narrowing, "simulated"), lambda _point: None)
    noisy, calms = [1.0, 2.0], [1.0, 1.04, 1.02]
    assert run_out(feed, {0: noisy, 1: calms}) == {0: 6, 1: 3, 2: 2, 3: 2}


def test_nothing_more_is_asked_for_while_a_result_may_show_that_it_is_enough(narrowing: Grid) -> None:
    feed = Feed(Points(narrowing, "simulated"), lambda _point: None)
    handed = [feed.next("a", 0) for _ in range(8)]
    assert feed.next("a", 8) is None
    for point in handed:
        assert point is not None
        feed.note(made(point, 1.0 + point.repeat))
    more = feed.next("a", 0)
    assert more is not None and more.repeat == 3


def test_what_was_repeated_before_counts(narrowing: Grid) -> None:
    points = Points(narrowing, "simulated")
    before = Feed(points, lambda _point: None)
    run_out(before, {0: [1.0, 2.0]})
    again = Feed(points, lambda point: before.ended.get(point.number))
    assert again.next("a", 0) is None and again.ended == before.ended


def test_what_is_not_valid_narrows_nothing(narrowing: Grid) -> None:
    """Intervals were narrow by figures that the page leaves out."""
    points = Points(narrowing, "simulated")

    def ended(point: Point) -> PointMade:
        valid = point.arm.index != 0 or point.repeat > 2
        run = a_summary(a_migration(name="hello", valid=valid, invalid_reasons=[] if valid else ["a link was off"]))
        record = PointRecord(
            id=point.id, number=point.number, arm="", settings={}, repeat=point.repeat,
            engine="native", seed=1, version="1", machine="m",
        )  # fmt: skip
        return told(point.number, record, run)

    feed, count = Feed(points, lambda _point: None), dict.fromkeys(range(4), 0)
    while (point := feed.next("a", 0)) is not None:
        count[point.arm.index] += 1
        feed.note(ended(point))
    assert count == {0: 4, 1: 2, 2: 2, 3: 2}, "two valid ones of each"
