"""What every value is built on, and prefixes, which stand in all of them."""

from __future__ import annotations

import msgspec


class Value(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The base of all values."""


class Prefix(msgspec.Struct, frozen=True, gc=False, order=True):
    """An IP prefix with its host bits masked; compares and sorts by family, base address, length.

    `base` is the first address as an integer, `family` 4 or 6.
    """

    family: int
    base: int
    length: int
