"""The Go that a recipe is built with. Where only an older one is installed, that one fetches a newer, as newer ones do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.lab.places import cache
from tests.lab.programs.recipes import Recipe

FETCHED = "1.26.8"  # what every recipe without a compiler of its own can be built with
# Where Go's own archive and Debian's versioned packages put it, which is not on everybody's PATH.
USUAL = ("/usr/local/go/bin", "/usr/lib/go-1.19/bin")


class NoCompiler(Exception):
    """The compiler cannot be fetched; the message is go's."""


def why_not(recipe: Recipe) -> str:
    """Why the recipe cannot be built here for want of a compiler; "" if it can. Nothing is fetched to find out."""
    if recipe.compiler and not (recipe.compiler / "go").is_file():
        return f"there is no {recipe.compiler / 'go'} (apt install golang-1.19-go)"
    path = search_path(recipe)
    if recipe.c and not shutil.which("cc", path=path):
        return "there is no C compiler (apt install gcc libc6-dev)"
    if not shutil.which("go", path=path):
        return "there is no go, of whatever version (apt install golang-1.19-go, or https://go.dev/dl)"
    return ""


def search_path(recipe: Recipe) -> str:
    """Where programs are looked for: first the compiler that the recipe wants."""
    first = [str(recipe.compiler)] if recipe.compiler else []
    return ":".join([*first, os.environ.get("PATH", ""), *USUAL])


def environment(recipe: Recipe) -> dict[str, str]:
    """The environment in which `go` is the compiler of this recipe, and no build flag of the user's counts.

    Fetches a compiler where the installed one is too old; raises NoCompiler where that fails.
    """
    found = {**os.environ, "PATH": search_path(recipe), "GOWORK": "off", "GOFLAGS": "-buildvcs=false"}
    if installed(found) < wanted(recipe):
        found["PATH"] = f"{fetched(found)}:{found['PATH']}"
    return {**found, "GOTOOLCHAIN": "local", "CGO_ENABLED": "1" if recipe.c else "0"}


def wanted(recipe: Recipe) -> tuple[int, ...]:
    """The version of Go that the recipe's go.mod asks for."""
    line = re.search(r"^go ([\d.]+)$", (recipe.modules / "go.mod").read_text(), re.M)
    return _version(line.group(1)) if line else ()


def installed(surroundings: dict[str, str]) -> tuple[int, ...]:
    """The version of the go on the path; () if it does not say."""
    version = re.match(r"go([\d.]+)", _go(["env", "GOVERSION"], surroundings).stdout)
    return _version(version.group(1)) if version else ()


def fetched(surroundings: dict[str, str]) -> Path:
    """The folder with the programs of the newer Go, which the older one gets from the module proxy, checksum and all."""
    machine = _go(["env", "GOARCH"], surroundings).stdout.strip()
    own = {**surroundings, "GOMODCACHE": str(cache() / "toolchain"), "GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local"}
    done = _go(["mod", "download", "-json", f"golang.org/toolchain@v0.0.1-go{FETCHED}.linux-{machine}"], own)
    if done.returncode:
        raise NoCompiler(f"Go {FETCHED} cannot be fetched: {(done.stderr or done.stdout).strip()}")
    place = Path(json.loads(done.stdout)["Dir"])
    for file in (*(place / "bin").iterdir(), *(place / "pkg/tool").glob("*/*")):
        file.chmod(0o755)  # a module has no programs, only files
    return place / "bin"


def _go(arguments: list[str], surroundings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run go in a folder where no go.mod asks for anything."""
    local = {**surroundings, "GOTOOLCHAIN": "local"}
    return subprocess.run(["go", *arguments], env=local, cwd="/", capture_output=True, text=True, timeout=600)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.strip(".").split("."))
