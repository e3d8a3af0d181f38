"""One node: every value that is known of it, and the findings about it."""

from __future__ import annotations

from collections.abc import Iterable

from flannelscope.views import FindingView, NodeRow
from tui.detail import DocumentPage
from tui.state import State
from tui.widgets.document import Block
from tui.widgets.paint import Span
from tui.words import SEVERITIES, age, clock, fit, glyph, listed

LABEL = 18


class NodePage(DocumentPage):
    """A node, opened."""

    OPENS = "node"
    LEADS_TO = "finding"
    TITLE = "Node"
    HELP = "Enter opens the finding under the cursor; `c` copies the value."
    row: NodeRow | None = None

    def heading(self, state: State) -> list[Span]:
        """Its name."""
        mark = glyph(self.row.glyph) if self.row is not None else glyph("?")
        return [mark, (" Node ", ""), (self.key, "title")]

    def draw(self, state: State) -> None:
        """Show it; where it is gone, say so and keep showing what was known."""
        held = state.rows.get(self.key)
        self.row = held or self.row
        findings = [finding for finding in state.findings if self.key in finding.nodes]
        taken = state.overview.taken if state.overview is not None else 0.0
        self.document.put(self._blocks(held is None, findings, taken, utc=not state.local))

    def _blocks(self, gone: bool, findings: list[FindingView], taken: float, *, utc: bool) -> Iterable[Block]:
        yield Block()
        if self.row is None:
            yield Block((("There is no such node, or it was not read yet.", "muted"),))
            return
        if gone:
            yield Block((("This node is gone; what follows was true before.", "warn"),))
        if not findings:
            yield Block(((self.row.note or "nothing found", "title"),))
            yield Block()
        for finding in findings:
            mark, role = glyph(SEVERITIES.get(finding.severity, "?"))
            yield Block(((mark, role), (f" {finding.code} ", role), (finding.summary, "")), indent=9, item=finding.key)
        shown = {finding.code for finding in findings}
        others = [code for code in self.row.codes if code not in shown]
        if others:
            yield Block(((f"as a consequence: {', '.join(others)}", "muted"),), indent=2)
        if findings:
            yield Block()
        for name, spans in _values(self.row, taken, utc):
            yield Block(((fit(name, LABEL), "muted"), *spans), indent=LABEL, copy="".join(text for text, _ in spans).strip())


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
