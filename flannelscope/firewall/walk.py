"""Follows a packet through base chains until one surely drops it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from flannelscope.firewall.packet import Packet, Sure
from flannelscope.firewall.rules import (
    ACCEPT,
    DROP,
    GOTO,
    JUMP,
    MARK,
    PERHAPS,
    RETURN,
    UNTRACK,
    BaseChain,
    Deed,
    of_engine,
)
from flannelscope.model import Value

_DEEPEST = 32  # the kernel's own limit is 16 levels of jumps
_DOUBTS = 5


class Drop(Value, frozen=True):
    """What drops a packet: the base chain, the chain in its table with the rule, and the rule, "" for the chain's policy."""

    base: BaseChain
    chain: str
    rule: str

    @property
    def words(self) -> str:
        """How to name it in a sentence."""
        place = f"{self.base.flavour}, table {self.base.table}, chain {self.chain}"
        return f"{self.rule} ({place})" if self.rule else f"policy drop ({place})"


class Outcome(Value, frozen=True):
    """`drop` is what surely drops the packet; without, `doubts` are rules that perhaps do."""

    drop: Drop | None = None
    doubts: tuple[str, ...] = ()


def walk(chains: Iterable[BaseChain], packet: Packet) -> Outcome:
    """Follow the packet through these base chains. A drop of what enforces NetworkPolicies is policy and counts as none."""
    doubts: list[str] = []
    for base in chains:
        steps = _Walk(base, _at(base.hook, packet), doubts)
        dropped = steps.through()
        if dropped is not None:
            return Outcome(dropped)
        packet = replace(packet, marked=steps.packet.marked, state=steps.packet.state)
    return Outcome(None, tuple(dict.fromkeys(doubts))[:_DOUBTS])


def _at(hook: str, packet: Packet) -> Packet:
    """Before routing no outgoing device is known, after it an incoming one is of no matter to rules."""
    return replace(packet, outgoing="") if hook == "prerouting" else packet


class _Walk:
    """One base chain. `perhaps` is set once some rule may have accepted the packet: a later drop is no longer sure."""

    def __init__(self, base: BaseChain, packet: Packet, doubts: list[str]) -> None:
        self.base = base
        self.packet = packet
        self.doubts = doubts
        self.perhaps = False

    def through(self) -> Drop | None:
        """What drops the packet in this base chain."""
        end = self.chain(self.base.name, True, 0)
        if isinstance(end, Drop):
            return end
        if end != ACCEPT and self.base.policy == DROP:
            return self.drop(True, self.base.name, "")
        return None

    def drop(self, sure: Sure, chain: str, rule: str) -> Drop | None:
        """The drop where it is sure; else it is noted."""
        found = Drop(self.base, chain, rule)
        if sure and not self.perhaps:
            return found
        self.doubts.append(found.words)
        return None

    def chain(self, name: str, sure: Sure, depth: int) -> Drop | str:
        """How a chain ends for the packet: a Drop, ACCEPT, or RETURN to where it came from."""
        for step in (self.base.steps_of(name) or ()) if depth < _DEEPEST else ():
            for deed in step.deeds(self.packet):
                certain = sure if deed.sure else deed.sure
                end = self.do(deed, certain, name, step.text, depth)
                if end is not None and certain:
                    return end
                if deed.verdict in (RETURN, GOTO) and certain is not False:
                    sure = None  # what follows in this chain is met perhaps only
        return RETURN

    def do(self, deed: Deed, sure: Sure, chain: str, rule: str, depth: int) -> Drop | str | None:
        """What a deed ends with, None where the packet goes on."""
        if deed.verdict == DROP:
            return self.drop(sure, chain, rule) or (None if sure is None else ACCEPT)
        if deed.verdict == RETURN:
            return RETURN
        if deed.verdict == ACCEPT:
            self.perhaps = self.perhaps or not sure
            return ACCEPT
        if deed.verdict in (JUMP, GOTO):
            return self.jump(deed, sure, depth)
        if deed.verdict == PERHAPS:
            self.perhaps = True
        elif deed.verdict == MARK:
            self.packet = replace(self.packet, marked=True)
        elif deed.verdict == UNTRACK and sure:
            self.packet = replace(self.packet, state="untracked")
        return None

    def jump(self, deed: Deed, sure: Sure, depth: int) -> Drop | str | None:
        """Into another chain; what enforces NetworkPolicies may accept there, and marks what it has seen."""
        if of_engine(deed.target):
            self.perhaps = True
            self.packet = replace(self.packet, marked=True)
            return None
        if self.base.steps_of(deed.target) is None:
            return None  # a target that is no chain: LOG, TCPMSS, TRACE, … let the packet go on
        end = self.chain(deed.target, sure, depth + 1)
        return end if end != RETURN or deed.verdict == GOTO else None
