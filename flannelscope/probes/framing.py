"""How the outputs of several commands of one probe stand in one answer: a line before each and one after it.

    == ip -j -4 route show table all
    [...]
    == exit 0

A command whose program is not there has `== absent` alone. The words before are the probe's own, so nothing else is taken
for them.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from flannelscope import cidr

SIGN = "== "


class Part(NamedTuple):
    """What one command printed; `status` None where its program is not there or its end did not arrive."""

    output: bytes
    status: int | None
    absent: bool = False


def parts(output: bytes, argvs: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], Part]:
    """The outputs by command, as far as they are there."""
    found: dict[tuple[str, ...], Part] = {}
    whole = b"\n" + output
    at = 0
    for argv in argvs:
        head = f"\n{SIGN}{shlex.join(argv)}\n".encode()
        start = whole.find(head, at)
        if start < 0:
            continue
        at = start + len(head) - 1
        found[argv] = _part(whole, at)
    return found


def _part(whole: bytes, start: int) -> Part:
    end = whole.find(f"\n{SIGN}".encode(), start)
    if end < 0:
        return Part(whole[start + 1 :], None)
    said = whole[end + 1 + len(SIGN) :].split(b"\n", 1)[0]
    if said == b"absent":
        return Part(b"", None, absent=True)
    word, _, digits = said.partition(b" ")
    status = int(digits) if word == b"exit" and digits.isdigit() and len(digits) < 4 else None
    return Part(whole[start + 1 : end], status)


def lines(output: bytes) -> list[str]:
    """The lines that hold something."""
    return [line for line in output.decode("utf-8", "replace").split("\n") if line and not line.isspace()]


def is_json(output: bytes) -> bool:
    """Whether it is meant as JSON: an iproute2 that knows -j prints a list, an older one prints text whatever -j says."""
    return output.lstrip()[:1] in (b"[", b"{")


@lru_cache(65536)
def prefix(text: str, family: int) -> str:
    """A destination in canonical form, "" where it is none; the same text is the same object everywhere."""
    if text == "default":
        return "0.0.0.0/0" if family == 4 else "::/0"
    parsed = cidr.parse(text if "/" in text else f"{text}/{cidr.BITS[6 if ':' in text else 4]}")
    return cidr.show(parsed) if parsed is not None and parsed.family == family else ""


@lru_cache(65536)
def address(text: str) -> str:
    """An address in canonical form (a zone is left out), "" where it is none."""
    parsed = cidr.parse_address(text.partition("%")[0])
    return cidr.show_address(*parsed) if parsed is not None else ""


@lru_cache(65536)
def mac(text: str) -> str:
    """A hardware address in lower case, "" where it is none."""
    octets = text.split(":")
    good = len(octets) >= 2 and all(len(octet) == 2 and set(octet) <= set("0123456789abcdefABCDEF") for octet in octets)
    return text.lower() if good else ""
