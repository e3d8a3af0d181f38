"""Rules of `nft -j list ruleset` as steps: the expressions of libnftables-json(5) that forwarding is ruled with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from flannelscope.cidr import last, parse, parse_address
from flannelscope.firewall.packet import Packet, Sure, both, device, opposite, within
from flannelscope.firewall.rules import ACCEPT, DROP, GOTO, JUMP, MARK, PERHAPS, RETURN, UNTRACK, Deed, Step

Expression = Mapping[str, Any]
Sets = Mapping[str, Sequence[Any]]
_PLAIN = {"accept": ACCEPT, "drop": DROP, "reject": DROP, "return": RETURN, "queue": PERHAPS, "notrack": UNTRACK}
_PASSING = frozenset(
    {"counter", "log", "comment", "continue", "masquerade", "snat", "dnat", "redirect", "dup", "fwd", "flow", "set", "map"}
)
_UNKNOWN = object()  # a part of a packet of which nothing is known


def step(rule: Sequence[Expression], sets: Sets) -> Step:
    """The step of one rule, with the sets and maps of its table."""
    return Step(words(rule), partial(_deeds, rule, sets))


def words(rule: Sequence[Expression]) -> str:
    """A rule in few words, for an operator who will look at it with nft."""
    return "; ".join(_say(statement) for statement in rule)[:200]


def _say(statement: Expression) -> str:
    match = statement.get("match")
    if isinstance(match, Mapping):
        return f"{_short(match.get('left'))} {match.get('op', '==')} {_short(match.get('right'))}"
    name = next(iter(statement), "")
    value = statement.get(name)
    target = value.get("target", "") if isinstance(value, Mapping) else ""
    return f"{name} {target}".strip()


def _short(value: Any) -> str:
    if isinstance(value, Mapping) and len(value) == 1:
        (inner,) = value.values()
        if isinstance(inner, Mapping):
            return " ".join(str(part) for part in inner.values())
    return value if isinstance(value, str) else json.dumps(value)


def _deeds(rule: Sequence[Expression], sets: Sets, packet: Packet) -> Iterator[Deed]:
    """Its statements from left to right; the first match that surely fails ends it."""
    sure: Sure = True
    for statement in rule:
        for name, value in statement.items():
            if name == "match":
                sure = both([sure, _match(value, sets, packet)])
            elif name == "vmap":
                yield from _by_map(value, sets, packet, sure)
            elif name in _PLAIN:
                yield Deed(sure, _PLAIN[name])
            elif name in ("jump", "goto"):
                yield Deed(sure, JUMP if name == "jump" else GOTO, value["target"])
            elif name == "mangle":
                yield Deed(sure, MARK)
            elif name not in _PASSING:  # limit, quota, xt, ct helper, …: it may or may not let the rest of the rule count
                sure = both([sure, None])
        if sure is False:
            return


def _by_map(value: Expression, sets: Sets, packet: Packet, sure: Sure) -> Iterator[Deed]:
    subject, elements = _value(value.get("key"), packet), _elements(value.get("data"), sets)
    if elements is None:
        yield Deed(both([sure, None]), DROP)
    for element in elements or ():
        if not isinstance(element, (list, tuple)) or len(element) != 2:
            continue
        key, verdict = element
        here = both([sure, _equals(subject, _bare(key), sets)])
        if here is not False and isinstance(verdict, Mapping):
            yield from (deed for deed in _verdict(verdict, here))


def _verdict(verdict: Expression, sure: Sure) -> Iterable[Deed]:
    for name, value in verdict.items():
        if name in _PLAIN:
            yield Deed(sure, _PLAIN[name])
        elif name in ("jump", "goto"):
            yield Deed(sure, JUMP if name == "jump" else GOTO, value["target"])


def _elements(data: Any, sets: Sets) -> Sequence[Any] | None:
    """What a set or map holds; None for one that was not told, which is no empty one."""
    if isinstance(data, str) and data.startswith("@"):
        named = sets.get(data[1:])
        return None if named is None else [_bare(element) for element in named]
    if isinstance(data, Mapping) and "set" in data:
        inner = data["set"]
        return [_bare(element) for element in inner] if isinstance(inner, (list, tuple)) else [_bare(inner)]
    return None


def _bare(element: Any) -> Any:
    """An element without its counter, timeout or comment."""
    if isinstance(element, Mapping) and "elem" in element:
        inner = element["elem"]
        return inner.get("val") if isinstance(inner, Mapping) else inner
    return element


def _match(value: Expression, sets: Sets, packet: Packet) -> Sure:
    operator = value.get("op", "==")
    found = _equals(_value(value.get("left"), packet), value.get("right"), sets)
    if operator == "!=":
        return opposite(found)
    return found if operator in ("==", "in") else _ordered(operator, _value(value.get("left"), packet), value.get("right"))


def _ordered(operator: str, subject: Any, right: Any) -> Sure:
    if not isinstance(subject, int) or not isinstance(right, int):
        return None
    return {"<": subject < right, ">": subject > right, "<=": subject <= right, ">=": subject >= right}.get(operator)


def _value(left: Any, packet: Packet) -> Any:
    """What an expression gives for this packet: a Prefix, text, a number, a tuple of these; False where it has none."""
    if not isinstance(left, Mapping):
        return _UNKNOWN
    for name, inner in left.items():
        if name == "meta":
            return _meta(inner.get("key", ""), packet)
        if name == "payload":
            return _payload(inner, packet)
        if name == "ct":
            return {"state": packet.state, "status": "none"}.get(inner.get("key", ""), _UNKNOWN)
        if name == "concat":
            return tuple(_value(part, packet) for part in inner)
        if name == "fib":
            return _route_kind(inner, packet)
        if name == "&":
            return 0 if _is_mark(inner) and not packet.marked else _UNKNOWN
    return _UNKNOWN


def _is_mark(parts: Any) -> bool:
    return bool(parts) and isinstance(parts[0], Mapping) and parts[0].get("meta", {}).get("key") == "mark"


def _meta(key: str, packet: Packet) -> Any:
    known: dict[str, Any] = {
        "iifname": ("device", packet.incoming),
        "iif": ("device", packet.incoming),
        "oifname": ("device", packet.outgoing),
        "oif": ("device", packet.outgoing),
        "l4proto": packet.protocol,
        "nfproto": "ipv4" if packet.family == 4 else "ipv6",
        "protocol": "ip" if packet.family == 4 else "ip6",
        "pkttype": "unicast",
    }
    if key == "mark":
        return _UNKNOWN if packet.marked else 0
    return known.get(key, _UNKNOWN)


def _payload(inner: Expression, packet: Packet) -> Any:
    protocol, field = inner.get("protocol"), inner.get("field")
    if protocol in ("ip", "ip6"):
        if (protocol == "ip") is not (packet.family == 4):
            return False
        known = {"saddr": packet.source, "daddr": packet.destination, "protocol": packet.protocol, "nexthdr": packet.protocol}
        return known.get(str(field), _UNKNOWN)
    if protocol in ("tcp", "udp", "sctp", "dccp", "icmp", "icmpv6", "th"):
        if protocol not in ("th", packet.protocol):
            return False
        return {"sport": packet.source_port, "dport": packet.destination_port}.get(str(field), _UNKNOWN)
    return _UNKNOWN


def _route_kind(inner: Expression, packet: Packet) -> Any:
    """fib: the kind of an address, and whether it has a route at all."""
    if inner.get("result") == "type":
        return packet.kind("destination" if "daddr" in inner.get("flags", ()) else "source")
    if inner.get("result") in ("oif", "oifname"):
        return True  # there is a route back
    return _UNKNOWN


def _equals(subject: Any, right: Any, sets: Sets) -> Sure:
    if subject is False:
        return False
    if (isinstance(right, str) and right.startswith("@")) or (isinstance(right, Mapping) and "set" in right):
        elements = _elements(right, sets)
        return None if elements is None else _any([_equals(subject, element, sets) for element in elements])
    if isinstance(right, (list, tuple)) and not isinstance(subject, tuple):
        return _any([_equals(subject, element, sets) for element in right])  # flags: any of them
    if subject is _UNKNOWN:
        return None
    if isinstance(subject, tuple) and subject[:1] == ("device",):
        return device(str(right), subject[1])
    if isinstance(subject, tuple):
        parts = right.get("concat") if isinstance(right, Mapping) else right
        if not isinstance(parts, (list, tuple)) or len(parts) != len(subject):
            return None
        return both([_equals(one, other, sets) for one, other in zip(subject, parts, strict=True)])
    return _compare(subject, right)


def _any(sures: list[Sure]) -> Sure:
    if True in sures:
        return True
    return None if None in sures else False


def _compare(subject: Any, right: Any) -> Sure:
    if isinstance(subject, int):
        return _number(subject, right)
    if isinstance(subject, str):
        return subject == right if isinstance(right, str) else None
    if isinstance(right, Mapping):
        if "prefix" in right:
            inner = right["prefix"]
            return within(parse(f"{inner.get('addr')}/{inner.get('len')}"), subject)
        if "range" in right:
            low, high = (parse_address(str(end)) for end in right["range"])
            if low is None or high is None:
                return None
            return low[0] == subject.family and low[1] <= subject.base and last(subject) <= high[1]
        return None
    parsed = parse_address(str(right))
    return within(parse(f"{right}/{32 if parsed[0] == 4 else 128}"), subject) if parsed is not None else None


def _number(subject: int, right: Any) -> Sure:
    if isinstance(right, Mapping) and "range" in right:
        low, high = right["range"]
        return low <= subject <= high if isinstance(low, int) and isinstance(high, int) else None
    return subject == right if isinstance(right, int) else None
