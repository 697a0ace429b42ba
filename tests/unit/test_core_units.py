"""Quantities: what is written is read back, what cannot be is refused in one line, scaling keeps the groups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.text.quantity import parse, written
from testbed.core.units import Dimension, by_hand, in_bits_per_second, in_bytes, in_bytes_per_second, in_seconds, scaled
from testbed.rig.orders import Order

DIMENSIONS = st.sampled_from(Dimension)


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("128GiB", Dimension.SIZE, 128 * 2**30),
        ("2048MB", Dimension.SIZE, 2048e6),
        ("4096", Dimension.SIZE, 4096),
        (4096, Dimension.SIZE, 4096),
        ("27.5MB/s", Dimension.BYTE_RATE, 27.5e6),
        ("14.1Gbit", Dimension.BYTE_RATE, 14.1e9 / 8),
        ("14.1Gbit/s", Dimension.BYTE_RATE, 14.1e9 / 8),
        ("10Gbit", Dimension.BIT_RATE, 10e9),
        ("150 Mbit/s", Dimension.BIT_RATE, 150e6),
        ("500ms", Dimension.TIME, 0.5),
        ("2min", Dimension.TIME, 120),
        (0.25, Dimension.TIME, 0.25),
        ("1_000", Dimension.NUMBER, 1000),
        (1e-05, Dimension.NUMBER, 1e-5),
        ("2e3", Dimension.NUMBER, 2000),
    ],
)
def test_reads_what_people_write(text: object, dimension: Dimension, value: float) -> None:
    assert parse(text, dimension) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "value", ["", "-1", -1, True, None, [], {}, "GiB", "1 GiB 2", "1,000", "nan", "inf", float("nan")]
)
@pytest.mark.parametrize("dimension", Dimension)
def test_refuses_what_is_no_quantity(value: object, dimension: Dimension) -> None:
    with pytest.raises(ValueError, match="expected "):
        parse(value, dimension)


def repr_or_length(value: object) -> str:
    return "huge" if isinstance(value, int | str) else repr(value)


@pytest.mark.parametrize("value", [float("inf"), 10**400, 10**5000, "1e999", "9" * 5000], ids=repr_or_length)
def test_refuses_what_is_too_large_with_the_same_words(value: object) -> None:
    with pytest.raises(ValueError, match="expected a number"):
        parse(value, Dimension.NUMBER)


def test_says_which_units_there_are() -> None:
    with pytest.raises(ValueError, match=r"units: .*MiB.*"):
        parse("3parsecs", Dimension.SIZE)


@given(st.floats(0, 1e15, allow_subnormal=False), DIMENSIONS)
def test_what_is_written_is_read_back_exactly(value: float, dimension: Dimension) -> None:
    assert parse(written(value, dimension), dimension) == value


@given(st.one_of(st.text(max_size=30), st.floats(), st.integers(), st.booleans(), st.none()), DIMENSIONS)
def test_anything_else_is_a_value_error(value: object, dimension: Dimension) -> None:
    try:
        number = parse(value, dimension)
    except ValueError:
        return
    assert 0 <= number < float("inf")


@given(st.floats(1, 1e12), st.floats(1, 1e3), st.floats(1, 1e3))
def test_scaling_keeps_the_time_to_send_a_memory(value: float, size: float, time: float) -> None:
    seconds = scaled(value, Dimension.SIZE, size, time) / scaled(1e9, Dimension.BYTE_RATE, size, time)
    assert seconds == pytest.approx(scaled(value / 1e9, Dimension.TIME, size, time))
    assert scaled(value, Dimension.NUMBER, size, time) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (in_bytes(8e6), "8.0 MB"),
        (in_bytes(0), "0.0 B"),
        (in_bytes(999_999), "1.0 MB"),
        (in_bytes(137_438_953_472), "137 GB"),
        (in_bytes_per_second(128e6), "128 MB/s"),
        (in_bytes_per_second(99.97e6), "100 MB/s"),
        (in_bits_per_second(10e9), "10.0 Gbit/s"),
        (in_seconds(0.0625), "62.5 ms"),
        (in_seconds(0.99999), "1.0 s"),
        (in_seconds(21.31), "21.3 s"),
        (in_seconds(850e-6), "850 us"),
        (in_seconds(5e-7), "0.5 us"),
        (in_seconds(0), "0.0 s"),
        (in_seconds(float("inf")), "inf s"),
    ],
)
def test_prints_as_people_quote(text: str, expected: str) -> None:
    assert text == expected


@given(st.floats(1e-3, 1e15))
def test_what_is_printed_is_near_what_it_was(value: float) -> None:
    number, unit = in_bytes(value).replace(",", "").split()
    factor = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}[unit]
    assert float(number) * factor == pytest.approx(value, rel=0.06)
    assert unit == "TB" or float(number) < 1000


@pytest.mark.parametrize(
    ("what", "value", "said"),
    [("rate", 3e8, "rate 300 Mbit/s"), ("throttle", 0.5, "throttle 50%"), ("cut", None, "cut")],
)
def test_orders_by_hand_are_said_with_their_units(what: str, value: float | None, said: str) -> None:
    assert by_hand(what, value) == str(Order(what=what, value=value)) == said
