"""How a kernel looks a destination up: rules in their order, in each table the longest prefix, as ip-rule(8) and ip-route(8) say.

What is asked is always the same: by which route do the packets of pods on this node leave for a peer's podCIDR? Nearly every
route is a peer's own and is found by its text; only the others are compared with all podCIDRs, and these are few.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

from flannelscope.cidr import BITS, contains, last, parse, show
from flannelscope.model import Prefix, Route, Rule, Value

MAIN = "main"
_REFUSED = ("blackhole", "prohibit", "unreachable")  # kinds of rules and routes that end a packet
_SERVICES = "kube-ipvs0"  # kube-proxy's device in ipvs mode: it holds an address of every Service
_PASSED = ("throw", "multicast", "broadcast")  # no unicast packet of a pod ends there, or the look-up goes on
_POD_SIDE = ("br", "cali", "cni", "lxc", "veth")  # devices by which packets of pods may come in
_IGNORED = frozenset(("realms", "protocol", "proto", "unresolved", "[detached]", "suppress_ifgroup"))


class Blocks:
    """podCIDRs by their number: which of them a prefix holds, and which hold it. None stands for no podCIDR."""

    def __init__(self, prefixes: Sequence[Prefix | None], texts: Sequence[str]) -> None:
        """`texts` are the canonical texts of `prefixes`."""
        self.prefixes = prefixes
        self.index: dict[str, list[int]] = {}
        self._by_length: dict[int, dict[int, list[int]]] = {}
        self._parsed: dict[str, Prefix | None] = {}
        for number, prefix in enumerate(prefixes):
            if prefix is not None:
                self.index.setdefault(texts[number], []).append(number)
                self._by_length.setdefault(prefix.length, {}).setdefault(prefix.base, []).append(number)
        bases = sorted((prefix.base, number) for number, prefix in enumerate(prefixes) if prefix is not None)
        self.longest = max(self._by_length, default=0)
        self._bases = [base for base, _ in bases]
        self._sorted = [number for _, number in bases]
        self._first = min(self._bases, default=0)
        self._last = max((last(prefix) for prefix in prefixes if prefix is not None), default=-1)

    def parsed(self, text: str) -> Prefix | None:
        """The prefix of a text, remembered: nodes share most of theirs."""
        if text not in self._parsed:
            self._parsed[text] = parse(text)
        return self._parsed[text]

    def holding(self, inner: Prefix) -> list[int]:
        """Those that contain `inner` and are larger."""
        bits = BITS[inner.family]
        return [
            number
            for length, bases in self._by_length.items()
            if length < inner.length
            for number in bases.get(inner.base >> (bits - length) << (bits - length), ())
        ]

    def near(self, prefix: Prefix) -> bool:
        """Whether it lies between the first and the last of them."""
        return self._first <= prefix.base <= self._last

    def within(self, outer: Prefix) -> list[int]:
        """Those inside `outer`, and equal ones."""
        end = last(outer)
        found = self._sorted[bisect_left(self._bases, outer.base) : bisect_right(self._bases, end)]
        return [number for number in found if (prefix := self.prefixes[number]) is not None and contains(outer, prefix)]


class Step(Value, frozen=True, kw_only=True):
    """A rule that the packets of pods meet: look into `table`, pass over prefixes no longer than `suppressed`.

    `only` are the destinations it is for (None: all). `kind` is that of a rule without table: blackhole, prohibit, …
    `sure` is False where it depends on what is not known of a packet. `priority` and `selector` are the rule's.
    """

    table: str
    only: Prefix | None = None
    suppressed: int = -1
    kind: str = ""
    sure: bool = True
    priority: int = 0
    selector: str = ""


def steps(rules: Iterable[Rule], family: int, own: Prefix | None) -> tuple[Step, ...]:
    """The rules that concern unmarked packets from the podCIDR `own`, by priority."""
    found = (_step(rule, own) for rule in sorted(rules, key=lambda r: r.priority) if rule.family == family)
    return tuple(step for step in found if step is not None)


def _step(rule: Rule, own: Prefix | None) -> Step | None:
    words = [*rule.selector.split(), *rule.action.split()]
    negated = bool(words) and words[0] == "not"
    applies: bool | None = True  # None: it depends
    only, suppressed = None, -1
    rest = iter(words[1:] if negated else words)
    for word in rest:
        if word in ("from", "to"):
            prefix = _prefix(next(rest, "all"))
            if word == "to":
                only = prefix
            else:
                applies = _both(applies, _from(prefix, own))
        elif word in ("fwmark", "iif", "oif", "ipproto", "sport", "dport", "uidrange", "tos", "dsfield", "tun_id"):
            value = next(rest, "")
            applies = _both(applies, _selected(word, value))
        elif word.startswith("suppress_prefixlen"):
            suppressed = int(number) if (number := next(rest, "0")).isdigit() else 0
        elif word in _IGNORED:
            next(rest, "")
        elif word == "goto" or word.startswith(("l3mdev", "[l3mdev")):
            applies = None if word == "goto" else False
    if negated:
        # "not" turns all conditions of a rule together; one with a destination is true of all others then
        applies, only = (None, None) if only is not None or applies is None else (not applies, None)
    if applies is False or (not rule.table and not rule.action):
        return None
    kind = "" if rule.table else rule.action.split()[0]
    if kind == "nop":
        return None
    return Step(
        table=rule.table,
        only=only,
        suppressed=suppressed,
        kind=kind,
        sure=applies is True,
        priority=rule.priority,
        selector=rule.selector,
    )


def _both(one: bool | None, other: bool | None) -> bool | None:
    return False if one is False or other is False else None if one is None or other is None else True


def _prefix(text: str) -> Prefix | None:
    return None if text == "all" else parse(text if "/" in text else f"{text}/{128 if ':' in text else 32}")


def _from(prefix: Prefix | None, own: Prefix | None) -> bool | None:
    if prefix is None or (own is not None and contains(prefix, own)):
        return True
    return None if own is None or contains(own, prefix) else False


def _selected(word: str, value: str) -> bool | None:
    """Whether packets of pods are meant: they carry no mark, and no device is bound; the rest depends on the packet."""
    if word == "fwmark":
        return value.partition("/")[0] in ("0", "0x0")
    if word == "iif":
        return True if value in ("cni0", "cbr0") else None if value.startswith(_POD_SIDE) else False
    return False if word in ("oif", "tun_id") else None


class Tables:
    """The routes of one node and family that its rules use, with what stands in the way of each podCIDR."""

    def __init__(self, routes: Iterable[Route], chain: Sequence[Step], family: int, blocks: Blocks) -> None:
        """`chain` as `steps` gives it; routes in tables that no step names are passed over."""
        self.blocks = blocks
        self.exact: dict[str, Route] = {}
        self.others: list[Route] = []  # main's and other tables' that are no podCIDR's in main
        self.chain = chain
        index, exact, others = blocks.index, self.exact, self.others
        for route in routes:
            if route.family == family and (not route.dead or route.further):
                destination = route.destination
                if destination in index and route.table == MAIN:
                    if destination not in exact or route.metric < exact[destination].metric:
                        exact[destination] = route
                else:
                    others.append(route)
        self.instead: dict[int, Route] = {}  # a whole podCIDR is taken by an earlier table, or refused by a rule
        self.ruled: dict[int, Step] = {}  # the rule that leads there
        self.parts: dict[int, list[Route]] = {}  # parts of a podCIDR are
        self.doubt: dict[int, Route | Step] = {}  # rules that may or may not apply lead elsewhere
        self._decided: set[int] = set()  # a rule for these destinations sends them to main before other tables
        self._sort()

    def _sort(self) -> None:
        self._by_table: dict[str, list[tuple[Prefix, Route]]] = {}
        self._wide: dict[str, list[tuple[Prefix, Route]]] = {}  # those that can hold a podCIDR
        used = {step.table for step in self.chain}
        for route in self.others:
            if route.table in used and route.kind not in _PASSED:
                prefix = self.blocks.parsed(route.destination)
                if prefix is not None and (route.device != _SERVICES or self.blocks.near(prefix)):
                    self._by_table.setdefault(route.table, []).append((prefix, route))
        for entries in self._by_table.values():
            entries.sort(key=_shortest_last)
        longest = self.blocks.longest
        self._wide = {name: [e for e in entries if e[0].length <= longest] for name, entries in self._by_table.items()}
        early = True
        for step in self.chain:
            if step.table == MAIN and step.sure and step.only is not None:
                self._decided.update(self.blocks.within(step.only))
            if step.table == MAIN and step.sure and step.only is None:
                if early:
                    self._inside(self._by_table.get(MAIN, ()), step)
                early = False
            elif early and step.table != MAIN:
                self._before_main(step)

    def _inside(self, entries: Iterable[tuple[Prefix, Route]], step: Step) -> None:
        for prefix, route in entries:
            if prefix.length:
                for number in self.blocks.holding(prefix):
                    if number in self._decided and step.table != MAIN:
                        continue
                    if step.sure:
                        self.parts.setdefault(number, []).append(route)
                    else:
                        self.doubt[number] = route

    def _before_main(self, step: Step) -> None:
        """Tables that are looked at before main: whatever route they have for a podCIDR is taken."""
        if step.kind:
            self._refuse(step)
            return
        entries = self._by_table.get(step.table, ())
        self._inside(entries, step)
        for prefix, route in entries:
            if prefix.length > step.suppressed:
                for number in self._meant(step, self.blocks.within(prefix)):
                    if step.sure:
                        if number not in self.instead:
                            self.instead[number], self.ruled[number] = route, step
                    else:
                        self.doubt[number] = route

    def _refuse(self, step: Step) -> None:
        """A rule that ends packets. Of one that may not apply, or is for a part of a podCIDR, nothing is sure."""
        sure = step.sure and step.kind in _REFUSED
        for number in self._meant(step, range(len(self.blocks.prefixes))):
            if not sure:
                self.doubt[number] = step
            elif number not in self.instead and (prefix := self.blocks.prefixes[number]) is not None:
                ending = Route(family=prefix.family, destination=show(prefix), kind=step.kind, table="")
                self.instead[number], self.ruled[number] = ending, step
        if step.only is not None:
            self.doubt.update((number, step) for number in self.blocks.holding(step.only) if number not in self._decided)

    def _meant(self, step: Step, numbers: Iterable[int]) -> list[int]:
        """Those of these podCIDRs for which the rule is."""
        prefixes, only = self.blocks.prefixes, step.only
        known = ((number, prefixes[number]) for number in numbers)
        return [
            number
            for number, prefix in known
            if prefix is not None and number not in self._decided and (only is None or contains(only, prefix))
        ]

    def covering(self, inner: Prefix) -> Route | None:
        """The route that is taken for `inner` where it has none of its own: the longest in the first table that has one."""
        return self._first(self._wide, inner)

    def _first(self, tables: Mapping[str, Sequence[tuple[Prefix, Route]]], inner: Prefix) -> Route | None:
        for step in self.chain:
            if step.sure and (step.only is None or contains(step.only, inner)):
                for prefix, route in tables.get(step.table, ()):
                    if prefix.length > step.suppressed and contains(prefix, inner):
                        return route
        return None

    def way(self, address: Prefix) -> Route | None:
        """The route to an address (a Prefix of full length), None where there is none."""
        return self._first(self._by_table, address)

    def on_link(self, address: Prefix) -> bool | None:
        """Whether the route to an address (a Prefix of full length) has no gateway; None without a route."""
        route = self.way(address)
        return None if route is None or route.kind != "unicast" else not route.gateway


def _shortest_last(entry: tuple[Prefix, Route]) -> tuple[int, int]:
    return -entry[0].length, entry[1].metric
