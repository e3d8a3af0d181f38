"""Where built programs lie, and whether what lies there is what its name says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.lab.places import cache
from tests.lab.programs.recipes import RECIPES, Recipe


def folder(recipe: Recipe) -> Path:
    """Where the programs of a recipe lie, once they are built; what lies there is whole."""
    return cache() / "programs" / recipe.title


def program(name: str, version: str = "") -> Path:
    """Where a program lies; of several versions the first in RECIPES if none is named. Raises KeyError for an unknown one."""
    for recipe in RECIPES:
        if name in recipe.packages and version in ("", recipe.version):
            return folder(recipe) / name
    raise KeyError(f"{name} {version}".strip())


def stands(recipe: Recipe) -> bool:
    """Whether the programs of a recipe are built."""
    return all((folder(recipe) / name).is_file() for name in recipe.packages)


def differs(recipe: Recipe, place: Path) -> str:
    """What is wrong with the programs in `place`: one that is not there, or tells another version; "" if nothing is."""
    for name, arguments in recipe.tells.items():
        if not (place / name).is_file():
            return f"there is no {place / name}"
        try:
            done = subprocess.run([str(place / name), *arguments], capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        said = (done.stdout + done.stderr).strip()
        if not re.search(rf"\bv{re.escape(recipe.version)}(?![.\d])", said):
            return f"{place / name} is not of version {recipe.version}: it says {said!r}"
    return ""
