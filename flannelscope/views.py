"""What front ends show, as values: rows and sentences made from Facts and a Judgement.

The console gets these over a pipe, the headless commands print them; neither ever holds 150,000 pods. All text in a view
is cleaned, so that it can be drawn as it is (as text, never as markup).
"""

from __future__ import annotations

import msgspec


class View(msgspec.Struct, frozen=True, eq=False, gc=False, omit_defaults=True):
    """The base of views."""


class KernelCells(View, frozen=True, kw_only=True):
    """What a Node's machine says of itself, "" or None where it did not say; not `answered`: `note` says why.

    `flannel_version` and `flannel_arguments` (a digest, equal where the arguments are) are those of the process that runs.
    """

    answered: bool
    release: str = ""
    flannel_mtu: int | None = None
    flannel_version: str = ""
    flannel_arguments: str = ""
    note: str = ""


class NodeRow(View, frozen=True, kw_only=True):
    """One line of the node table.

    `marks` say what is wrong with a podCIDR (same index as `pod_cidrs`): "=" duplicate, "~" overlap, "!" outside, "".
    `glyph` is x, !, i, "." (nothing found) or "?" (unknown); `codes` are the findings about the Node; `note` explains.
    """

    name: str
    glyph: str = "?"
    ready: str = ""  # yes, no, unknown
    pod_cidrs: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    sort_cidr: str = ""  # hexadecimal, fixed width: sorts by family and address
    internal_ips: tuple[str, ...] = ()
    public_ips: tuple[str, ...] = ()
    backend: str = ""
    vni: int | None = None
    vtep_mac: str = ""
    flannel_state: str = ""  # running, CrashLoopBackOff, none, …; "-" where no pod is expected; "?" unknown
    flannel_restarts: int | None = None
    flannel_version: str = ""
    pods_with_ip: int | None = None
    pod_capacity: int | None = None
    created: float | None = None
    codes: tuple[str, ...] = ()
    note: str = ""
    kernel: KernelCells | None = None  # None where nodes were not looked at


class EvidenceLine(View, frozen=True):
    """One proof, cleaned."""

    what: str
    value: str
    origin: str
    command: str = ""


class FindingView(View, frozen=True, kw_only=True):
    """A finding, cleaned, ready to be drawn. `key` is stable between judgements (code and subjects)."""

    key: str
    code: str
    slug: str
    severity: int
    subjects: tuple[tuple[str, str, str], ...]  # (kind, namespace, name)
    nodes: tuple[str, ...] = ()
    summary: str = ""
    why: str = ""
    evidence: tuple[EvidenceLine, ...] = ()
    consequences: tuple[tuple[str, str, str], ...] = ()  # (code, subjects folded, summary)
    remedy: str = ""
    commands: tuple[str, ...] = ()
    caution: str = ""
    undo: str = ""  # how to undo the remedy


class SettingLine(View, frozen=True):
    """One line of the effective configuration: `sure` is yes, hint, estimate, unknown or contradiction.

    `sources` are all that say something of it, each with the command that shows it; `what` is "in effect", "agrees" or
    "contradicts", and "also said" where nothing is in effect.
    """

    name: str
    value: str
    origin: str
    sure: str
    sources: tuple[EvidenceLine, ...] = ()


class CoverageLine(View, frozen=True, kw_only=True):
    """What was looked at: `missing` are (node or "", reason)."""

    topic: str
    asked: int
    answered: int
    scope: str = ""
    missing: tuple[tuple[str, str], ...] = ()
    at: float | None = None


class UnknownLine(View, frozen=True):
    """A check that could not judge."""

    code: str
    nodes: tuple[str, ...]
    reason: str


class Overview(View, frozen=True, kw_only=True):
    """The answer on one page. `verdict` is one or two sentences; `complete` says whether all topics are in."""

    verdict: str
    server: str = ""
    context: str = ""
    version: str = ""
    nodes: int | None = None
    taken: float = 0.0
    source: str = "api"
    complete: bool = False
    findings: tuple[FindingView, ...] = ()
    unknown: tuple[UnknownLine, ...] = ()
    coverage: tuple[CoverageLine, ...] = ()
    configuration: tuple[SettingLine, ...] = ()
    flannel: tuple[str, ...] = ()  # one line an installation
    requests: int = 0
    received: int = 0
