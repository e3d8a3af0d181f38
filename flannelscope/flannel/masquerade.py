"""flannel's masquerade rules by release and mode: pkg/network (iptables.go, v0.12 to v0.28) and pkg/trafficmngr (since v0.25).

Up to v0.19 they stand in POSTROUTING itself; v0.20 moved them into a chain; v0.21 names the node's podCIDR instead of Network
on one side of each rule for the overlay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from flannelscope.cidr import parse, show
from flannelscope.flannel.versions import Release
from flannelscope.model import Prefix
from flannelscope.model.firewall import NftTable, SavedTable

CHAIN = "FLANNEL-POSTRTG"
OWN_CHAIN: Release = (0, 20, 0)
OWN_PODCIDR: Release = (0, 21, 0)
_MULTICAST = {4: "224.0.0.0/4", 6: "ff00::/8"}
Rule = tuple[str, str, str]  # source, destination (with a ! before them where negated), target


def saved_missing(table: SavedTable, release: Release | None, network: Prefix, own: Prefix) -> tuple[str, ...]:
    """The wanted rules that a nat table lacks, in words. Of an unknown release any known rule set will do."""
    tried = [release] if release is not None else [(0, 28, 0), (0, 20, 0), (0, 19, 0)]
    return min((_missing(table, which, network, own) for which in tried), key=len)


def _missing(table: SavedTable, release: Release, network: Prefix, own: Prefix) -> tuple[str, ...]:
    inside = release >= OWN_CHAIN
    chain = table.chains.get(CHAIN if inside else "POSTROUTING")
    found = {_rule(rule.text) for rule in chain.rules} if chain is not None else set()
    lacking = [_say(rule) for rule in _wanted(release, network, own) if rule not in found]
    if inside:
        entry = table.chains.get("POSTROUTING")
        if entry is None or not any(_rule(rule.text)[2] == CHAIN for rule in entry.rules):
            lacking.insert(0, f"the jump from POSTROUTING to {CHAIN}")
    return tuple(lacking)


def _wanted(release: Release, network: Prefix, own: Prefix) -> list[Rule]:
    whole, block, many = show(network), show(own), _MULTICAST[network.family]
    if release >= OWN_PODCIDR:
        kept: list[Rule] = [(block, whole, "RETURN"), (whole, block, "RETURN")]
    else:
        kept = [(whole, whole, "RETURN")]
    return [*kept, (whole, f"!{many}", "MASQUERADE"), (f"!{whole}", block, "RETURN"), (f"!{whole}", whole, "MASQUERADE")]


def _rule(text: str) -> Rule:
    """Source, destination and target of a rule of iptables-save."""
    words = text.split()
    said = {"-s": "", "-d": "", "-j": ""}
    for place, word in enumerate(words[:-1]):
        if word in said:
            negated = "!" if place and words[place - 1] == "!" else ""
            said[word] = negated + words[place + 1]
    return _canonical(said["-s"]), _canonical(said["-d"]), said["-j"]


def _canonical(text: str) -> str:
    prefix = parse(text.lstrip("!"))
    return text if prefix is None else f"{'!' if text.startswith('!') else ''}{show(prefix)}"


def _say(rule: Rule) -> str:
    source, destination, target = (part.replace("!", "! ") for part in rule)
    return f"{source} to {destination}: {target}"


def duplicates(table: SavedTable) -> list[str]:
    """Rules of flannel's that stand more than once, or jumps to its chain."""
    found: list[str] = []
    for name in (CHAIN, "POSTROUTING"):
        chain = table.chains.get(name)
        texts = Counter(rule.text for rule in chain.rules) if chain is not None else Counter()
        found += [text for text, number in texts.items() if number > 1 and (name == CHAIN or "flannel" in text.lower())]
    return found


def native_missing(tables: Iterable[NftTable], family: int, network: Prefix, own: Prefix) -> tuple[str, ...]:
    """What flannel's own nft table lacks: the table, its chain, a masquerade, or the prefixes it must name."""
    wanted = ("ip" if family == 4 else "ip6", f"flannel-ipv{family}")
    table = next((table for table in tables if (table.family, table.name) == wanted), None)
    chain = table.chains.get("postrtg") if table is not None else None
    if chain is None:
        return (f"the table {wanted[0]} {wanted[1]} with its chain postrtg",)
    named = {prefix for rule in chain.rules for statement in rule for prefix in _prefixes(statement)}
    lacking = [f"rules for {show(prefix)}" for prefix in (network, own) if prefix not in named]
    if not any("masquerade" in statement for rule in chain.rules for statement in rule):
        lacking.append("masquerade")
    return tuple(lacking)


def _prefixes(value: Any) -> Iterable[Prefix]:
    if isinstance(value, Mapping):
        inner = value.get("prefix")
        if isinstance(inner, Mapping):
            found = parse(f"{inner.get('addr')}/{inner.get('len')}")
            if found is not None:
                yield found
        for part in value.values():
            yield from _prefixes(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _prefixes(part)
