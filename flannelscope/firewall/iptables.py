"""Rules of iptables-save as steps: the words of iptables(8) and iptables-extensions(8) that forwarding is ruled with."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from flannelscope.cidr import last, parse, parse_address
from flannelscope.firewall.packet import Packet, Sure, both, device, opposite, within
from flannelscope.firewall.rules import ACCEPT, DROP, GOTO, JUMP, MARK, PERHAPS, RETURN, UNTRACK, Deed, Step
from flannelscope.model import Prefix

Test = Callable[[Packet], Sure]
_VERDICTS = {
    "ACCEPT": ACCEPT,
    "DROP": DROP,
    "REJECT": DROP,
    "TARPIT": DROP,
    "RETURN": RETURN,
    "MARK": MARK,
    "CONNMARK": MARK,
    "QUEUE": PERHAPS,
    "NFQUEUE": PERHAPS,
}
_HARMLESS = ("--set-counters", "-c")
_PROTOCOLS = {"0": "all", "6": "tcp", "17": "udp", "1": "icmp", "58": "ipv6-icmp"}


@lru_cache(maxsize=65536)
def step(text: str) -> Step:
    """The step of one rule (without `-A CHAIN`)."""
    tests, target, verdict = _read(text)
    if not verdict:
        return Step(text, _nothing)

    def deeds(packet: Packet) -> Iterable[Deed]:
        sure = both([test(packet) for test in tests])
        return () if sure is False else (Deed(sure, verdict, target),)

    return Step(text, deeds)


def _nothing(packet: Packet) -> Iterable[Deed]:
    return ()


def _read(text: str) -> tuple[list[Test], str, str]:
    """Its tests, the target and the verdict ("" where the packet goes on whatever happens)."""
    try:
        words = shlex.split(text)
    except ValueError:
        return [_perhaps], "", ""
    tests: list[Test] = []
    target = verdict = ""
    for negated, name, values in _options(words):
        if name in ("-j", "--jump", "-g", "--goto"):
            target = values[0] if values else ""
            verdict = _VERDICTS.get(target, GOTO if name in ("-g", "--goto") else JUMP)
        elif target:  # options behind the target belong to it
            verdict = UNTRACK if target == "CT" and name == "--notrack" else verdict
        elif name not in _HARMLESS:
            test = _test(name, values)
            tests.append(_not(test) if negated else test)
    return tests, target, UNTRACK if target == "NOTRACK" else verdict


def _options(words: list[str]) -> Iterator[tuple[bool, str, list[str]]]:
    """(negated, name, values) of each option; a ! may stand before the name or before the value."""
    place, negated = 0, False
    while place < len(words):
        word = words[place]
        place += 1
        if word == "!":
            negated = True
            continue
        values: list[str] = []
        if word == "--comment":  # may hold anything
            place += 1
            continue
        while place < len(words) and not words[place].startswith("-") and not (words[place] == "!" and values):
            if words[place] == "!":
                if place + 1 < len(words) and words[place + 1].startswith("-"):
                    break
                negated = True
            else:
                values.append(words[place])
            place += 1
        yield negated, word, values
        negated = False


def _perhaps(packet: Packet) -> Sure:
    return None


def _not(test: Test) -> Test:
    return lambda packet: opposite(test(packet))


def _test(name: str, values: list[str]) -> Test:
    made = _TESTS.get(name)
    return made(values[0] if values else "", values) if made is not None else _perhaps


def _prefix(text: str) -> Prefix | None:
    if "/" in text:
        address, _, mask = text.partition("/")
        if not mask.isdigit():
            return _masked(address, mask)
        return parse(text)
    return parse(f"{text}/{128 if ':' in text else 32}")


def _masked(address: str, mask: str) -> Prefix | None:
    """10.0.0.0/255.0.0.0; None for masks with holes."""
    parsed = parse_address(mask)
    if parsed is None:
        return None
    bits = 32 if parsed[0] == 4 else 128
    length = bin(parsed[1]).count("1")
    return parse(f"{address}/{length}") if parsed[1] == ((1 << length) - 1) << (bits - length) else None


def _source(value: str, _words: list[str]) -> Test:
    asked = _prefix(value)
    return lambda packet: within(asked, packet.source)


def _destination(value: str, _words: list[str]) -> Test:
    asked = _prefix(value)
    return lambda packet: within(asked, packet.destination)


def _protocol(value: str, _: list[str]) -> Test:
    asked = _PROTOCOLS.get(value, value)
    return lambda packet: asked in ("all", packet.protocol)


def _ports(side: str) -> Callable[[str, list[str]], Test]:
    def made(value: str, _: list[str]) -> Test:
        ranges = [_port_range(part) for part in value.split(",")]

        def test(packet: Packet) -> Sure:
            known = {"source": (packet.source_port,), "destination": (packet.destination_port,)}
            ports = known.get(side, (packet.source_port, packet.destination_port))
            if None in ranges:
                return None
            return any(found is not None and found[0] <= port <= found[1] for found in ranges for port in ports)

        return test

    return made


def _port_range(text: str) -> tuple[int, int] | None:
    low, colon, high = text.partition(":")
    if (low and not low.isdigit()) or (high and not high.isdigit()):
        return None
    return int(low or 0), int(high or 65535) if colon else int(low or 0)


def _state(value: str, _: list[str]) -> Test:
    states = {part.lower() for part in value.split(",")}
    return lambda packet: packet.state in states


def _mark(value: str, _words: list[str]) -> Test:
    wanted, _, mask = value.partition("/")
    try:
        asked = int(wanted, 0) & (int(mask, 0) if mask else 0xFFFFFFFF)
    except ValueError:
        return _perhaps
    return lambda packet: None if packet.marked else asked == 0


def _kind_of(side: str) -> Callable[[str, list[str]], Test]:
    def made(value: str, _: list[str]) -> Test:
        kinds = value.lower().split(",")
        return lambda packet: packet.kind(side) in kinds

    return made


def _tcp_flags(_: str, values: list[str]) -> Test:
    if len(values) != 2:
        return _perhaps
    every = {"SYN", "ACK", "FIN", "RST", "URG", "PSH"}
    mask = every if values[0] == "ALL" else set(values[0].split(","))
    wanted = every if values[1] == "ALL" else set() if values[1] == "NONE" else set(values[1].split(","))
    return lambda packet: packet.protocol == "tcp" and ({"SYN"} & mask) == wanted


def _range(side: str) -> Callable[[str, list[str]], Test]:
    def made(value: str, _words: list[str]) -> Test:
        low, _, high = value.partition("-")
        first, end = parse_address(low), parse_address(high or low)

        def test(packet: Packet) -> Sure:
            held = packet.source if side == "source" else packet.destination
            if first is None or end is None:
                return None
            return first[0] == held.family and first[1] <= held.base and last(held) <= end[1]

        return test

    return made


def _policy(value: str, _: list[str]) -> Test:
    return lambda packet: value == "none"


def _never(*_: object) -> Test:
    return lambda packet: False


def _always(*_: object) -> Test:
    return lambda packet: True


_TESTS: dict[str, Callable[[str, list[str]], Test]] = {
    "-s": _source,
    "--source": _source,
    "-d": _destination,
    "--destination": _destination,
    "-i": lambda value, _: lambda packet: device(value, packet.incoming),
    "--in-interface": lambda value, _: lambda packet: device(value, packet.incoming),
    "-o": lambda value, _: lambda packet: device(value, packet.outgoing),
    "--out-interface": lambda value, _: lambda packet: device(value, packet.outgoing),
    "-p": _protocol,
    "--protocol": _protocol,
    "--dport": _ports("destination"),
    "--dports": _ports("destination"),
    "--sport": _ports("source"),
    "--sports": _ports("source"),
    "--ports": _ports("either"),
    "--ctstate": _state,
    "--state": _state,
    "--ctstatus": lambda value, _: lambda packet: "NONE" in value.upper().split(","),
    "--mark": _mark,
    "--dst-type": _kind_of("destination"),
    "--src-type": _kind_of("source"),
    "--syn": lambda value, _: lambda packet: packet.protocol == "tcp",
    "--tcp-flags": _tcp_flags,
    "--src-range": _range("source"),
    "--dst-range": _range("destination"),
    "--pol": _policy,
    "--dir": _always,
    "-m": lambda value, _: _perhaps if value == "socket" else lambda packet: True,  # what else a match asks, its options say
    "--ctdir": lambda value, _: lambda packet: value == "ORIGINAL",
    "--loose": _always,
    "--validmark": _always,
    "--accept-local": _always,
    "--invert": _never,  # of rpfilter: packets without a route back
    "--icmp-type": _never,
    "--icmpv6-type": _never,
    "--physdev-is-bridged": _never,
    "--pkt-type": lambda value, _: lambda packet: value == "unicast",
    "-f": _never,
    "--fragment": _never,
}
