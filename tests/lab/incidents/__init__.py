"""Game days: a cluster that stands up broken, so that a person can walk through an incident with the console.

An incident is a story of several steps, one file each; a single fault may be staged by its own name too. Staging ends with
what was seen from outside, and tells nothing of the cause.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from random import Random
from types import MappingProxyType
from typing import ClassVar

from tests.lab.faults import all_faults, asked, discovered
from tests.lab.faults.hands import Cluster, LabFailed


class Incident(ABC):
    """A story. CALL is what whoever rings at night says; FINDINGS is what the console shows when all is staged."""

    NAME: ClassVar[str]
    CALL: ClassVar[str]
    FINDINGS: ClassVar[tuple[str, ...]]

    @abstractmethod
    def stage(self, lab: Cluster) -> None:
        """Let it happen, step by step; raises LabFailed where the lab does not do what once happened."""


@cache
def all_incidents() -> Mapping[str, Incident]:
    """Every incident by name."""
    found = {kind.NAME: kind() for kind in discovered(__name__) if issubclass(kind, Incident)}
    return MappingProxyType(dict(sorted(found.items())))


def names() -> tuple[str, ...]:
    """What can be staged: incidents first, then single faults."""
    return (*all_incidents(), *all_faults())


def stage(lab: Cluster, name: str, seed: int = 1) -> str:
    """Stage an incident or a fault; what a caller would report comes back. Raises LabFailed for a name that is none."""
    incident = all_incidents().get(name)
    if incident is not None:
        incident.stage(lab)
        return incident.CALL
    try:
        fault = asked(name, all_faults())
    except ValueError as failure:
        raise LabFailed(f"{failure}; incidents: {', '.join(all_incidents())}") from None
    if lab.settings.kind.name not in fault.KINDS:
        raise LabFailed(f"{fault.NAME} is for labs of the kind {', '.join(fault.KINDS)}, not {lab.settings.kind.name}")
    fault.inject(lab, fault.draw(lab, Random(f"{fault.NAME} {seed}")))
    return "Something is wrong with the pods on some nodes."
