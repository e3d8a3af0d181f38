"""The rules of a node's packet filters as they were read: iptables of both flavours, and nftables of its own.

One kernel may hold all three at once, and a packet meets them all (netfilter hooks, in the order of their priorities).
Facts of a Kernel by the name of their probe: iptables is a tuple of SavedTable (of every flavour and family that answered),
nft a tuple of NftTable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flannelscope.model.base import Value


class SavedRule(Value, frozen=True):
    """A rule of iptables-save without its `-A CHAIN`. `packets` is None where no counters were asked for."""

    text: str
    packets: int | None = None


class SavedChain(Value, frozen=True):
    """A chain of iptables-save. `policy` is ACCEPT or DROP of a built-in chain, "" of others."""

    name: str
    policy: str
    rules: tuple[SavedRule, ...] = ()


class SavedTable(Value, frozen=True):
    """A table of iptables-save: `flavour` is "nft" or "legacy", `family` 4 or 6, `name` filter, nat, mangle, raw, security."""

    flavour: str
    family: int
    name: str
    chains: Mapping[str, SavedChain] = {}


class NftChain(Value, frozen=True, kw_only=True):
    """A chain of `nft -j list ruleset`: a base chain has `hook`, `type` and `priority`. `rules` are their `expr` arrays."""

    name: str
    type: str = ""
    hook: str = ""
    priority: int = 0
    policy: str = ""
    rules: tuple[tuple[Mapping[str, Any], ...], ...] = ()


class NftTable(Value, frozen=True, kw_only=True):
    """A table of nft: `family` is ip, ip6, inet, bridge, arp or netdev. `sets` are elements of its sets and maps by name."""

    family: str
    name: str
    chains: Mapping[str, NftChain] = {}
    sets: Mapping[str, tuple[Any, ...]] = {}
