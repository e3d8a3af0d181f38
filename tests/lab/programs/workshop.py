"""Building what is not there yet, once a machine: one builder at a time, and nothing half done under a name that counts."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.places import cache
from tests.lab.programs import images
from tests.lab.programs.compilers import NoCompiler, environment, why_not
from tests.lab.programs.recipes import RECIPES, Recipe
from tests.lab.programs.shelf import differs, folder, stands

Say = Callable[[str], None]


class CannotBuild(Exception):
    """A program cannot be had; the message says which, why, and which file has the compiler's words."""


def needed() -> list[Recipe]:
    """What is still to be built, without that which needs a compiler of its own that is not here."""
    return [recipe for recipe in RECIPES if not stands(recipe) and not (recipe.compiler and why_not(recipe))]


def provide(say: Say = print) -> None:
    """Have every program and image of the lab in the cache; raises CannotBuild. Does nothing, at once, if they are there."""
    if not needed() and images.stand():
        return
    with alone(say):
        for recipe in needed():
            _make(recipe, say)
        images.make(say)


@contextmanager
def alone(say: Say) -> Iterator[None]:
    """One builder at a time. The lock ends with its holder, whose leftovers are then removed."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process builds in {cache()}: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(_bench(), ignore_errors=True)
        yield


def _bench() -> Path:
    return cache() / "building"


def _make(recipe: Recipe, say: Say) -> None:
    """Take over or build the programs of one recipe; their folder appears when all of them are whole."""
    _bench().mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=_bench(), prefix=recipe.title))
    if _taken_over(recipe, place):
        say(f"{recipe.title}: taken over from {elsewhere()}")
    else:
        say(f"{recipe.title}: building")
        _build(recipe, place)
    wrong = differs(recipe, place)
    if wrong:
        raise CannotBuild(wrong)
    place.chmod(0o755)
    folder(recipe).parent.mkdir(parents=True, exist_ok=True)
    place.rename(folder(recipe))


def elsewhere() -> Path:
    """Where an earlier lab of this user has left programs: LAB_HOME, or its usual place."""
    return Path(os.environ.get("LAB_HOME") or Path.home() / ".cache/lab") / "bin"


def _taken_over(recipe: Recipe, place: Path) -> bool:
    if differs(recipe, elsewhere()):
        return False
    for name in recipe.packages:
        try:
            (place / name).hardlink_to(elsewhere() / name)
        except OSError:  # another file system
            shutil.copy2(elsewhere() / name, place / name)
    return True


def _build(recipe: Recipe, place: Path) -> None:
    """Compile from exactly what go.mod and go.sum name; the compiler ends when this process does."""
    reason = why_not(recipe)
    if reason:
        raise CannotBuild(f"{recipe.title} is not built: {reason}")
    try:
        surroundings = environment(recipe)
    except NoCompiler as error:
        raise CannotBuild(f"{recipe.title} is not built: {error}") from error
    link = "-s -w " + " ".join(f"-X {name}={value}" for name, value in recipe.variables.items())
    command = ["go", "build", "-mod=readonly", "-trimpath", "-ldflags", link, "-o", f"{place}/", *recipe.packages.values()]
    log = cache() / f"build-{recipe.title}.log"
    with log.open("w") as words:
        argv = ["setpriv", "--pdeathsig", "KILL", *command]
        done = subprocess.run(argv, cwd=recipe.modules, env=surroundings, stdout=words, stderr=subprocess.STDOUT)
    if done.returncode:
        last = log.read_text().strip().splitlines()[-1:] or [f"exit {done.returncode}"]
        raise CannotBuild(f"{recipe.title} cannot be built: {last[0]} (all of it: {log})")
    _rename_main(recipe, place)


def _rename_main(recipe: Recipe, place: Path) -> None:
    """Go calls a program by the last part of its package's path: flannel, for flanneld."""
    for name, package in recipe.packages.items():
        made = place / package.rpartition("/")[2]
        if made.name != name:
            made.rename(place / name)
