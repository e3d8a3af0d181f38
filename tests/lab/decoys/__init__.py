"""What looks odd and is none: the same contract as a fault, and nothing at warning or above may be said of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import ClassVar

from tests.lab.faults import Fault, discovered


class Decoy(Fault):
    """Staged like a fault; BREAKS says what it looks like."""

    FINDINGS: ClassVar[tuple[str, ...]] = ()


@cache
def all_decoys() -> Mapping[str, Decoy]:
    """Every decoy by name."""
    found = {kind.NAME: kind() for kind in discovered(__name__) if issubclass(kind, Decoy)}
    return MappingProxyType(dict(sorted(found.items())))
