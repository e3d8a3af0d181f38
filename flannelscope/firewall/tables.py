"""The base chains of a node, of all its packet filters, in the order in which a packet meets them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from flannelscope.firewall import iptables, nft
from flannelscope.firewall.rules import ENGINE_TABLES, BaseChain, Step
from flannelscope.model.firewall import NftTable, SavedTable

_HOOKS = {"PREROUTING": "prerouting", "INPUT": "input", "FORWARD": "forward", "OUTPUT": "output", "POSTROUTING": "postrouting"}
_PRIORITIES = {"raw": -300, "mangle": -150, "filter": 0, "security": 50}  # include/uapi/linux/netfilter_ipv4.h
_FAMILIES = {4: ("ip", "inet"), 6: ("ip6", "inet")}


def base_chains(saved: Iterable[SavedTable], native: Iterable[NftTable], family: int, hooks: Sequence[str]) -> list[BaseChain]:
    """Base chains that filter packets of a family on these hooks, by hook in their given order, then priority.

    nft lists tables of iptables-nft too, with matches that it cannot word: those are read from `saved` alone.
    """
    known = [table for table in saved if table.family == family]
    written = {table.name for table in known if table.flavour == "nft"}
    found = [chain for table in known for chain in _of_saved(table)]
    for table in native:
        by_iptables = table.family == ("ip" if family == 4 else "ip6") and table.name in written
        if table.family in _FAMILIES[family] and not by_iptables and table.name not in ENGINE_TABLES:
            found += _of_native(table)
    chosen = [chain for chain in found if chain.hook in hooks]
    return sorted(chosen, key=lambda chain: (hooks.index(chain.hook), chain.priority))


def _of_saved(table: SavedTable) -> Iterable[BaseChain]:
    program = f"{'iptables' if table.family == 4 else 'ip6tables'}-{table.flavour}"
    for chain in table.chains.values():
        if table.name in _PRIORITIES and chain.name in _HOOKS and chain.policy:
            yield BaseChain(
                flavour=program,
                table=table.name,
                name=chain.name,
                hook=_HOOKS[chain.name],
                priority=_PRIORITIES[table.name],
                policy=chain.policy.lower(),
                steps_of=partial(_saved_steps, table),
                show=f"{program} -t {table.name} -S {chain.name}",
            )


def _saved_steps(table: SavedTable, name: str) -> Sequence[Step] | None:
    chain = table.chains.get(name)
    return None if chain is None else [iptables.step(rule.text) for rule in chain.rules]


def _of_native(table: NftTable) -> Iterable[BaseChain]:
    steps_of: Callable[[str], Sequence[Step] | None] = partial(_native_steps, table)
    for chain in table.chains.values():
        if chain.hook and chain.type in ("filter", "route"):
            yield BaseChain(
                flavour="nft",
                table=f"{table.family} {table.name}",
                name=chain.name,
                hook=chain.hook,
                priority=chain.priority,
                policy=chain.policy or "accept",
                steps_of=steps_of,
                show=f"nft list table {table.family} {table.name}",
            )


def _native_steps(table: NftTable, name: str) -> Sequence[Step] | None:
    chain = table.chains.get(name)
    return None if chain is None else [nft.step(rule, table.sets) for rule in chain.rules]
