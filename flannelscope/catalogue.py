"""The codes a user may name: by code, number, slug, in any case; what `explain` says of each."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from flannelscope.checks import Check, all_checks, planned
from flannelscope.errors import UsageError
from flannelscope.report import SEVERITY_WORDS, Suppression

_NUMBERED = re.compile(r"FLN\d+")
_SUGGESTED = 3


def find(name: str) -> str:
    """The code that `name` means: FLN101, fln101, 101 or duplicate-podcidr. Raises UsageError for none."""
    wanted = name.strip().lower()
    code = wanted.upper() if wanted.startswith("fln") else f"FLN{wanted}"
    if code in planned() or any(check.code == code for check in all_checks()):
        return code
    by_slug = {check.slug: check.code for check in all_checks()} | {_waiting(code)[0]: code for code in planned()}
    if wanted in by_slug:
        return by_slug[wanted]
    near = _near(code, {*planned(), *by_slug.values()}) if _NUMBERED.fullmatch(code) else _like(wanted, by_slug)
    hint = f"Did you mean {' or '.join(near)}?" if near else "Codes run from FLN101 to FLN6xx; findings name theirs."
    raise UsageError(f"there is no finding called {name.strip() or '(nothing)'}", "", hint)


def _near(code: str, known: Iterable[str]) -> list[str]:
    """Codes that one mistyped digit, or two in the wrong order, make into this one."""
    swapped = {code[:at] + code[at + 1] + code[at] + code[at + 2 :] for at in range(3, len(code) - 1)}
    return sorted(
        other for other in known if other in swapped or (len(other) == len(code) and sum(map(str.__ne__, other, code)) == 1)
    )[:_SUGGESTED]


def _like(slug: str, known: Iterable[str]) -> list[str]:
    return difflib.get_close_matches(slug, known, _SUGGESTED, cutoff=0.75)


def _waiting(code: str) -> tuple[str, str]:
    """Slug of a code that has no check, and what it needs (planned.txt: `FLN302 slug: waits for issue 6 (its logs)`)."""
    slug, _, waits = planned()[code].partition(":")
    return slug.strip(), re.sub(r"^waits for (issue \d+ )?\(?|\)(?=:|$)", "", waits.strip())


def explain(name: str) -> str:
    """What a finding means, how it is known, what to do. Raises UsageError for a code that the catalogue does not have."""
    code = find(name)
    check = next((check for check in all_checks() if check.code == code), None)
    if check is None:
        slug, needs = _waiting(code)
        return f"{code} {slug}\n\nThis version does not judge it. It needs what is not read here: {needs}.\n"
    head = f"{check.code} {check.slug} ({SEVERITY_WORDS[check.severity]})"
    needs = f"It is judged from: {', '.join(check.needs)}." if check.needs else ""
    explains = f"It explains, on the same nodes: {', '.join(check.swallows)}." if check.swallows else ""
    return "\n\n".join(part for part in (head, check.explanation, needs, explains) if part) + "\n"


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
