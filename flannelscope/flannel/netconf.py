"""net-conf.json, read as flanneld reads it (pkg/subnet/config.go, pkg/backend): Go's encoding/json and the code's defaults.

Keys match whatever their case and of two the later counts; a value of a wrong JSON type ends flanneld; a key that nothing
asks for is passed over in silence, which makes a misspelt one a trap. Without `Backend` the type is udp in every release.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from flannelscope.cidr import parse
from flannelscope.flannel.backends import backend_problems, near
from flannelscope.flannel.versions import Release, show_release
from flannelscope.model import Prefix, Value

Written = dict[str, tuple[str, Any]]  # case-folded key: (as written, value)

_BOOLEANS = ("EnableIPv4", "EnableIPv6", "EnableNFTables")
_NUMBERS = ("SubnetLen", "IPv6SubnetLen")
_SINCE: Mapping[str, Release] = {
    "EnableIPv4": (0, 15, 0),
    "EnableIPv6": (0, 15, 0),
    "IPv6Network": (0, 15, 0),
    "EnableNFTables": (0, 25, 0),
}
TOP_KEYS = (
    *("Network", "IPv6Network", *_BOOLEANS, *_NUMBERS, "Backend"),
    *("SubnetMin", "SubnetMax", "IPv6SubnetMin", "IPv6SubnetMax", "Networks", "IPv6Networks"),
)
_NETWORKS = {"Network": 4, "IPv6Network": 6}
_LEADING_ZERO = re.compile(r"(?:^|\.)0\d")
_KINDS = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}


class NetConf(Value, frozen=True, kw_only=True):
    """A parsed net-conf.

    `problems` say what would fail or mislead at the next start; `broken` is the first of them that ends flanneld ("" when
    it starts). `backend` is lower-cased, "udp" when absent.
    """

    network: Prefix | None = None
    ipv6_network: Prefix | None = None
    network_written: str = ""
    ipv6_network_written: str = ""
    enable_ipv4: bool = True
    enable_ipv6: bool = False
    enable_nftables: bool = False
    backend: str = "udp"
    backend_options: Mapping[str, Any] = {}  # keys lower-cased
    problems: tuple[str, ...] = ()
    broken: str = ""

    @property
    def families(self) -> frozenset[int] | None:
        """The families it enables; None where it is broken and so enables nothing that could be told."""
        if self.broken:
            return None
        return frozenset(family for family, on in ((4, self.enable_ipv4), (6, self.enable_ipv6)) if on)

    @property
    def announced_type(self) -> str:
        """The backend-type that flanneld announces with it: udp and alloc register with an empty one."""
        return "" if self.backend in ("udp", "alloc") else self.backend

    @property
    def vni(self) -> int:
        """The VXLAN network identifier (flannel's default is 1)."""
        value = self.backend_options.get("vni")
        return value if isinstance(value, int) else 1


def parse_net_conf(text: str, release: Release | None = None) -> NetConf:
    """Parse net-conf.json; what is wrong with it stands in `problems`, nothing is raised.

    `release` is the flannel that reads it: some backends and keys exist only in certain releases.
    """
    try:
        written = json.loads(text, object_pairs_hook=_fold_keys, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return _broken(f"it is not JSON: {error}" if text.strip() else "it is empty")
    if written is None:
        written = {}
    if not isinstance(written, dict):
        return _broken(f"it must be a JSON object and is {_KINDS.get(type(written), 'something else')}")
    return _Reader(written, release).result()


def _broken(problem: str) -> NetConf:
    return NetConf(problems=(problem,), broken=problem)


def _fold_keys(pairs: list[tuple[str, Any]]) -> Written:
    return {key.casefold(): (key, value) for key, value in pairs}


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON value")


class _Reader:
    """Reads one decoded object; gathers what ends flanneld apart from what only misleads."""

    def __init__(self, written: Written, release: Release | None) -> None:
        self.written = written
        self.release = release
        self.fatal: list[str] = []
        self.misleading: list[str] = []

    def result(self) -> NetConf:
        network, network_written = self.prefix("Network")
        ipv6_network, ipv6_written = self.prefix("IPv6Network")
        enabled = {key: self.boolean(key, key == "EnableIPv4") for key in _BOOLEANS}
        self.numbers()
        backend, options = self.backend()
        self.unknown_to_release()
        self.misspelt()
        if not enabled["EnableIPv4"] and not enabled["EnableIPv6"]:
            self.fatal.append('neither EnableIPv4 nor EnableIPv6 is true: flanneld ends with "none defined stack"')
        return NetConf(
            network=network,
            ipv6_network=ipv6_network,
            network_written=network_written,
            ipv6_network_written=ipv6_written,
            enable_ipv4=enabled["EnableIPv4"],
            enable_ipv6=enabled["EnableIPv6"],
            enable_nftables=enabled["EnableNFTables"],
            backend=backend,
            backend_options=options,
            problems=(*self.fatal, *self.misleading),
            broken=self.fatal[0] if self.fatal else "",
        )

    def prefix(self, key: str) -> tuple[Prefix | None, str]:
        """A network: Go's strict net.ParseCIDR (no leading zeros), host bits masked, `null` is no network."""
        if key.casefold() not in self.written:
            return None, ""
        _, value = self.written[key.casefold()]
        text = value if isinstance(value, str) else json.dumps(_unfold(value))
        found = parse(text) if isinstance(value, str) and not (":" not in text and _LEADING_ZERO.search(text)) else None
        if found is None or found.family != _NETWORKS[key]:
            self.fatal.append(f"{key} is {text!r}, which is no IPv{_NETWORKS[key]} prefix")
            return None, text
        return found, text

    def boolean(self, key: str, default: bool) -> bool:
        _, value = self.written.get(key.casefold(), (key, None))
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        self.fatal.append(f"{key} must be true or false and is {_shown(value)}")
        return default

    def numbers(self) -> None:
        """SubnetLen and its IPv6 twin mean nothing in kube mode, but a wrong type still ends flanneld."""
        for key in _NUMBERS:
            _, value = self.written.get(key.casefold(), (key, None))
            if value is not None and (type(value) is not int or value < 0):
                self.fatal.append(f"{key} must be a number and is {_shown(value)}")

    def backend(self) -> tuple[str, Mapping[str, Any]]:
        if "backend" not in self.written:
            self.misleading.append("it has no Backend: flannel then takes udp, not vxlan")
            return "udp", {}
        _, value = self.written["backend"]
        if value is None:
            value = {}
        if not isinstance(value, dict):
            self.fatal.append(f"Backend must be an object and is {_shown(value)}")
            return "", {}
        _, kind = value.get("type", ("Type", None))
        if kind is not None and not isinstance(kind, str):
            self.fatal.append(f"the Backend's Type must be a string and is {_shown(kind)}")
            return "", {}
        options = {key: (name, setting) for key, (name, setting) in value.items() if key != "type"}
        fatal, misleading = backend_problems((kind or "").lower(), options, self.release)
        self.fatal += fatal
        self.misleading += misleading
        return (kind or "").lower(), {key: setting for key, (_, setting) in options.items()}

    def unknown_to_release(self) -> None:
        if self.release is None:
            return
        for key, since in _SINCE.items():
            if key.casefold() in self.written and self.release < since:
                self.misleading.append(
                    f"{key} is known since {show_release(since)}; flannel {show_release(self.release)} passes over it"
                )

    def misspelt(self) -> None:
        """Keys at the top that look like one of flannel's and are none; quite other keys are somebody's remarks."""
        for folded, (key, _) in self.written.items():
            meant = near(folded, TOP_KEYS)
            if meant:
                self.misleading.append(f"flannel does not know the key {key!r} and passes over it; {meant} is meant?")


def _shown(value: Any) -> str:
    return f"{_KINDS.get(type(value), 'null')} ({json.dumps(_unfold(value))[:60]})"


def _unfold(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unfold(inner) for key, inner in value.values()}
    return [_unfold(inner) for inner in value] if isinstance(value, list) else value
