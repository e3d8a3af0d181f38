"""Policy routing rules: which table a packet is looked up in. busybox does not print that a rule is negated."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flannelscope.model.kernel import Rule
from flannelscope.probes import Parsed, Probe
from flannelscope.probes.framing import is_json, lines
from flannelscope.probes.iproute import families, family_ways, merged
from flannelscope.probes.json_lists import JsonList

# The words of a rule that are no lookup, as iproute2 prints them. `nat` rules are gone since Linux 2.6.
ACTIONS = ("blackhole", "unreachable", "prohibit", "goto", "nop", "throw")


_LIST: JsonList[dict[str, Any]] = JsonList(dict[str, Any])


@lru_cache(16384)
def rule(family: int, priority: int, selector: str, table: str, action: str) -> Rule:
    return Rule(family=family, priority=priority, selector=selector, table=table, action=action)


def _from_entry(entry: dict[str, Any], family: int) -> Rule | None:
    """A rule of JSON, its selector in the order and the words of the text format."""
    priority = entry.get("priority", 0)
    if type(priority) is not int:
        return None
    words = ["not"] if "not" in entry else []
    words += _end("from", entry.get("src", "all"), entry.get("srclen"))
    if "dst" in entry:
        words += _end("to", entry["dst"], entry.get("dstlen"))
    if "fwmark" in entry:
        words += ["fwmark", f"{entry['fwmark']}/{entry['fwmask']}" if "fwmask" in entry else str(entry["fwmark"])]
    words += [word for name in ("iif", "oif") if name in entry for word in (name, str(entry[name]))]
    words += [word for name, value in entry.items() if name not in _SAID | _ASIDE for word in _more(name, value)]
    action, goto = str(entry.get("action", "")), entry.get("goto")
    if goto is not None:
        action = f"goto {goto}"
    return rule(family, priority, " ".join(words), str(entry.get("table", "")), action.removeprefix("to_tbl"))


# What stands in the value already, or says nothing about which packets are meant.
_SAID = frozenset(
    ("priority", "not", "src", "srclen", "dst", "dstlen", "fwmark", "fwmask", "iif", "oif", "table", "action", "goto")
)
_ASIDE = frozenset(("protocol", "iif_detached", "oif_detached", "unresolved"))


def _end(name: str, address: object, length: object) -> list[str]:
    return [name, f"{address}/{length}" if length is not None else str(address)]


# Names of JSON that differ from the words of the text format.
_WORDS = {"suppress_prefixlen": "suppress_prefixlength"}


def _more(name: str, value: object) -> list[str]:
    word = _WORDS.get(name, name)
    return [word] if value is None else [word, str(value)]


def _from_line(line: str, family: int) -> Rule | None:
    """32766: from all lookup main, or 100: from all fwmark 0x1 blackhole."""
    number, colon, rest = line.strip().partition(":")
    if not colon or not number.isascii() or not number.isdigit() or len(number) > 10:
        return None
    words = rest.split()
    table, action = "", ""
    for at, word in enumerate(words):
        if word in ("lookup", "table") and at + 1 < len(words):
            words, table = words[:at] + _without_protocol(words[at + 2 :]), words[at + 1]
            break
        if word in ACTIONS:
            words, action = words[:at], " ".join(_without_protocol(words[at:]))
            break
    selector = [word for word in _without_protocol(words) if word not in ("[detached]", "[unresolved]")]
    # "lookup unspec" is busybox' way to say that it does not know what the rule does.
    told = selector and (table or action) and table != "unspec"
    return rule(family, int(number), " ".join(selector), table, action) if told else None


def _without_protocol(words: list[str]) -> list[str]:
    """Who made a rule is said with -d, and by some versions without."""
    if "proto" not in words:
        return words
    at = words.index("proto")
    return words[:at] + words[at + 2 :]


def _from_text(output: bytes, family: int) -> Parsed[tuple[Rule, ...]]:
    found = [(_from_line(line, family), line) for line in lines(output)]
    return Parsed(tuple(rule for rule, _ in found if rule), tuple(line for rule, line in found if rule is None))


def _from_json(output: bytes, family: int) -> Parsed[tuple[Rule, ...]]:
    return _LIST.parse(output, lambda entry: _from_entry(entry, family))


def parse(output: bytes) -> Parsed[tuple[Rule, ...]]:
    """The rules of both families; raises Unparsable."""
    return merged(output, FAMILIES, lambda said, family: (_from_json if is_json(said) else _from_text)(said, family))


SHOW = ("rule", "show")
FAMILIES = families(*SHOW)
PROBE = Probe("rules", "policy routing rules", family_ways(parse, *SHOW))
