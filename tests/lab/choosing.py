"""Which faults and decoys are to be staged: by name, with a variant, and only what a kind of lab and this machine can show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.lab import capabilities
from tests.lab.decoys import all_decoys
from tests.lab.faults import Fault, all_faults, asked


def known() -> Mapping[str, Fault]:
    """Every fault and every decoy, by name."""
    return {**all_faults(), **all_decoys()}


def selected(names: Iterable[str], kind: str) -> dict[str, Fault]:
    """Those that are named, as NAME or NAME:VARIANT, or else all; without those that this machine cannot do.

    Raises ValueError for a name that is none, or that is none for labs of this kind.
    """
    given = list(names)
    chosen = {name: asked(name, known()) for name in given or known()}
    elsewhere = [name for name, fault in chosen.items() if kind not in fault.KINDS]
    if given and elsewhere:
        raise ValueError(f"not on a lab of the kind {kind}: {', '.join(elsewhere)}")
    return {name: fault for name, fault in chosen.items() if name not in elsewhere and not capabilities.absent(fault.NEEDS)}
