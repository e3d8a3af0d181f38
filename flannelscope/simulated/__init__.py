"""Simulated clusters, built in code from a seed: the same seed and clock give the same values, down to MACs and UIDs.

Every module in this package is a demo, found by its name: it holds `snapshot(now, seed)`, and the first paragraph of its
docstring says what there is to see. What demos are built from lies in the package `world`.
"""

from __future__ import annotations

import time
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from flannelscope.model import Snapshot

DEFAULT = "twins"
SEED = 20261122


@cache
def names() -> tuple[str, ...]:
    """The demos: the default one first, then by name."""
    found = (module.name for module in iter_modules(__path__) if not module.ispkg)
    return tuple(sorted(found, key=lambda name: (name != DEFAULT, name)))


def build(name: str, now: float | None = None, seed: int = SEED, *, kernels: bool = False) -> Snapshot:
    """The whole cluster of a demo, as it is at `now` (seconds since the epoch; default: this moment).

    `kernels`: with what its nodes say of themselves. Raises KeyError when no demo has this name.
    """
    if name not in names():
        raise KeyError(name)
    made: Snapshot = import_module(f"{__name__}.{name}").snapshot(time.time() if now is None else now, seed)
    if not kernels:
        return made
    from flannelscope.simulated.world.kernels import with_kernels

    return with_kernels(made)
