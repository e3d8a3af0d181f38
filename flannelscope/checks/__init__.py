"""One file a fault: how it is seen, why it matters, what to do about it. Found by discovery; a new check is a new file.

A check module holds one function decorated with `@check(...)`, and a module docstring with the sections that
`flannelscope explain CODE` prints. The function is pure: Facts in, Findings and Unknowns out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from msgspec.structs import replace

from flannelscope.facts import Facts
from flannelscope.model import Evidence, Finding, Remedy, Severity, Subject, Topic, Unknown, Value

UNDO = "How to undo it"  # the title of a section
ONLY_LOOKS = "There is nothing to undo: nothing is changed by looking."  # all that stands there for what changes nothing
Detect = Callable[[Facts], Iterator[Finding | Unknown]]
REACHABILITY = tuple(f"FLN{number}" for number in range(501, 513))  # all of 5xx: what a matrix would show


class Check(Value, frozen=True, kw_only=True):
    """A fault that can be seen. `needs` are the topics without which nothing can be said; `swallows` the codes whose
    findings on the same Nodes this one explains. `why` is the first paragraph of the module's docstring.
    """

    code: str
    slug: str
    severity: Severity  # the usual one; a finding may be milder or graver
    needs: tuple[Topic, ...]
    swallows: tuple[str, ...]
    why: str
    explanation: str
    detect: Detect

    @property
    def undo(self) -> str:
        """How what is to be done is undone: that section of the docstring, "" where nothing is changed."""
        section = self.explanation.partition(f"{UNDO}\n")[2].lstrip("-\n")
        told = " ".join(section.split("\n\n", 1)[0].split())
        return "" if told == ONLY_LOOKS else told

    def finding(
        self,
        summary: str,
        subjects: tuple[Subject, ...],
        *,
        severity: Severity | None = None,
        evidence: tuple[Evidence, ...] = (),
        remedy: Remedy | None = None,
        reach: tuple[str, ...] = (),
        towards: tuple[str, ...] = (),
    ) -> Finding:
        """A Finding of this check; its remedy ends with the command that proves that it worked."""
        severity = self.severity if severity is None else severity
        if remedy is not None and not remedy.proof:
            remedy = replace(remedy, proof=_proof(self.code, severity))
        return Finding(
            code=self.code,
            slug=self.slug,
            severity=severity,
            subjects=subjects,
            summary=summary,
            why=self.why,
            evidence=evidence,
            remedy=remedy,
            reach=reach,
            towards=towards,
        )

    def unknown(self, reason: str, nodes: tuple[str, ...] = ()) -> Unknown:
        """An Unknown of this check."""
        return Unknown(self.code, nodes, reason)


def _proof(code: str, severity: Severity) -> str:
    lower = " --fail-on info" if severity is Severity.INFO else ""
    gone = f"it worked when this finding is gone and {code} is not among what was not judged"
    return f"flannelscope check --only {code}{lower}  # {gone}"


def check(
    code: str,
    slug: str,
    severity: Severity,
    *,
    needs: tuple[Topic, ...],
    swallows: tuple[str, ...] = (),
) -> Callable[[Callable[[Check, Facts], Iterator[Finding | Unknown]]], Check]:
    """Make a Check of a function `(check, facts) -> findings and unknowns`."""

    def register(function: Callable[[Check, Facts], Iterator[Finding | Unknown]]) -> Check:
        text = (import_module(function.__module__).__doc__ or "").strip()
        made = Check(
            code=code,
            slug=slug,
            severity=severity,
            needs=needs,
            swallows=swallows,
            why=" ".join(text.split("\n\n", 1)[0].split()),
            explanation=text,
            detect=lambda facts: function(made, facts),
        )
        return made

    return register


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check, by code. Raises ValueError when two share a code."""
    found: dict[str, Check] = {}
    for module in iter_modules(__path__):
        for value in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(value, Check) and found.setdefault(value.code, value) is not value:
                raise ValueError(f"two checks are called {value.code}")
    return tuple(found[code] for code in sorted(found))


@cache
def planned() -> dict[str, str]:
    """Codes of the catalogue that have no check yet, each with what it waits for (planned.txt)."""
    lines = (Path(__file__).parent / "planned.txt").read_text("utf-8").splitlines()
    return {code: waits for code, _, waits in (x.partition(" ") for x in lines if x.startswith("FLN"))}
