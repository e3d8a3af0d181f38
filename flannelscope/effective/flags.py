"""Command lines of Kubernetes programs, read as pflag reads them: `--flag=v`, `--flag v`, `-flag=v`, a bare `--flag`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Flags = Mapping[str, tuple[str, ...]]
"""Every value of each flag, in order; underscores in names are dashes, a bare flag has the value "true"."""


def read_flags(words: Sequence[str]) -> Flags:
    """The flags among `words`; what stands behind `sh -c` is split at blanks first."""
    found: dict[str, list[str]] = {}
    split = _words(words)
    for index, word in enumerate(split):
        if not word.startswith("-"):
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if not equals:
            follows = split[index + 1] if index + 1 < len(split) else ""
            value = follows if follows and not follows.startswith("-") else "true"
        found.setdefault(name.replace("_", "-"), []).append(value.strip("\"'"))
    return {name: tuple(values) for name, values in found.items()}


def _words(words: Sequence[str]) -> list[str]:
    if "-c" not in words:
        return list(words)
    return [part for word in words for part in word.split()]


def last(flags: Flags, name: str) -> str | None:
    """The value in effect of a flag that takes one value; None when it is absent."""
    return flags[name][-1] if name in flags else None


def listed(flags: Flags, name: str) -> tuple[str, ...]:
    """The items of a flag that takes a comma-separated list, or is repeated."""
    return tuple(item.strip() for value in flags.get(name, ()) for item in value.split(",") if item.strip())


def parts(flags: Flags, name: str) -> tuple[str, ...]:
    """The comma-separated items of a flag that takes one text: repeated, the last one wins."""
    return tuple(item.strip() for item in (last(flags, name) or "").split(",") if item.strip())


def number(flags: Flags, name: str) -> int | None:
    """The value of a numeric flag; None when it is absent, 0 (unset) or no number."""
    text = last(flags, name) or ""
    return int(text) or None if text.isascii() and text.isdigit() else None


def true(flags: Flags, name: str, default: bool = False) -> bool:
    """The value of a boolean flag, as Go's strconv.ParseBool takes it."""
    text = last(flags, name)
    return default if text is None else text.lower() in ("1", "t", "true")
