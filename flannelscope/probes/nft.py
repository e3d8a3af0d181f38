"""The whole rule set of nftables, of whomever: of iptables' newer flavour too, but its own tables above all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from flannelscope.model.firewall import NftChain, NftTable
from flannelscope.probes import Parsed, Probe, Unparsable, Way
from flannelscope.probes.iptables import NFT


class _Table:
    """A table while its objects are read."""

    def __init__(self) -> None:
        self.chains: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, list[tuple[Mapping[str, Any], ...]]] = {}
        self.sets: dict[str, tuple[Any, ...]] = {}

    def take(self, kind: str, item: dict[str, Any]) -> None:
        """An object of it; raises KeyError or TypeError where it has another shape."""
        if kind == "chain":
            self.chains[str(item["name"])] = item
        elif kind == "rule":
            expr = tuple(part for part in item["expr"] if isinstance(part, dict))
            self.rules.setdefault(str(item["chain"]), []).append(expr)
        elif kind in ("set", "map"):
            self.sets[str(item["name"])] = _list(item.get("elem", ()))
        elif kind == "element":
            name = str(item["name"])
            self.sets[name] = (*self.sets.get(name, ()), *_list(item.get("elem", ())))

    def value(self, family: str, name: str) -> NftTable:
        """The table; a rule's chain exists even where it was not listed."""
        names = dict.fromkeys((*self.chains, *self.rules))
        chains = {chain: _chain(chain, self.chains.get(chain, {}), self.rules.get(chain, [])) for chain in names}
        return NftTable(family=family, name=name, chains=chains, sets=self.sets)


def _list(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _chain(name: str, item: Mapping[str, Any], rules: list[tuple[Mapping[str, Any], ...]]) -> NftChain:
    priority = item.get("prio", 0)
    return NftChain(
        name=name,
        type=str(item.get("type", "")),
        hook=str(item.get("hook", "")),
        priority=priority if isinstance(priority, int) else 0,
        policy=str(item.get("policy", "")),
        rules=tuple(rules),
    )


_TAKEN = ("chain", "rule", "set", "map", "element")
_ASIDE = (
    "metainfo",
    "flowtable",
    "counter",
    "quota",
    "limit",
    "ct helper",
    "ct timeout",
    "ct expectation",
    "secmark",
    "synproxy",
)


def parse(output: bytes) -> Parsed[tuple[NftTable, ...]]:
    """The tables; raises Unparsable."""
    try:
        items = msgspec.json.decode(output.decode("utf-8", "replace"))["nftables"]
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError, IndexError):
        raise Unparsable("this is no rule set of nft -j") from None
    if not isinstance(items, list):
        raise Unparsable("this is no rule set of nft -j")
    found: dict[tuple[str, str], _Table] = {}
    unparsed = tuple(_shown(item) for item in items if not _take(item, found))
    return Parsed(tuple(table.value(*key) for key, table in found.items()), unparsed)


def _take(item: Any, found: dict[tuple[str, str], _Table]) -> bool:
    """Whether an object of the list was understood."""
    if not isinstance(item, dict) or len(item) != 1:
        return False
    kind, inner = next(iter(item.items()))
    try:
        if kind == "table":
            found.setdefault((str(inner["family"]), str(inner["name"])), _Table())
        elif kind in _TAKEN:
            found.setdefault((str(inner["family"]), str(inner["table"])), _Table()).take(kind, inner)
    except (KeyError, TypeError, AttributeError):
        return False
    return kind in (*_TAKEN, *_ASIDE, "table")


def _shown(item: Any) -> str:
    return msgspec.json.encode(item).decode()


PROBE = Probe(
    "nft",
    "nftables rules",
    (
        Way(parse, argv=("nft", "-j", "list", "ruleset"), when=NFT, root=True),
        Way(parse, shell="printf '{\"nftables\":[]}'", when=f"! {{ {NFT}; }}"),
    ),
    limit=8_000_000,
)
