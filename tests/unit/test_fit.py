"""Whether a scenario fits a machine is decided over values: what it needs, what there is, what to scale."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed import scenarios
from testbed.doctor import fitting
from testbed.fit.judging import ORDER, Abilities, Verdict, fit, judge, largest_guest
from testbed.fit.needs import BESIDE, Needs, needs
from testbed.fit.words import advice, setting, warning
from testbed.scenario import load

MIB = 2**20
HELLO = needs(load("hello").plans()[0])
ROOMY = Abilities(memory=64 << 30, cores=4.0)
VAGRANT = Abilities(memory=3400 * MIB, cores=2.0)
"""4 GB, of which a Debian has taken its own."""


def of_scenario(name: str) -> list[Needs]:
    return [needs(plan) for plan in load(name).plans()]


NEEDS = st.builds(
    Needs,
    name=st.just("x"),
    size=st.sampled_from([1.0, 16.0, 32.0]),
    ram=st.integers(1, 1 << 22).map(lambda pages: pages * 4096),
    least=st.sampled_from([1 << 16, 1 << 24]),
    fixed=st.floats(0.01, 2),
    rates=st.floats(0, 50),
)
MACHINES = st.builds(
    Abilities, memory=st.integers(0, 1 << 36), cores=st.none() | st.floats(0.01, 64), speed=st.floats(0.02, 2)
)


@pytest.mark.parametrize(
    ("memory", "cores", "verdict"),
    [
        (HELLO.memory - 1, 4.0, "too large"),
        (HELLO.memory, 4.0, "near"),
        (2 * HELLO.memory, 4.0, "fits"),
        (2 * HELLO.memory, None, "fits"),
        (2 * HELLO.memory, HELLO.cores(), "near"),
        (2 * HELLO.memory, HELLO.cores() / 2, "too slow"),
        (HELLO.memory - 1, HELLO.cores() / 2, "too large"),
    ],
)
def test_a_verdict(memory: int, cores: float | None, verdict: Verdict) -> None:
    assert judge(HELLO, Abilities(memory=memory, cores=cores)) == verdict


@given(needs=NEEDS, machine=MACHINES, more=st.floats(1, 8), faster=st.booleans())
def test_a_better_machine_and_a_smaller_experiment_never_fit_less(
    needs: Needs, machine: Abilities, more: float, *, faster: bool
) -> None:
    """Better by more processors, or by faster ones."""
    before = ORDER.index(judge(needs, machine))
    cores, speed = machine.cores and machine.cores * more, machine.speed * (more if faster else 1)
    better = replace(machine, memory=round(machine.memory * more), cores=cores, speed=speed)
    assert ORDER.index(judge(needs, better)) <= before
    assert ORDER.index(judge(needs.smaller(2.0), machine)) <= before


@given(each=st.lists(NEEDS, min_size=1, max_size=4), machine=MACHINES)
def test_what_is_advised_is_better_and_the_least_that_fits(each: list[Needs], machine: Abilities) -> None:
    found = fit(each, machine)
    assert found.verdict == max((judge(one, machine) for one in each), key=ORDER.index)
    if found.factor is None:
        return
    after = fit([one.smaller(found.factor) for one in each], machine)
    assert ORDER.index(after.verdict) < ORDER.index(found.verdict)
    assert after.verdict == found.after
    half = fit([one.smaller(found.factor / 2) for one in each], machine)
    assert half.verdict != "fits"


@pytest.mark.parametrize("name", scenarios.names())
def test_every_scenario_that_comes_along_fits_a_large_machine(name: str) -> None:
    assert fit(of_scenario(name), ROOMY).verdict == "fits"


def test_the_vagrantfiles_machine_makes_all_but_the_largest() -> None:
    verdicts = {name: fit(of_scenario(name), VAGRANT).verdict for name in scenarios.names()}
    assert {name for name, verdict in verdicts.items() if verdict != "fits"} == {"opvizor"}
    assert verdicts["opvizor"] == "too large"


@pytest.mark.parametrize("name", scenarios.names())
@pytest.mark.parametrize(
    "machine", [Abilities(memory=700 * MIB, cores=2.0), Abilities(memory=64 << 30, cores=0.55)], ids=["small", "slow"]
)
def test_what_is_advised_can_be_loaded_and_fits(name: str, machine: Abilities) -> None:
    found = fitting.of(name, machine)
    said = setting(found)
    if said is None:
        assert found.verdict != "too large", "memory can always be scaled"
        return
    after = fitting.of(name, machine, said.removeprefix("--set "))
    assert ORDER.index(after.verdict) < ORDER.index(found.verdict)


def test_on_slow_processors_what_wakes_by_the_clock_takes_its_share_of_one_of_those() -> None:
    """An emulated machine's two, each a twelfth as fast, made such a migration; as much of a fast one is not enough."""
    small = replace(HELLO, rates=0.02)
    assert judge(small, Abilities(memory=64 << 30, cores=2 / 12, speed=1 / 12)) == "fits"
    assert judge(small, Abilities(memory=64 << 30, cores=2 / 12)) == "near"
    assert judge(small, Abilities(memory=64 << 30, cores=0.15)) == "too slow"


def test_where_no_scale_helps_that_is_said() -> None:
    tiny = fit([HELLO], Abilities(memory=BESIDE, cores=4.0))
    assert tiny.factor is None and advice(tiny) == "no guest fits; end other programs, or add memory"
    crawling = fit([HELLO], Abilities(memory=64 << 30, cores=0.01))
    assert crawling.factor is None and "give the machine more processors" in (warning(crawling) or "")
    pinned = replace(HELLO, least=HELLO.ram)
    assert "as emulated" in advice(fit([pinned], Abilities(memory=HELLO.memory - 1)))


def test_a_warning_says_what_it_is_of_and_what_fits() -> None:
    assert warning(fit([HELLO], ROOMY)) is None
    slow = warning(fit([HELLO], Abilities(memory=64 << 30, cores=0.15))) or ""
    assert "hello: it needs about 0.3" in slow and "this machine has 0.15" in slow and "hardly" in slow
    near = warning(fit([HELLO], Abilities(memory=HELLO.memory + 1, cores=9.0))) or ""
    assert "may not come out valid; what fits: --set scale.size=2" in near and "1.0 GB" in near


def test_the_largest_guest_is_half_of_what_is_left() -> None:
    assert largest_guest(Abilities(memory=BESIDE + 20)) == 10 and largest_guest(Abilities(memory=5)) == 0


def test_an_unshaped_link_a_cap_cross_traffic_and_services_count() -> None:
    def cores(*overrides: str, name: str = "hello") -> float:
        return needs(load(name, overrides=overrides).plans()[0]).cores()

    assert cores("network.vmotion.goodput=null") < cores() < cores("network.vmotion.goodput=9Gbit")
    assert cores("migration.stream_cap=100Mbit") < cores()
    assert cores("network.cross_traffic.rate=100Mbit") > cores()
    assert cores("vm.services.0.connections=1000", name="keep-talking") > cores(name="keep-talking") > cores()
    assert cores("vm.services.0.sessions=64", name="oltp-256") > cores(name="oltp-256")
