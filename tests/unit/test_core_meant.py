"""A quantity that is none gets the right spelling; a bare number that cannot be believed gets a unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.text.meant import meant
from testbed.core.text.quantity import Bare, parse, read, written
from testbed.core.units import Dimension


@pytest.mark.parametrize(
    ("text", "dimension", "right"),
    [
        ("1gbit", Dimension.BIT_RATE, "1Gbit"),
        ("10G", Dimension.BIT_RATE, "10Gbit"),
        ("40Gbps", Dimension.BIT_RATE, "40Gbit"),
        ("10Gb/s", Dimension.BIT_RATE, "10Gbit"),
        ("10 Gbits/sec", Dimension.BIT_RATE, "10Gbit"),
        ("1.25GB/s", Dimension.BIT_RATE, "10Gbit"),
        ("256mb", Dimension.SIZE, "256MB"),
        ("256M", Dimension.SIZE, "256MB"),
        ("4gib", Dimension.SIZE, "4GiB"),
        ("4Gi", Dimension.SIZE, "4GiB"),
        ("1,5GB", Dimension.SIZE, "1.5GB"),
        ("1,024MB", Dimension.SIZE, "1024MB"),
        ("64k", Dimension.BLOCK, "64kB"),
        ("100Mbps", Dimension.BYTE_RATE, "100Mbit"),
        ("100MB", Dimension.BYTE_RATE, "100MB/s"),
        ("100MBps", Dimension.BYTE_RATE, "100MB/s"),
        (".5s", Dimension.TIME, "0.5s"),
        ("300msec", Dimension.TIME, "300ms"),
        ("5m", Dimension.TIME, "5min"),
        ("5µs", Dimension.TIME, "5us"),
        ("2 Hours", Dimension.TIME, "2h"),
        ("500 iops", Dimension.PER_SECOND, "500/s"),
        ("1%", Dimension.NUMBER, "0.01"),
        ("0,5", Dimension.NUMBER, "0.5"),
    ],
)
def test_the_right_spelling_is_told(text: str, dimension: Dimension, right: str) -> None:
    with pytest.raises(ValueError, match="expected ") as caught:
        parse(text, dimension)
    assert str(caught.value).endswith(f"; did you mean '{right}'?")
    assert parse(right, dimension) > 0


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("1Gbit", Dimension.SIZE),
        ("3parsecs", Dimension.SIZE),
        ("10Gib", Dimension.BIT_RATE),
        ("1e400GB/s", Dimension.BIT_RATE),
        ("5 GB", Dimension.TIME),
    ],
)
def test_where_it_cannot_be_told_the_units_are(text: str, dimension: Dimension) -> None:
    with pytest.raises(ValueError, match=r"not '.*' \(units: "):
        parse(text, dimension)


@given(
    st.text(max_size=12) | st.from_regex(r"[0-9.,]{1,5} ?[A-Za-z/%µ]{0,6}", fullmatch=True), st.sampled_from(Dimension)
)
def test_what_is_told_is_right(text: str, dimension: Dimension) -> None:
    right = meant(text, dimension)
    if right is not None:
        assert parse(right, dimension) >= 0


@pytest.mark.parametrize(
    ("value", "dimension", "likely", "literally"),
    [
        (10, Dimension.BIT_RATE, "10Gbit", "10bit"),
        ("40", Dimension.BIT_RATE, "40Gbit", "40bit"),
        (1000, Dimension.BIT_RATE, "1000Mbit", "1000bit"),
        (128, Dimension.SIZE, "128GiB", "128B"),
        (4096, Dimension.SIZE, "4096MiB", "4096B"),
        (27.5, Dimension.BYTE_RATE, "27.5MB/s", "27.5B/s"),
        (10, Dimension.INTERVAL, "10ms", "10s"),
    ],
)
def test_a_bare_number_that_cannot_be_believed_gets_a_unit(
    value: object, dimension: Dimension, likely: str, literally: str
) -> None:
    with pytest.raises(ValueError, match="without a unit") as caught:
        read(value, dimension)
    assert f"did you mean '{likely}'?" in str(caught.value) and f"write '{literally}'" in str(caught.value)
    assert read(likely, dimension) > 0 and read(literally, dimension) > 0


@pytest.mark.parametrize(
    ("value", "dimension"),
    [
        (0, Dimension.SIZE),
        (2**30, Dimension.SIZE),
        ("1e9", Dimension.BIT_RATE),
        (600, Dimension.TIME),
        (2000, Dimension.PER_SECOND),
    ],
)
def test_a_bare_number_that_can_be_believed_is_in_the_base_unit(value: object, dimension: Dimension) -> None:
    assert read(value, dimension) == parse(value, dimension)


def test_what_may_be_bare_can_be_said() -> None:
    assert read(9, Dimension.TIME, Bare(below=10.0)) == 9
    with pytest.raises(ValueError, match="did you mean '300ms'"):
        read(300, Dimension.TIME, Bare(below=10.0))


@given(st.floats(0, 1e15, allow_subnormal=False), st.sampled_from(Dimension))
def test_what_we_write_is_never_too_bare(value: float, dimension: Dimension) -> None:
    assert read(written(value, dimension), dimension) == value
