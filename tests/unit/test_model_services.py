"""The model's areas are those of the services themselves, and what they dirty grows up to them and no further."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guest_agent.services import build
from testbed.core.units import PAGE_SIZE
from testbed.model.guest import FluidGuest
from testbed.model.services import area_pages, connections, dirtied_pages
from testbed.scenario.parameters import services

IDLE = {"name": "idle"}
EVERY: list[dict[str, Any]] = [
    *services(["echo"]),
    *services(["oltp"]),
    *services([{"name": "oltp", "accounts": 1000, "sessions": 50, "think_time": "1ms", "history": 100}]),
    *services([{"name": "iometer", "iops": "500/s"}]),
    *services([{"name": "iometer", "block": "64KiB", "outstanding": 3, "buffers": "8MiB"}]),
]


@pytest.mark.parametrize("spec", EVERY, ids=lambda spec: spec["name"])
def test_areas_are_those_of_the_services(spec: dict[str, Any]) -> None:
    """But for a few pages of buffers."""
    assert area_pages([spec]) == pytest.approx(build(spec).area_pages, abs=4)


@given(spec=st.sampled_from(EVERY), times=st.tuples(st.floats(0, 1e4), st.floats(0, 1e4)))
def test_what_is_dirtied_grows_up_to_the_area(spec: dict[str, Any], times: tuple[float, float]) -> None:
    less, more = (dirtied_pages([spec], seconds) for seconds in sorted(times))
    assert 0 <= less <= more <= area_pages([spec])


def test_a_rate_dirties_its_buffers_in_turn() -> None:
    (spec,) = services([{"name": "iometer", "iops": "100/s", "buffers": "4MiB"}])
    assert dirtied_pages([spec], 2.0) == 201
    assert dirtied_pages([spec], 1e3) == 1025


def test_a_guest_with_a_service_dirties_its_area_too() -> None:
    ram = 4096 * PAGE_SIZE
    guest, served = FluidGuest(IDLE, ram), FluidGuest(IDLE, ram, services([{"name": "iometer", "buffers": "1MiB"}]))
    for each in (guest, served):
        each.run(1.0)
    assert (guest.collect(), served.collect()) == (PAGE_SIZE, (1 + 1 + 256) * PAGE_SIZE)
    assert served.collect() == 0


def test_the_connections_that_move_are_those_of_the_clients() -> None:
    specs = services([{"name": "echo", "connections": 500}, {"name": "oltp", "sessions": 16}, "iometer"])
    assert connections(specs) == 516
