"""The answer of the script that asks a node all probes (`bundle_script` says how it is marked): taken apart and parsed.

It survives what stands before and after (a message of the day, an error of the shell), cuts, binary, and marks that somebody
else wrote; what is missing has a reason in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from flannelscope import text
from flannelscope.model.kernel import Kernel, Said
from flannelscope.probes import Probe, Unparsable, all_probes
from flannelscope.probes.containers import with_namespaces

SHOWN = 200  # characters of a foreign text in a sentence
KEPT = 2_000  # characters of a command's stderr
MOST_UNPARSED = 50  # lines kept of a probe; the raw answer has all


class NoAnswer(Exception):
    """What came is no answer of the script; the message says in a sentence what came instead."""


class Answer(Protocol):
    """What a machine wrote when the script was run there: `at` when it began, `error` its stderr, `cut` at a limit of bytes."""

    @property
    def node(self) -> str: ...
    @property
    def at(self) -> float: ...
    @property
    def origin(self) -> str: ...
    @property
    def output(self) -> bytes: ...
    @property
    def error(self) -> str: ...
    @property
    def cut(self) -> bool: ...


class Section(NamedTuple):
    """The answer of one probe by one of its ways. `status` is None where its end did not come; `reason`: it was not asked."""

    way: int = 0
    output: bytes = b""
    status: int | None = None
    error: str = ""
    reason: str = ""


class Unpacked(NamedTuple):
    """An answer taken apart: who it ran as, the sections by probe, and whether its end is there."""

    user: int | None
    sections: Mapping[str, Section]
    complete: bool


def unpack(output: bytes, nonce: str) -> Unpacked:
    """The sections by probe, whatever stands before and after. Raises NoAnswer where the script did not begin."""
    before, *pieces = (b"\n" + output).split(f"\n{nonce} ".encode())
    marks = [_mark(piece) for piece in pieces]
    signs = [sign for sign, _, _ in marks]
    if "^" not in signs:
        raise NoAnswer(_instead(before))
    told = signs.index("!") if "!" in signs else len(marks)
    sections = _sections(marks[:told])
    for sign, word, rest in marks[told:]:
        name = word.partition(" ")[0]
        if sign == "+" and name in sections:
            sections[name] = sections[name]._replace(error=rest.decode("utf-8", "replace").strip()[:KEPT])
    return Unpacked(_number(marks[signs.index("^")][1]), sections, "." in signs[told:])


def _mark(piece: bytes) -> tuple[str, str, bytes]:
    """The sign and the words of a mark, and what follows it. Words whose end did not come are none: 124 may be cut to 1."""
    head, ended, rest = piece.partition(b"\n")
    words = head.decode("utf-8", "replace") if ended else head[:2].decode("utf-8", "replace")
    return words[:1], words[2:], rest


def _sections(marks: Iterable[tuple[str, str, bytes]]) -> dict[str, Section]:
    found: dict[str, Section] = {}
    name = ""
    for sign, word, rest in marks:
        if sign == "+":
            name, _, way = word.partition(" ")
            found.setdefault(name, Section(_number(way) or 0, rest))
        elif sign == "=" and name in found:
            found[name] = found[name]._replace(status=_number(word))
        elif sign == "-":
            probe, _, reason = word.partition(" ")
            found.setdefault(probe, Section(reason=_why(reason)))
    return found


def _number(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 11 else None


def _why(reason: str) -> str:
    """Why the script did not ask, in words."""
    if reason == "sudo":
        return "it needs root, and sudo is not installed there"
    if reason.startswith("refused "):
        return f"sudo did not allow it: {text.clean(reason.removeprefix('refused '), SHOWN).strip()}"
    programs = reason.removeprefix("missing").split()
    return f"not installed there, or not usable: {' or '.join(programs)}" if programs else "there is nothing to ask there"


def _instead(before: bytes) -> str:
    said = text.clean(before.decode("utf-8", "replace").strip(), SHOWN)
    return f"the script did not run there; it answered: {said}" if said else "the script did not run there; nothing came"


def kernel(answer: Answer, nonce: str, *, at: float | None = None, probes: Iterable[Probe[Any]] | None = None) -> Kernel:
    """What a node said, parsed; `probes` are those that were asked (all by default). Raises NoAnswer."""
    try:
        unpacked = unpack(answer.output, nonce)
    except NoAnswer as reason:
        said = text.clean(answer.error.strip(), SHOWN)
        raise NoAnswer(f"{reason}; its error: {said}" if said else str(reason)) from None
    return taken(answer, unpacked, at=answer.at if at is None else at, probes=probes)


def taken(answer: Answer, unpacked: Unpacked, *, at: float, probes: Iterable[Probe[Any]] | None = None) -> Kernel:
    """What was taken apart, parsed."""
    facts: dict[str, Any] = {}
    missing: dict[str, str] = {}
    unparsed: dict[str, tuple[str, ...]] = {}
    raw: dict[str, Said] = {}
    for probe in all_probes().values() if probes is None else probes:
        section = unpacked.sections.get(probe.name)
        if section is not None and not section.reason and section.way < len(probe.ways):
            raw[probe.name] = said = _said(probe, section)
            reason = _parse(probe, section, said, facts, unparsed)
        else:
            reason = section.reason if section is not None else _never(answer, unpacked)
        if reason:
            missing[probe.name] = reason
    if "containers" in facts and "namespaces" in facts:
        facts["containers"] = with_namespaces(facts["containers"], facts["namespaces"])
    return Kernel(node=answer.node, at=at, origin=answer.origin, facts=facts, missing=missing, unparsed=unparsed, raw=raw)


def _said(probe: Probe[Any], section: Section) -> Said:
    return Said(
        command=probe.ways[section.way].words,
        output=section.output,
        error=section.error,
        status=section.status,
        cut=section.status is None,
    )


def _never(answer: Answer, unpacked: Unpacked) -> str:
    if unpacked.complete:
        return "the script did not ask for it"
    return "the answer was cut at the limit of size or time before it came" if answer.cut else "the answer ended before it came"


def _parse(probe: Probe[Any], section: Section, said: Said, facts: dict[str, Any], unparsed: dict[str, tuple[str, ...]]) -> str:
    """Put in what was parsed; else why it was not, in words."""
    way = probe.ways[section.way]
    if section.status is None and not probe.partial:
        over = len(section.output) >= probe.limit - 64
        return f"it said more than {probe.limit:,} bytes" if over else "the answer ended in the middle of it"
    if section.status not in (None, 0, *way.accept):
        return _failed(probe, section)
    try:
        parsed = way.parse(section.output)
    except Unparsable as reason:
        words = text.clean(section.error, SHOWN)
        return f"not understood: {text.clean(str(reason), SHOWN)}" + (f" ({words})" if words else "")
    facts[probe.name] = parsed.value
    if parsed.unparsed:
        unparsed[probe.name] = parsed.unparsed[:MOST_UNPARSED]
    return ""


_STATUS = {
    124: "it took longer than {seconds} seconds",
    126: "it may not be run there",
    127: "a program of it is not there",
    137: "it was killed there",
    143: "it took longer than {seconds} seconds",
}


def _failed(probe: Probe[Any], section: Section) -> str:
    """Why a command failed: what sudo or the command itself said, else what its status means."""
    said = text.clean(section.error, SHOWN)
    if probe.ways[section.way].root and ("sudo" in said or "password" in said):
        return f"sudo did not allow it: {said}"
    meaning = _STATUS.get(section.status or 0, "").format(seconds=probe.seconds)
    if meaning:
        return f"{meaning} ({said})" if said else meaning
    return f"it ended with {section.status}: {said}" if said else f"it ended with {section.status} and said nothing"
