"""The Go that a recipe is built with, and why there may be none."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from tests.lab.programs.recipes import Recipe

USUAL = "/usr/local/go/bin"  # where Go's own archive puts it, which is not on everybody's PATH
FETCHES_NEWER = (1, 21)  # from here on a go fetches the newer one that a go.mod asks for, unless GOTOOLCHAIN=local


def environment(recipe: Recipe) -> dict[str, str]:
    """The environment in which `go` is the compiler of this recipe and takes nothing from the user's own build flags."""
    path = f"{os.environ.get('PATH', '')}:{USUAL}"
    if recipe.compiler:
        path = f"{recipe.compiler}:{path}"
    return {**os.environ, "PATH": path, "GOFLAGS": "-buildvcs=false", "GOWORK": "off", "CGO_ENABLED": "1" if recipe.c else "0"}


def why_not(recipe: Recipe) -> str:
    """Why the recipe cannot be built here for want of a compiler; "" if it can."""
    if recipe.compiler and not (recipe.compiler / "go").is_file():
        return f"there is no {recipe.compiler / 'go'} (apt install golang-1.19-go)"
    surroundings = environment(recipe)
    if recipe.c and not shutil.which("cc", path=surroundings["PATH"]):
        return "there is no C compiler (apt install gcc libc6-dev)"
    asked = wanted(recipe)
    if not shutil.which("go", path=surroundings["PATH"]):
        return f"there is no go; {_text(asked)} or newer is needed (https://go.dev/dl)"
    found, toolchain = _installed(surroundings)
    if found >= asked or (found >= FETCHES_NEWER and toolchain != "local"):
        return ""
    return f"go is {_text(found)}; {_text(asked)} or newer is needed (https://go.dev/dl)"


def wanted(recipe: Recipe) -> tuple[int, ...]:
    """The version of Go that the recipe's go.mod asks for."""
    line = re.search(r"^go ([\d.]+)$", (recipe.modules / "go.mod").read_text(), re.M)
    return _version(line.group(1)) if line else ()


def _installed(surroundings: dict[str, str]) -> tuple[tuple[int, ...], str]:
    """The version of go, () if it does not say, and its GOTOOLCHAIN."""
    asked = ["go", "env", "GOVERSION", "GOTOOLCHAIN"]
    said = subprocess.run(asked, env=surroundings, cwd="/", capture_output=True, text=True, timeout=30).stdout.splitlines()
    version = re.match(r"go([\d.]+)", said[0] if said else "")
    return _version(version.group(1)) if version else (), said[1] if len(said) > 1 else "local"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.strip(".").split("."))


def _text(version: tuple[int, ...]) -> str:
    return "Go " + ".".join(map(str, version))
