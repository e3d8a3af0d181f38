"""The node table as text, CSV and JSON. Columns and JSON keys are a promise to scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flannelscope.report import Report, moment
from flannelscope.report.document import head
from flannelscope.text import count
from flannelscope.views import KernelCells, NodeRow

Column = tuple[str, Callable[[NodeRow, float], str]]
DAY, HOUR, MINUTE = 86400, 3600, 60

COLUMNS: Sequence[Column] = (
    ("", lambda row, _: row.glyph),
    ("NODE", lambda row, _: row.name),
    ("READY", lambda row, _: row.ready),
    ("PODCIDR", lambda row, _: ",".join(f"{cidr} {mark}".rstrip() for cidr, mark in zip(row.pod_cidrs, row.marks, strict=True))),
    ("INTERNAL-IP", lambda row, _: ",".join(row.internal_ips)),
    ("PUBLIC-IP", lambda row, _: ",".join(row.public_ips)),
    ("BACKEND", lambda row, _: row.backend),
    ("FLANNEL", lambda row, _: row.flannel_state),
    ("PODS", lambda row, _: pods(row)),
    ("AGE", lambda row, now: age(row.created, now)),
)
WIDE: Sequence[Column] = (
    *COLUMNS[:7],
    ("VNI", lambda row, _: number(row.vni)),
    ("VTEP-MAC", lambda row, _: row.vtep_mac),
    ("FLANNEL", lambda row, _: row.flannel_state),
    ("RESTARTS", lambda row, _: number(row.flannel_restarts)),
    ("VERSION", lambda row, _: row.flannel_version),
    *COLUMNS[8:],
    ("FINDINGS", lambda row, _: ",".join(row.codes)),
)
KERNEL: Sequence[Column] = (
    ("KERNEL", lambda row, _: _kernel(row).release),
    ("MTU", lambda row, _: "" if _kernel(row).flannel_mtu is None else str(_kernel(row).flannel_mtu)),
    ("FLANNELD", lambda row, _: _kernel(row).flannel_version),
    ("ARGUMENTS", lambda row, _: _kernel(row).flannel_arguments),
)
CSV: Sequence[Column] = (
    ("state", lambda row, _: STATES[row.glyph]),
    ("name", lambda row, _: row.name),
    ("ready", lambda row, _: row.ready),
    ("podcidrs", lambda row, _: " ".join(row.pod_cidrs)),
    ("internal_ips", lambda row, _: " ".join(row.internal_ips)),
    ("public_ips", lambda row, _: " ".join(row.public_ips)),
    ("backend", lambda row, _: row.backend),
    ("vni", lambda row, _: "" if row.vni is None else str(row.vni)),
    ("vtep_mac", lambda row, _: row.vtep_mac),
    ("flannel_state", lambda row, _: row.flannel_state),
    ("flannel_restarts", lambda row, _: "" if row.flannel_restarts is None else str(row.flannel_restarts)),
    ("flannel_version", lambda row, _: row.flannel_version),
    ("pods_with_ip", lambda row, _: "" if row.pods_with_ip is None else str(row.pods_with_ip)),
    ("pod_capacity", lambda row, _: "" if row.pod_capacity is None else str(row.pod_capacity)),
    ("created", lambda row, _: moment(row.created)),
    ("findings", lambda row, _: " ".join(row.codes)),
    ("kernel_release", lambda row, _: _kernel(row).release),
    ("flannel_mtu", lambda row, _: "" if _kernel(row).flannel_mtu is None else str(_kernel(row).flannel_mtu)),
    ("flanneld_version", lambda row, _: _kernel(row).flannel_version),
    ("flanneld_arguments", lambda row, _: _kernel(row).flannel_arguments),
)
STATES: Mapping[str, str] = {"x": "critical", "!": "warning", "i": "info", ".": "nothing-found", "?": "unknown"}
UNSEEN = KernelCells(answered=False)
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets would execute


def table(rows: Sequence[NodeRow], now: float, *, wide: bool = False) -> str:
    """The rows under their heads, columns as wide as they need."""
    columns = (*WIDE, *(KERNEL if any(row.kernel for row in rows) else ())) if wide else COLUMNS
    lines = [[title for title, _ in columns], *([cell(row, now) or "-" for _, cell in columns] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    return "".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines
    )


def comma_separated(rows: Sequence[NodeRow], now: float) -> str:
    """RFC 4180 with a head line. What a spreadsheet would take for a formula gets an apostrophe in front."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([title for title, _ in CSV])
    for row in rows:
        writer.writerow([safe(cell(row, now)) for _, cell in CSV])
    return out.getvalue()


def document(report: Report, chosen: Sequence[tuple[str, NodeRow]]) -> dict[str, Any]:
    """The rows as one object; `chosen` are the Nodes' real names with their rows."""
    return {**head(report), "nodes": [_object(name, row) for name, row in chosen]}


def _object(name: str, row: NodeRow) -> dict[str, Any]:
    return {
        "name": name,
        "state": STATES[row.glyph],
        "ready": row.ready,
        "podcidrs": list(row.pod_cidrs),
        "marks": [{"=": "duplicate", "~": "overlap", "!": "outside"}.get(mark, "") for mark in row.marks],
        "internal_ips": list(row.internal_ips),
        "public_ips": list(row.public_ips),
        "backend": row.backend,
        "vni": row.vni,
        "vtep_mac": row.vtep_mac,
        "flannel": {"state": row.flannel_state, "restarts": row.flannel_restarts, "version": row.flannel_version},
        "pods_with_ip": row.pods_with_ip,
        "pod_capacity": row.pod_capacity,
        "created": moment(row.created) or None,
        "findings": list(row.codes),
        "note": row.note,
        "kernel": None if row.kernel is None else _cells(row.kernel),
    }


def _cells(cells: KernelCells) -> dict[str, Any]:
    return {
        "answered": cells.answered,
        "release": cells.release or None,
        "flannel_mtu": cells.flannel_mtu,
        "flannel_version": cells.flannel_version or None,
        "flannel_arguments": cells.flannel_arguments or None,
        "reason": cells.note or None,
    }


def _kernel(row: NodeRow) -> KernelCells:
    return row.kernel or UNSEEN


def faulty(row: NodeRow) -> bool:
    """Whether --problems shows it: something at warning or above was found, or too little is known to say."""
    return row.glyph in ("x", "!", "?")


def tally(rows: Sequence[NodeRow]) -> str:
    """How the Nodes stand, in one line; "=" and its like explained."""
    parts = (
        f"{sum(row.glyph == glyph for row in rows)} {state}"
        for glyph, state in STATES.items()
        if any(r.glyph == glyph for r in rows)
    )
    legend = "" if not any(any(row.marks) for row in rows) else "  (= duplicate, ~ overlap, ! outside)"
    return f"{count(len(rows), 'node')}: {', '.join(parts)}{legend}" if rows else "no nodes"


def pods(row: NodeRow) -> str:
    """Pods with an address, of how many the kubelet takes; "?" where pods were not read."""
    having = number(row.pods_with_ip)
    return having if row.pod_capacity is None else f"{having}/{row.pod_capacity}"


def number(value: int | None) -> str:
    """A number, or "?" where it is not known."""
    return "?" if value is None else str(value)


def age(created: float | None, now: float) -> str:
    """How old, in the largest unit that fits; "?" where that is not known."""
    if created is None:
        return "?"
    seconds = max(int(now - created), 0)
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def safe(text: str) -> str:
    """`text` as no spreadsheet runs it."""
    return f"'{text}" if text.startswith(FORMULA) else text
