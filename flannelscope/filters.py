"""A member's packet filters as checks ask them: what the rules read on the node would do with a packet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from flannelscope.firewall import Outcome, Packet, base_chains, walk
from flannelscope.here import Here, NotRead
from flannelscope.model import Evidence, NftTable, SavedTable
from flannelscope.probes.iptables import unseen

FORWARDING = ("prerouting", "forward", "postrouting")


def saved_tables(here: Here) -> tuple[SavedTable, ...]:
    """iptables' tables of both flavours. Raises NotRead where they were not read."""
    return cast("tuple[SavedTable, ...]", here.fact("iptables", "iptables rules"))


def nft_tables(here: Here) -> tuple[NftTable, ...]:
    """nft's tables. Raises NotRead where they were not read."""
    return cast("tuple[NftTable, ...]", here.fact("nft", "nft rules"))


def unseen_rules(here: Here) -> str:
    """Which flavours of iptables may have rules that were not read, in words; "" where none."""
    said = here.kernel.raw.get("iptables")
    missed = unseen(said) if said is not None else ()
    programs = [f"{'iptables' if family == 4 else 'ip6tables'}-{flavour}" for flavour, family in missed]
    return f"rules of {', '.join(programs)} were not read" if missed else ""


def follow(here: Here, packets: Sequence[Packet], *hooks: str) -> Iterator[tuple[Packet, Outcome]]:
    """What the filters on these hooks do with each packet. Raises NotRead where some of them were not read."""
    found, reasons = False, []
    tables: list[tuple[SavedTable, ...] | tuple[NftTable, ...]] = []
    for read in (saved_tables, nft_tables):
        try:
            tables.append(read(here))
            found = True
        except NotRead as error:
            tables.append(())
            reasons.append(str(error))
    saved, native = cast("tuple[SavedTable, ...]", tables[0]), cast("tuple[NftTable, ...]", tables[1])
    chains = {family: base_chains(saved, native, family, hooks) for family in {p.family for p in packets}} if found else {}
    for packet in packets if found else ():
        yield packet, walk(chains[packet.family], packet)
    reasons += [reason] if (reason := unseen_rules(here)) else []
    if reasons:
        raise NotRead("; ".join(dict.fromkeys(reasons)))


def proofs(here: Here, outcome: Outcome) -> tuple[Evidence, ...]:
    """What drops the packet, with the command that shows the rules around it."""
    drop = outcome.drop
    if drop is None:
        return ()
    probe = "nft" if drop.base.flavour == "nft" else "iptables"
    where = f"{drop.base.flavour}, table {drop.base.table}, chain {drop.chain}"
    return (here.proof(f"rule in {where}", drop.rule or "policy drop, and no rule before accepts", probe, drop.base.show),)
