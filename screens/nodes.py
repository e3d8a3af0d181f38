"""Nodes: the node and podCIDR table; the lines under it explain the row under the cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from textual import on
from textual.app import ComposeResult

from flannelscope.cidr import parse_address
from flannelscope.views import NodeRow
from tui.page import Page
from tui.state import Phase, State
from tui.table import Column, Table
from tui.waiting import waiting
from tui.widgets.lines import Note
from tui.widgets.paint import Span
from tui.widgets.rows import Rows
from tui.words import age, glyph, listed, sortable

WORST_FIRST = {"x": 0, "!": 1, "?": 2, "i": 3, ".": 4}


def pod_cidrs(row: NodeRow) -> Sequence[Span]:
    """The podCIDRs, each with its mark behind it: "=" duplicate, "~" overlap, "!" outside."""
    if not row.pod_cidrs:
        return [("none", "muted")]
    spans: list[Span] = []
    for index, cidr in enumerate(row.pod_cidrs):
        mark = row.marks[index] if index < len(row.marks) else ""
        spans += [("," if index else "", ""), (cidr, ""), (f" {mark}" if mark else "", "bad")]
    return spans


@lru_cache(65536)
def by_address(addresses: tuple[str, ...]) -> tuple[int, int]:
    """A sort key for addresses: family, then number; none last."""
    return (parse_address(addresses[0]) if addresses else None) or (9, 0)


def flannel(row: NodeRow) -> str:
    """flannel's pod in one cell: how it runs, and how often it was started again."""
    return f"{row.flannel_state or '-'}{f' ({row.flannel_restarts})' if row.flannel_restarts else ''}"


def search_text(row: NodeRow) -> str:
    """What the filter looks at."""
    parts = (
        row.name,
        *(row.pod_cidrs or ("none",)),
        *row.internal_ips,
        *row.public_ips,
        row.backend,
        row.vtep_mac,
        flannel(row),
        *row.codes,
    )
    return " ".join(parts)


def _length(texts: Sequence[str]) -> int:
    return sum(map(len, texts)) + len(texts)


class NodesPage(Page):
    """The table of all nodes."""

    MODE = "nodes"
    KEY = "2"
    TITLE = "Nodes"
    SUMMARY = "the node and podCIDR table"
    HELP = """
    Marks beside a podCIDR: `=` held by two nodes, `~` overlaps another, `!` outside the range.
    The worst come first until you sort (`S`). Ages are as of the time of the data.
    """

    def body(self) -> ComposeResult:
        """The table, and what explains the row."""
        self.taken = 0.0
        self.drawn: Mapping[str, NodeRow] = {}
        table: Table[NodeRow] = Table(
            columns=self._columns(),
            identity=lambda row: row.name,
            text=search_text,
            fault=lambda row: row.glyph not in ".i",
            usual=lambda row: (WORST_FIRST.get(row.glyph, 9), sortable(row.name)),
        )
        yield Rows(table, lambda row: row.glyph, id="nodes")
        yield Note(id="note")

    def _columns(self) -> tuple[Column[NodeRow], ...]:
        ips, public = (lambda r: listed(r.internal_ips)), (lambda r: listed(r.public_ips))
        return (
            Column("NODE", "N", lambda r: r.name, lambda r: sortable(r.name), lambda r: len(r.name), most=60),
            Column("READY", "R", lambda r: r.ready or "?", lambda r: r.ready, 7),
            Column(
                "PODCIDR",
                "D",
                pod_cidrs,
                lambda r: r.sort_cidr,
                lambda r: _length(r.pod_cidrs) + 2 * any(r.marks) - 1,
                value=lambda r: ",".join(r.pod_cidrs),
            ),
            Column("INTERNAL-IP", "I", ips, lambda r: by_address(r.internal_ips), lambda r: _length(r.internal_ips) - 1),
            Column("PUBLIC-IP", "U", public, lambda r: by_address(r.public_ips), lambda r: _length(r.public_ips) - 1),
            Column("TYPE", "T", lambda r: r.backend or "-", lambda r: r.backend, lambda r: len(r.backend)),
            Column("PODS", "P", _pods, lambda r: -1 if r.pods_with_ip is None else r.pods_with_ip, 4, right=True),
            Column("AGE", "A", self._age, lambda r: -(r.created or 0.0), 4, right=True),
            Column("FLANNEL", "F", flannel, flannel, lambda r: len(flannel(r)), extra=True),
            Column("VERSION", "O", lambda r: r.flannel_version or "-", _version, lambda r: len(r.flannel_version), extra=True),
            Column("VTEP MAC", "M", lambda r: r.vtep_mac or "-", lambda r: r.vtep_mac, 17, extra=True),
            Column("VNI", "V", lambda r: _number(r.vni), lambda r: r.vni or -1, 4, right=True, extra=True),
            Column("CAPACITY", "C", lambda r: _number(r.pod_capacity), _capacity, 4, right=True, extra=True),
        )

    def _age(self, row: NodeRow) -> str:
        return age(self.taken - row.created) if row.created is not None and self.taken else "-"

    def heading(self, state: State) -> list[Span]:
        """How many of how many, and what is left out."""
        return self.query_one("#nodes", Rows).counted("Nodes", "faults only")

    def draw(self, state: State) -> None:
        """Show the rows."""
        taken = state.overview.taken if state.overview is not None else 0.0
        rows = self.query_one("#nodes", Rows)
        rows.empty = _empty(state)
        if state.rows is not self.drawn:
            self.drawn, self.taken = state.rows, taken
            rows.put(state.rows.values())
        elif taken != self.taken or not state.rows:
            self.taken = taken  # ages are as of this time
            rows.repaint()

    @on(Rows.Moved)
    def moved(self, event: Rows.Moved) -> None:
        """Explain the row under the cursor."""
        row: NodeRow | None = event.rows.row
        self.head(self.scope.store.state)
        self.query_one("#note", Note).put(explain(row) if row is not None else ())

    @on(Rows.Chosen)
    def chosen(self, event: Rows.Chosen) -> None:
        """All that is known of the node."""
        self.scope.open("node", event.row.name)


def _empty(state: State) -> str:
    """What stands in place of rows: that there are none is said only where they were read."""
    if state.overview is None or state.phase is not Phase.FINISHED or state.judging:
        return waiting(state)
    line = next((line for line in state.overview.coverage if line.topic == "nodes"), None)
    lacking = line.missing[0][1] if line is not None and line.missing else ""
    if state.overview.nodes is None or (lacking and not state.overview.nodes):
        return f"the nodes could not be read: {lacking}   (1 says more)"
    return "there are no nodes"


def _pods(row: NodeRow) -> str:
    return _number(row.pods_with_ip)


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _version(row: NodeRow) -> object:
    return sortable(row.flannel_version)


def _capacity(row: NodeRow) -> int:
    return row.pod_capacity or -1


def explain(row: NodeRow) -> list[Span]:
    """The row in a sentence."""
    return [glyph(row.glyph), (" ", ""), (row.name, "title"), (f"  {row.note or 'nothing found'}", "")]


PAGE = NodesPage
