"""Parameters come from who a student is, and from nothing else; expressions are reckoned in a sandbox."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.core.errors import ScenarioError
from testbed.core.units import Dimension
from testbed.labs.catalogue import find
from testbed.labs.definition.draw import chosen, drawn, identity, in_base, number
from testbed.labs.definition.render import evaluated, rendered, tidy
from testbed.labs.definition.spec import LabSpec, parsed

SPEC = """\
lab: tried
title: tried
minutes: 1
parameters:
  rho:  {choose: [0.2, 0.3, 0.4]}
  rate: {is: rho * 100, unit: MB/s}
  seed: {seed: true}
"""
words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30)


def spec(text: str = SPEC) -> LabSpec:
    return parsed(text, "lab.yaml")[0]


def test_a_draw_is_the_same_for_ever() -> None:
    """These figures stand in folders of students: another version may not draw others."""
    assert number("net-2026", "me@uni.example", "rounds", "rho") == 0x1EF79C63AC2EF70D
    assert drawn(spec(), "net-2026", "me@uni.example") == {"rho": 0.4, "rate": 40, "seed": 957404805}


@given(words, words)
@settings(max_examples=50, deadline=None)
def test_a_parameter_more_moves_no_other(course: str, student: str) -> None:
    more = SPEC.replace("parameters:\n", "parameters:\n  another: {choose: [1, 2, 3, 4, 5]}\n")
    before, after = drawn(spec(), course, student), drawn(spec(more), course, student)
    assert {name: after[name] for name in before} == before
    assert before["rho"] in (0.2, 0.3, 0.4) and 1 <= int(before["seed"]) <= 10**9
    assert before["rate"] == tidy(float(before["rho"]) * 100)


@given(st.integers(0, 2**64 - 1), st.integers(1, 50))
@settings(deadline=None)
def test_whatever_is_drawn_is_one_of_the_choices(bits: int, count: int) -> None:
    assert chosen(list(range(count)), bits) in range(count)


def test_all_choices_are_drawn_about_as_often() -> None:
    known = spec()
    found = [drawn(known, "", f"student {n}")["rho"] for n in range(600)]
    assert all(150 < found.count(each) < 250 for each in (0.2, 0.3, 0.4))


def test_course_student_and_lab_each_count() -> None:
    seeds = {drawn(spec(), course, who)["seed"] for course in ("a", "b") for who in ("c", "d")}
    assert len(seeds) == 4
    assert number("a", "b", "c", "d") != number("a", "bc", "", "d")


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("rh0 * 2", "'rh0' is undefined"),
        ("rho / 0", "division by zero"),
        ("rho +", "unexpected"),
        ("rho.__class__.__mro__", "unsafe"),
        ("1e308 * 10", "cannot be reckoned"),
        ("1e308 * rho * 100", "no finite number"),
        ("(rho, 1)", "neither a number nor a text"),
    ],
)
def test_an_expression_that_cannot_be_names_itself_and_its_line(expression: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said) as refused:
        drawn(spec(SPEC.replace("rho * 100", f"'{expression}'")), "", "me")
    assert "parameters.rate" in str(refused.value)


def test_a_name_that_there_is_not_is_an_error_in_a_text_too() -> None:
    assert rendered("{{ a }} and {{ 1 / 3 }}", {"a": 0.1 + 0.2}, "x") == "0.3 and 0.333333"
    with pytest.raises(ScenarioError, match=r"^x: 'b' is undefined"):
        rendered("\n{{ b }}", {"a": 1}, "x")
    with pytest.raises(ScenarioError, match=r"^x:2: "):
        rendered("\n{% b %}", {"a": 1}, "x")
    with pytest.raises(ScenarioError, match="unsafe"):
        evaluated("a.__class__", {"a": 1}, "x")


@pytest.mark.parametrize("name", ["", "   ", "a\0b", "a\nb", "a" * 101, "\x1b[31m"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ScenarioError, match="--as: must be a name or an address"):
        identity(name)


def test_a_name_is_one_however_it_is_typed() -> None:
    assert identity(" Zoe\u0308 ") == "Zo\u00eb"


def test_units_are_those_of_scenarios() -> None:
    assert in_base(512, "MiB") == 512 * 2**20
    assert in_base(800, "Mbit") == 800e6
    assert in_base(800, "Mbit", [Dimension.BYTE_RATE]) == 1e8
    with pytest.raises(ValueError, match="no quantity"):
        in_base(1, "apples")


def test_the_shipped_labs_draw_what_they_may() -> None:
    lab = find("rounds")
    for student in range(50):
        known = lab.drawn("net-2026", f"s{student}")
        assert known["rho"] in (0.2, 0.25, 0.3, 0.35, 0.4)
        assert f"{known['ram']}MiB" in lab.scenario("main", known)
