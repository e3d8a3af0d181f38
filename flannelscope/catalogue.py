"""The codes a user may name: by code, number, slug, in any case; what `explain` says of each, and of all."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from typing import Any

from flannelscope.checks import Check, all_checks, planned
from flannelscope.errors import UsageError
from flannelscope.model import Value
from flannelscope.report import SCHEMA, SEVERITY_WORDS, Suppression
from flannelscope.text import spoken

_NUMBERED = re.compile(r"FLN\d+")
_SUGGESTED = 3
OWN_NAMES = "Words in capitals stand for names, kube-flannel for flannel's namespace; the evidence of findings has real ones."
GROUPS = {
    "1": "addresses: which Node holds which podCIDR",
    "2": "what flannel announces for each node",
    "3": "the flannel daemon",
    "4": "the kernel of a node",
    "5": "who reaches whom",
    "6": "the cluster around it",
}


class Entry(Value, frozen=True, kw_only=True):
    """One code of the catalogue. `check` is None for one that is planned: then `waits` says what it needs.

    `severities` are, of a check, its usual one; of a planned code all that it may have.
    """

    code: str
    slug: str
    severities: tuple[str, ...]
    check: Check | None = None
    waits: str = ""


@cache
def entries() -> tuple[Entry, ...]:
    """The whole catalogue, by code."""
    made = [Entry(code=c.code, slug=c.slug, severities=(SEVERITY_WORDS[c.severity],), check=c) for c in all_checks()]
    return tuple(sorted((*made, *map(_planned, planned())), key=lambda entry: entry.code))


def _planned(code: str) -> Entry:
    """From planned.txt: `FLN302 flannel-oom-killed critical,info: waits for issue 6 (its logs)`."""
    head, _, waits = planned()[code].partition(":")
    slug, severities = head.split()
    needs = re.sub(r"^waits for (issue \d+ )?\(?|\)(?=:|$)", "", waits.strip())
    return Entry(code=code, slug=slug, severities=tuple(severities.split(",")), waits=needs)


def find(name: str) -> str:
    """The code that `name` means: FLN101, fln101, 101 or duplicate-podcidr. Raises UsageError for none."""
    wanted = name.strip().lower()
    code = wanted.upper() if wanted.startswith("fln") else f"FLN{wanted}"
    by_slug = {entry.slug: entry.code for entry in entries()}
    if code in by_slug.values():
        return code
    if wanted in by_slug:
        return by_slug[wanted]
    near = _near(code, by_slug.values()) if _NUMBERED.fullmatch(code) else _like(wanted, by_slug)
    hint = f"Did you mean {' or '.join(near)}?" if near else "flannelscope explain lists all codes."
    raise UsageError(f"there is no finding called {name.strip() or '(nothing)'}", "", hint)


def _near(code: str, known: Iterable[str]) -> list[str]:
    """Codes that one mistyped digit, or two in the wrong order, make into this one."""
    swapped = {code[:at] + code[at + 1] + code[at] + code[at + 2 :] for at in range(3, len(code) - 1)}
    return sorted(
        other for other in known if other in swapped or (len(other) == len(code) and sum(map(str.__ne__, other, code)) == 1)
    )[:_SUGGESTED]


def _like(slug: str, known: Iterable[str]) -> list[str]:
    return difflib.get_close_matches(slug, known, _SUGGESTED, cutoff=0.75)


def listing() -> str:
    """All codes with their severities, by hundreds; those without a check are marked as planned."""
    return "\n".join(_listing()) + "\n"


def _listing() -> Iterator[str]:
    for hundred, group in groupby(entries(), key=lambda entry: entry.code[3]):
        yield f"{hundred}xx {GROUPS[hundred]}"
        for entry in group:
            planned_mark = "" if entry.check else "  (planned)"
            yield f"  {entry.code}  {' or '.join(entry.severities):28}  {entry.slug}{planned_mark}"
        yield ""
    judged = sum(entry.check is not None for entry in entries())
    yield f"{judged} codes are judged in this version, {len(entries()) - judged} are planned and not judged."
    yield "A finding of a judged code may be milder or graver than usual. flannelscope explain CODE tells what it means."


def listing_document() -> dict[str, Any]:
    """All codes as one object."""
    return {"schema": SCHEMA, "codes": [_told(entry) for entry in entries()]}


def _told(entry: Entry) -> dict[str, Any]:
    return {
        "code": entry.code,
        "slug": entry.slug,
        "title": spoken(entry.slug),
        "group": GROUPS[entry.code[3]],
        "severities": list(entry.severities),
        "planned": entry.check is None,
        **({"waits_for": entry.waits} if entry.check is None else {}),
    }


def explain_document(name: str) -> dict[str, Any]:
    """One code as one object. Raises UsageError for a code that the catalogue does not have."""
    entry = _entry(name)
    check = entry.check
    if check is None:
        return {"schema": SCHEMA, **_told(entry)}
    needs, explains = [str(topic) for topic in check.needs], list(check.swallows)
    return {"schema": SCHEMA, **_told(entry), "explanation": check.explanation, "needs": needs, "explains": explains}


def _entry(name: str) -> Entry:
    code = find(name)
    return next(entry for entry in entries() if entry.code == code)


def explain(name: str) -> str:
    """What a finding means, how it is known, what to do. Raises UsageError for a code that the catalogue does not have."""
    entry = _entry(name)
    check = entry.check
    head = f"{entry.code} {entry.slug} ({' or '.join(entry.severities)})"
    if check is None:
        return f"{head}\n\nPlanned: this version does not judge it. It needs what is not read here: {entry.waits}.\n"
    needs = f"It is judged from: {', '.join(check.needs)}." if check.needs else ""
    explains = f"It explains, on the same nodes: {', '.join(check.swallows)}." if check.swallows else ""
    return "\n\n".join(part for part in (head, check.explanation, needs, explains, OWN_NAMES) if part) + "\n"


def chosen(names: Iterable[str]) -> tuple[Check, ...]:
    """The checks of these codes, all of them for none. Raises UsageError for one that has no check."""
    codes = {find(name) for name in names}
    checks = tuple(check for check in all_checks() if not codes or check.code in codes)
    missing = sorted(codes - {check.code for check in checks})
    if missing:
        raise UsageError(
            f"{', '.join(missing)}: not judged in this version", "", "flannelscope explain CODE says what it waits for."
        )
    return checks


def suppressions(texts: Iterable[str]) -> tuple[Suppression, ...]:
    """`CODE` and `CODE=SUBJECT` as values. Raises UsageError for a code that does not exist or an empty subject."""
    found = []
    for text in texts:
        code, equals, subject = text.partition("=")
        if equals and not subject:
            raise UsageError(f"{text} names no subject", "", "Write CODE or CODE=SUBJECT, such as FLN306 or FLN104=w12.")
        found.append(Suppression(find(code), subject))
    return tuple(found)
