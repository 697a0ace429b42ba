"""Randomness by counting: the hash of a number, not the next of a sequence, so any operation can be had by itself.

splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014; constants as in Vigna's
splitmix64.c). It is a bijection of 64-bit words: different numbers never have the same hash. Integer arithmetic alone,
so a hash is the same on every machine and for every length of array.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[np.uint64]
NOWHERE = np.uint64(2**64 - 1)
"""The page of an operation that touches the state page alone."""

_MASK = (1 << 64) - 1
_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_GOLDEN_WORD, _FIRST_WORD, _SECOND_WORD = np.uint64(_GOLDEN), np.uint64(_FIRST), np.uint64(_SECOND)
_27, _30, _31, _32 = (np.uint64(bits) for bits in (27, 30, 31, 32))


def mix(numbers: Numbers, start: int = 0) -> Numbers:
    """The hashes of ``numbers`` in the stream that ``start`` begins. Shape and type as given."""
    z = numbers * _GOLDEN_WORD
    z += np.uint64((start + _GOLDEN) & _MASK)
    z ^= z >> _30
    z *= _FIRST_WORD
    z ^= z >> _27
    z *= _SECOND_WORD
    z ^= z >> _31
    return z


def mix_one(number: int, start: int = 0) -> int:
    """``mix`` of one Python integer."""
    z = (number * _GOLDEN + start + _GOLDEN) & _MASK
    z = ((z ^ z >> 30) * _FIRST) & _MASK
    z = ((z ^ z >> 27) * _SECOND) & _MASK
    return z ^ z >> 31


def below(random: Numbers, size: int) -> Numbers:
    """Numbers 0..size-1 from the upper 32 bits, each equally often to within size / 2^32. ``size`` is at most 2^32."""
    scaled = random >> _32
    scaled *= np.uint64(size)
    scaled >>= _32
    return scaled


def share(random: Numbers, part: float) -> npt.NDArray[np.bool_]:
    """``True`` for that part (0..1) of the numbers, by their upper 32 bits."""
    return (random >> _32) < np.uint64(round(part * 2**32))
