"""The programs of the lab: which, built how, where they lie. Only the standard library is needed, so that CI can ask first.

`python -m tests.lab.programs` has three verbs: `build`, `missing` (one line, and exit 1, if the lab cannot be had),
`packages` (Debian packages that are not installed).
"""

from __future__ import annotations

import os

from tests.lab import capabilities
from tests.lab.programs.compilers import why_not
from tests.lab.programs.images import BUSYBOX, archives, flannel_image
from tests.lab.programs.recipes import OLD_FLANNEL
from tests.lab.programs.shelf import program
from tests.lab.programs.tools import lacking
from tests.lab.programs.workshop import CannotBuild, needed, provide
from tests.lab.settings import FLANNEL, KUBERNETES


def missing() -> str:
    """Why no lab can be had here, in one line; "" if it can, perhaps after `provide` has built it."""
    if os.geteuid() != 0:
        return "the lab needs root"
    packages = lacking()
    if packages:
        return f"the lab needs Debian packages: apt install {' '.join(packages)}"
    for recipe in needed():
        reason = why_not(recipe)
        if reason:
            return f"{recipe.title} is not built: {reason}"
    reason = capabilities.why_not("cgroup-v1")
    return f"this machine has no cgroup-v1: {reason}" if reason else ""


def unbuilt() -> tuple[str, ...]:
    """What `provide` would build or take over."""
    return tuple(recipe.title for recipe in needed())


__all__ = [
    "BUSYBOX",
    "FLANNEL",
    "KUBERNETES",
    "OLD_FLANNEL",
    "CannotBuild",
    "archives",
    "flannel_image",
    "missing",
    "program",
    "provide",
    "unbuilt",
]
