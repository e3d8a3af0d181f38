"""flannel's backends: in which releases each exists, and which settings it reads (pkg/backend/*; names are Go's fields)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from flannelscope.flannel.versions import Release, show_release

_FOREVER: Release = (10**6, 0, 0)
_FIRST: Release = (0, 0, 0)

# The first release with the backend, and the first without it again.
BACKENDS: Mapping[str, tuple[Release, Release]] = {
    "vxlan": (_FIRST, _FOREVER),
    "host-gw": (_FIRST, _FOREVER),
    "udp": (_FIRST, _FOREVER),
    "alloc": (_FIRST, _FOREVER),
    "ipip": (_FIRST, _FOREVER),
    "ipsec": (_FIRST, _FOREVER),
    "extension": (_FIRST, _FOREVER),
    "tencent-vpc": (_FIRST, _FOREVER),
    "wireguard": ((0, 16, 0), _FOREVER),
    "gce": (_FIRST, (0, 20, 0)),
    "aws-vpc": (_FIRST, (0, 20, 0)),
    "ali-vpc": (_FIRST, (0, 20, 0)),
}

# What a setting must be in JSON. Cloud backends are not listed: nothing is said about their settings.
SETTINGS: Mapping[str, Mapping[str, type]] = {
    "vxlan": {
        "VNI": int,
        "Port": int,
        "GBP": bool,
        "Learning": bool,
        "DirectRouting": bool,
        "MTU": int,
        "MacPrefix": str,
        "Name": str,
    },
    "host-gw": {"Name": str, "DNSServerList": str},
    "ipip": {"DirectRouting": bool},
    "wireguard": {
        "ListenPort": int,
        "ListenPortV6": int,
        "MTU": int,
        "PSK": str,
        "Mode": str,
        "PersistentKeepaliveInterval": int,
    },
    "udp": {"Port": int},
    "ipsec": {"PSK": str, "UDPEncap": bool, "ESPProposal": str},
    "alloc": {},
}
_SINCE: Mapping[tuple[str, str], Release] = {
    ("vxlan", "Learning"): (0, 12, 0),
    ("vxlan", "MTU"): (0, 21, 3),
}
_MODES = ("separate", "auto", "ipv4", "ipv6")
_RANGES = {"VNI": 2**24 - 1, "Port": 65535, "ListenPort": 65535, "ListenPortV6": 65535}
_WORDS = {int: "a number", bool: "true or false", str: "a string"}
_EVERY_SETTING = frozenset(name.casefold() for settings in SETTINGS.values() for name in settings)


def near(word: str, known: Iterable[str]) -> str:
    """The known name that `word` was probably meant to be, "" when it is one of them or like none."""
    names = {name.casefold(): name for name in known}
    if word.casefold() in names:
        return ""
    close = difflib.get_close_matches(word.casefold(), names, n=1, cutoff=0.75)
    return names[close[0]] if close else ""


def backend_problems(kind: str, options: Mapping[str, tuple[str, Any]], release: Release | None) -> tuple[list[str], list[str]]:
    """What ends flanneld and what misleads in a Backend of this (lower-cased) type; `options` by case-folded key."""
    if kind not in BACKENDS:
        meant = near(kind, BACKENDS)
        return [f"flannel knows no backend of type {kind!r}" + (f"; {meant} is meant?" if meant else "")], []
    since, until = BACKENDS[kind]
    fatal: list[str] = []
    if release is not None and not since <= release < until:
        fatal.append(f"flannel {show_release(release)} has no {kind} backend")
    settings = SETTINGS.get(kind)
    if settings is None:
        return fatal, []
    misleading: list[str] = []
    by_key = {name.casefold(): name for name in settings}
    for key, (written, value) in options.items():
        if key in by_key:
            fatal += _wrong_value(by_key[key], settings[by_key[key]], value)
            misleading += _too_old(kind, by_key[key], release)
        elif near(key, settings) or key not in _EVERY_SETTING:
            meant = near(key, settings)
            misleading.append(
                f"the {kind} backend has no setting {written!r} and passes over it" + (f"; {meant} is meant?" if meant else "")
            )
    return fatal, misleading


def _wrong_value(name: str, wanted: type, value: Any) -> list[str]:
    if value is None:
        return []
    if type(value) is not wanted:
        return [f"the Backend's {name} must be {_WORDS[wanted]} and is {value!r:.60}"]
    if isinstance(value, int) and name in _RANGES and not 0 <= value <= _RANGES[name]:
        return [f"the Backend's {name} is {value} and must be at most {_RANGES[name]}"]
    if name == "Mode" and value not in _MODES:
        return [f"the Backend's Mode is {value!r:.60} and must be one of {', '.join(_MODES)}"]
    return []


def _too_old(kind: str, name: str, release: Release | None) -> list[str]:
    since = _SINCE.get((kind, name))
    if since is None or release is None or release >= since:
        return []
    return [f"{name} is known since {show_release(since)}; flannel {show_release(release)} passes over it"]
