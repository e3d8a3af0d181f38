"""The kernel's table of neighbours was full: it refused entries, and flannel's for peers may be among them. All network
namespaces of a machine share this table, so many pods that talk to many addresses fill it, not only many nodes.

How it is known

The kernel log of a member says `neighbor table overflow` (older kernels: `neighbour table overflow`) since flannel started
there, in the last ten minutes, or while entries for peers are missing there. Without times in the log the missing entries
decide. The table of IPv6 (ndisc_cache) counts where flannel serves IPv6.

How to see it

On the node, `dmesg | grep "table overflow"`; `sysctl net.ipv4.neigh.default.gc_thresh3` is the limit, `ip neigh | wc -l`
what is used.

    flannelscope check --ssh --only FLN421

What to do

Raise gc_thresh1, gc_thresh2 and gc_thresh3 (for IPv6 their twins), here and in a file below /etc/sysctl.d so that it lasts.
Then start flannel there anew, so that it sets what was refused.

How to undo it

Set the former values, which `sysctl` shows before the change, and remove the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.kernel_causes import causes, started
from flannelscope.kernel_words import restart, said_by
from flannelscope.mesh import Mesh
from flannelscope.model import Finding, Kernel, Remedy, Severity, Topic, Unknown, node_subject

OVERFLOW = ("neighbor table overflow", "neighbour table overflow", "Neighbour table overflow")
LATELY = 600.0
PROBE = "kernel_log"


@check(
    "FLN421",
    "neighbour-table-full",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.KERNELS),
    swallows=("FLN310", "FLN403", "FLN404"),
)
def neighbour_table_full(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Members whose kernel refused neighbours."""
    mesh, known = facts.mesh, causes(facts)
    if mesh is None or known is None:
        return
    lacking = {observer for observer, _ in known.pairs}
    unread: dict[str, dict[str, None]] = {}
    for name in mesh.names:
        kernel = mesh.kernel(name)
        if kernel is None or PROBE not in kernel.facts:
            why = facts.why_no_kernel(name) if kernel is None else kernel.missing.get(PROBE, "the kernel log was not read")
            unread.setdefault(why, {})[name] = None
            continue
        said, sure = _overflow(facts, mesh, kernel, lacks=name in lacking)
        if said and sure:
            yield _finding(this, facts, kernel, said)
        elif said:
            why = "the kernel log says that a table of neighbours was full, and when that was is not known"
            unread.setdefault(why, {})[name] = None
    for reason, names in unread.items():
        yield this.unknown(reason, tuple(names))


def _overflow(facts: Facts, mesh: Mesh, kernel: Kernel, *, lacks: bool) -> tuple[str, bool]:
    """The newest such line, "" without one that may count, and whether it surely counts.

    Of the table (arp_cache, ndisc_cache) of a family that flannel serves.
    """
    clock = kernel.facts.get("clock")
    booted = getattr(clock, "booted", None)
    since = started(facts, mesh, kernel.node) or 0.0
    for line in reversed(kernel.facts[PROBE]):
        family = 6 if "ndisc" in line.text else 4
        if family in facts.families and any(words in line.text for words in OVERFLOW):
            at = _moment(line, booted)
            if at is None:
                return str(line.text), lacks
            fresh = at >= since and (lacks or kernel.at - at <= LATELY)
            return (str(line.text), True) if fresh else ("", False)
    return "", False


def _larger(kernel: Kernel, family: str) -> list[str]:
    """Limits above those that the kernel has now, as far as these are known."""
    told = (kernel.facts.get("sysctls") or {}).get(f"net/{family}/neigh/default/gc_thresh3", "")
    most = max(32768, 4 * int(told) if told.isdigit() else 0)
    return [f"net.{family}.neigh.default.gc_thresh{i}={most // part}" for i, part in ((1, 4), (2, 2), (3, 1))]


def _moment(line: Any, booted: float | None) -> float | None:
    return None if line.since_boot is None or booted is None else float(booted + line.since_boot)


def _finding(this: Check, facts: Facts, kernel: Kernel, said: str) -> Finding:
    v6 = "ndisc" in said
    family = "ipv6" if v6 else "ipv4"
    return this.finding(
        f"{kernel.node}'s table of {'IPv6' if v6 else 'IPv4'} neighbours was full: the kernel refused entries, flannel's for "
        "peers may be among them.",
        (node_subject(kernel.node),),
        evidence=(said_by(kernel, f"kernel log of {kernel.node}", said, PROBE, "dmesg | grep 'table overflow'"),),
        remedy=Remedy(
            "Raise the limits of the table, and start flannel there anew.",
            (
                f"sysctl net.{family}.neigh.default.gc_thresh3  # on {kernel.node}: what it is now",
                f"sysctl -w {' '.join(_larger(kernel, family))}  # on {kernel.node}; the same in /etc/sysctl.d",
                *restart(facts, kernel.node),
            ),
        ),
    )
