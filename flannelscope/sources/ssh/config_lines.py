"""The words of ssh_config(5) files, with what they include; their meaning is no matter here."""

from __future__ import annotations

import glob
import os
import pwd
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from flannelscope.model.base import Value

_DEEPEST = 16  # OpenSSH's own limit of files that include one another
_LARGEST = 4_000_000  # bytes of one file
SYSTEM = "/etc/ssh/ssh_config"


class Unreadable(Exception):
    """A file cannot be read or makes no sense; the message says which and why."""


class Line(Value, frozen=True):
    """A keyword in lower case and its arguments; `included` are the lines of the files that an Include names."""

    keyword: str
    words: tuple[str, ...]
    where: str  # file:line
    included: tuple[Line, ...] = ()


def home() -> str:
    """The home of who runs this, as OpenSSH sees it: from the password database, not from HOME."""
    return pwd.getpwuid(os.getuid()).pw_dir


def files(config: str) -> list[str]:
    """The files that ssh would read, in its order; `config` is what -F was given, "none" for no file at all."""
    if config:
        return [] if config == "none" else [config]
    return [f"{home()}/.ssh/config", SYSTEM]


def read_all(config: str) -> list[Line]:
    """The lines of all files that exist; one that was named must. Raises Unreadable."""
    return [line for name in files(config) if config or Path(name).exists() for line in _read(name, name == SYSTEM, 0)]


def every(lines: Sequence[Line]) -> Iterator[Line]:
    """These lines and the included ones."""
    for line in lines:
        yield line
        yield from every(line.included)


def _read(name: str, system: bool, depth: int) -> list[Line]:
    if depth > _DEEPEST:
        raise Unreadable(f"{name}: files include one another too deeply")
    try:
        with Path(name).expanduser().open(errors="surrogateescape") as file:
            text = file.read(_LARGEST)
    except OSError as error:
        raise Unreadable(f"{name}: {error.strerror}") from None
    return [line for number, raw in enumerate(text.splitlines(), 1) for line in _line(raw, f"{name}:{number}", system, depth)]


def _line(raw: str, where: str, system: bool, depth: int) -> Iterator[Line]:
    text = raw.strip()
    if not text or text.startswith("#"):
        return
    keyword, rest = _keyword(text)
    try:
        words = tuple(shlex.split(rest, comments=True))
    except ValueError as error:
        raise Unreadable(f"{where}: {error}") from None
    included = tuple(_included(words, system, depth)) if keyword == "include" else ()
    yield Line(keyword, words, where, included)


def _keyword(text: str) -> tuple[str, str]:
    """Keyword and rest are parted by blanks, or by one = with blanks around it."""
    end = next((at for at, character in enumerate(text) if character in " \t="), len(text))
    rest = text[end:].lstrip(" \t")
    return text[:end].lower(), rest[1:].lstrip(" \t") if rest.startswith("=") else rest


def _included(words: Sequence[str], system: bool, depth: int) -> Iterator[Line]:
    base = "/etc/ssh" if system else f"{home()}/.ssh"
    for word in words:
        pattern = home() + word[1:] if word.startswith("~/") else word
        for name in sorted(glob.glob(str(Path(base) / pattern))):  # noqa: PTH207 - the pattern may be absolute
            yield from _read(name, system, depth + 1)
