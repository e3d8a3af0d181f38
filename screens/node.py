"""One node: every value that is known of it, the findings about it, and in further tabs what its kernel and files say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType

from flannelscope.node_views import NodeSaysView, RawView, TableView
from flannelscope.views import FindingView, NodeRow
from tui.detail import DocumentPage
from tui.state import State
from tui.tables import raw_blocks, table_blocks
from tui.widgets.document import Block
from tui.widgets.paint import Span
from tui.words import SEVERITIES, age, clock, fit, glyph, listed

LABEL = 18
SUMMARY, RAW = "Summary", "Raw"
TABS = (SUMMARY, "Interfaces", "Routes", "Neighbours/FDB", "Firewall", "Flannel", RAW)


class NodePage(DocumentPage):
    """A node, opened."""

    OPENS = "node"
    LEADS_TO = "finding"
    TITLE = "Node"
    HELP = """
    Enter opens the finding under the cursor; `c` copies the value. `Tab` goes through what the node said of itself: with
    `--ssh` its devices, routes, neighbours, firewall, files, and at last every answer exactly as it came.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "tab(1)", "next tab", id="node.tab", tooltip="what the node itself says", priority=True),
        Binding("shift+tab", "tab(-1)", "tab before", show=False, id="node.tab-before", tooltip="the one before", priority=True),
    ]
    row: NodeRow | None = None
    tab = 0

    def heading(self, state: State) -> list[Span]:
        """Its name."""
        mark = glyph(self.row.glyph) if self.row is not None else glyph("?")
        return [mark, (" Node ", ""), (self.key, "title")]

    def wants(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What the tab in view shows."""
        if TABS[self.tab] == SUMMARY:
            return ()
        return (("raw" if TABS[self.tab] == RAW else "node-says", (self.key,)),)

    def action_tab(self, step: int) -> None:
        """Another tab."""
        self.tab = (self.tab + step) % len(TABS)
        self.scope.look(self.wants())
        self.document.put(())  # the cursor begins at the top
        self.show(self.scope.store.state)

    def draw(self, state: State) -> None:
        """Show it; where it is gone, say so and keep showing what was known."""
        held = state.rows.get(self.key)
        self.row = held or self.row
        told = state.details.get(self.wants()[0]) if self.wants() else None
        blocks = self._summary(state, held is None) if TABS[self.tab] == SUMMARY else self._told(state, told)
        self.document.put((Block(self._bar()), *blocks))

    def _bar(self) -> tuple[Span, ...]:
        """The names of the tabs, that in view in brackets: so it is told apart without colour too."""
        return tuple(
            (f"[{name}] " if place == self.tab else f" {name}  ", "accent" if place == self.tab else "muted")
            for place, name in enumerate(TABS)
        )

    def _told(self, state: State, told: object) -> Iterable[Block]:
        yield Block()
        if isinstance(told, (NodeSaysView, RawView)) and told.missing:
            yield Block(((f"What the node itself says is not known: {told.missing}", "unknown"),))
        elif isinstance(told, RawView):
            yield Block(((self._source(told, state), "muted"),))
            yield from raw_blocks(told)
        elif isinstance(told, NodeSaysView):
            yield Block(((self._source(told, state), "muted"),))
            yield from table_blocks(_tables(told, TABS[self.tab]))
        elif self.wants()[0] in state.details:
            yield Block((("There is no such node.", "muted"),))
        else:
            yield Block((("asking…", "muted"),))

    def _source(self, told: NodeSaysView | RawView, state: State) -> str:
        return f"{told.origin}, {clock(told.at or 0.0, utc=not state.local)}"

    def _summary(self, state: State, gone: bool) -> Iterable[Block]:
        findings = [finding for finding in state.findings if self.key in finding.nodes]
        taken = state.overview.taken if state.overview is not None else 0.0
        yield Block()
        if self.row is None:
            yield Block((("There is no such node, or it was not read yet.", "muted"),))
            return
        if gone:
            yield Block((("This node is gone; what follows was true before.", "warn"),))
        yield from self._findings(self.row, findings)
        for name, spans in _values(self.row, taken, not state.local):
            yield Block(((fit(name, LABEL), "muted"), *spans), indent=LABEL, copy="".join(text for text, _ in spans).strip())

    def _findings(self, row: NodeRow, findings: list[FindingView]) -> Iterable[Block]:
        if not findings:
            yield Block(((row.note or "nothing found", "title"),))
            yield Block()
        for finding in findings:
            mark, role = glyph(SEVERITIES.get(finding.severity, "?"))
            yield Block(((mark, role), (f" {finding.code} ", role), (finding.summary, "")), indent=9, item=finding.key)
        shown = {finding.code for finding in findings}
        others = [code for code in row.codes if code not in shown]
        if others:
            yield Block(((f"as a consequence: {', '.join(others)}", "muted"),), indent=2)
        if findings:
            yield Block()


def _tables(told: NodeSaysView, name: str) -> tuple[TableView, ...]:
    return next((tab.tables for tab in told.tabs if tab.name == name), ())


def _values(row: NodeRow, taken: float, utc: bool) -> Iterable[tuple[str, list[Span]]]:
    created = row.created
    born = f"{clock(created, utc=utc, now=0)}  {age(taken - created)} ago" if created is not None else "-"
    words = {"=": " held by another node too", "~": " overlaps another", "!": " outside the range", "": ""}
    cidrs: list[Span] = []
    for index, cidr in enumerate(row.pod_cidrs):
        mark = row.marks[index] if index < len(row.marks) else ""
        cidrs += [(", " if index else "", ""), (cidr, ""), (f" {mark}{words.get(mark, '')}" if mark else "", "bad")]
    yield "podCIDR", cidrs or [("none", "muted")]
    plain = (
        ("ready", row.ready or "unknown"),
        ("InternalIP", listed(row.internal_ips)),
        ("public-ip", listed(row.public_ips)),
        ("backend", row.backend or "-"),
        ("VNI", "-" if row.vni is None else str(row.vni)),
        ("VTEP MAC", row.vtep_mac or "-"),
        ("flannel pod", row.flannel_state or "-"),
        ("restarts", "-" if row.flannel_restarts is None else str(row.flannel_restarts)),
        ("flannel version", row.flannel_version or "-"),
        ("pods with address", "not counted" if row.pods_with_ip is None else str(row.pods_with_ip)),
        ("pod capacity", "-" if row.pod_capacity is None else str(row.pod_capacity)),
        ("created", born),
    )
    for name, value in plain:
        yield name, [(value, "")]


PAGE = NodePage
