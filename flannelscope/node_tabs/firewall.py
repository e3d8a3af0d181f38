"""Firewall: what forwards, drops and masquerades packets of pods, in all the worlds of rules a kernel has side by side."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from flannelscope.facts import Facts
from flannelscope.model import Kernel, NftTable, SavedTable
from flannelscope.node_tabs import line, listed, tab
from flannelscope.node_views import Line, TableView

SYSCTLS = ("forward", "rp_filter", "bridge-nf", "gc_thresh", "nf_conntrack_max")


@tab(4, "Firewall")
def firewall(facts: Facts, kernel: Kernel) -> Iterable[TableView]:
    """iptables of both flavours, nftables' own tables, and the sysctls that decide beside them."""
    yield listed(kernel, "iptables", "iptables", ("flavour", "table", "chain", "packets", "rule"), _saved, none="no rule")
    yield listed(kernel, "nft", "nftables' own tables", ("table", "chain", "hook", "priority", "rule"), _nft, none="none")
    yield listed(kernel, "sysctls", "sysctls", ("name", "value"), _sysctls)


def _saved(tables: tuple[SavedTable, ...]) -> Iterable[Line]:
    for table in tables:
        where = (f"{table.flavour} IPv{table.family}", table.name)
        for chain in table.chains.values():
            if chain.policy:
                yield line(*where, chain.name, "", f"policy {chain.policy}", role="" if chain.policy == "ACCEPT" else "warn")
            for rule in chain.rules:
                yield line(*where, chain.name, "" if rule.packets is None else f"{rule.packets:,}", rule.text)


def _nft(tables: tuple[NftTable, ...]) -> Iterable[Line]:
    for table in tables:
        for chain in table.chains.values():
            where = (f"{table.family} {table.name}", chain.name, chain.hook, chain.priority if chain.hook else "")
            if chain.policy:
                yield line(*where, f"policy {chain.policy}", role="" if chain.policy == "accept" else "warn")
            for rule in chain.rules:
                yield line(*where, json.dumps(rule, separators=(",", ":")))


def _sysctls(values: Mapping[str, str]) -> Iterable[Line]:
    for name in sorted(values, key=lambda name: (not any(word in name for word in SYSCTLS), name)):
        yield line(name.replace("/", "."), values[name])
