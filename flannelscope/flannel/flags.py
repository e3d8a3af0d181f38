"""flanneld's settings as its container has them: arguments, a shell line around them, or FLANNELD_ variables.

Go's flag package: one dash or two, `-name=value` or `-name value`; booleans stand alone. The environment
(FLANNELD_KUBE_SUBNET_MGR) counts only where no argument says otherwise.
"""

from __future__ import annotations

import shlex
from itertools import zip_longest

from flannelscope.model import Container

_BOOLEANS = frozenset({"kube-subnet-mgr", "ip-masq", "iptables-forward-rules", "version", "set-node-network-unavailable"})
_TRUE = ("1", "t", "T", "true", "TRUE", "True")


def flags(container: Container) -> dict[str, tuple[str, ...]]:
    """Every flag given, with its values in order; a boolean one without value has "true"."""
    found: dict[str, list[str]] = {}
    words = _words((*container.command, *container.args))
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        name, given, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or not name:
            continue
        if not given:
            value = "true" if name in _BOOLEANS or not following or following.startswith("-") else following
        found.setdefault(name, []).append(value)
    for name, value in environment(container).items():
        found.setdefault(name, [value])
    return {name: tuple(values) for name, values in found.items()}


def environment(container: Container) -> dict[str, str]:
    """Flags by its FLANNELD_ variables; "" where the value is not told (a ConfigMap has it) or empty, which sets nothing."""
    return {name.removeprefix("FLANNELD_").lower().replace("_", "-"): value for name, value in container.env.items()}


def of_process(argv: tuple[str, ...]) -> dict[str, str]:
    """Flags on the command line of a process that runs; the last of several values."""
    found: dict[str, str] = {}
    for word, following in zip_longest(argv[1:], argv[2:], fillvalue=""):
        if word.startswith("-"):
            name, given, value = word.lstrip("-").partition("=")
            alone = name in _BOOLEANS or not following or following.startswith("-")
            found[name] = value if given else "true" if alone else following
    return found


def _words(given: tuple[str, ...]) -> list[str]:
    """The words of a command line; those of a shell's `-c` script are looked into."""
    found: list[str] = []
    for word in given:
        if "flanneld" in word and any(blank in word for blank in " \n\t"):
            try:
                found += shlex.split(word)
            except ValueError:  # an open quote: the shell, not flanneld, would complain
                found += word.split()
        elif word != "-c":
            found.append(word)
    return found


def is_true(values: tuple[str, ...]) -> bool:
    """Whether a boolean flag is on: its last value decides."""
    return bool(values) and values[-1] in _TRUE
