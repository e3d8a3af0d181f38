"""Findings: what is wrong, the worst first; apart from it the checks that could not judge."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult

from flannelscope.text import count, spoken
from flannelscope.views import FindingView, UnknownLine
from tui.page import Page
from tui.state import Phase, State
from tui.table import Column, Gather, Table
from tui.waiting import waiting
from tui.widgets.lines import Note
from tui.widgets.paint import Span
from tui.widgets.rows import Rows
from tui.words import SEVERITIES, folded, glyph, sortable

LIST = "list "  # begins the key of a row that stands for many


def where(finding: FindingView) -> str:
    """What it is about, in few words."""
    if finding.nodes:
        return folded(finding.nodes, 2)
    return ", ".join(name for _, _, name in finding.subjects[:2])


def _kind(finding: FindingView) -> str:
    return f"{LIST}{finding.code} {finding.severity}"


def _together(kind: str, same: Sequence[FindingView]) -> FindingView:
    """The one row for many findings of a code, about all that they are about."""
    first = same[0]
    return FindingView(
        key=kind,
        code=first.code,
        slug=f"{len(same)} × {first.slug}",
        severity=first.severity,
        subjects=tuple(dict.fromkeys(subject for finding in same for subject in finding.subjects)),
        nodes=tuple(dict.fromkeys(node for finding in same for node in finding.nodes)),
        summary=f"{len(same)} findings of this kind; enter lists them. The first: {first.summary}",
    )


def _title(finding: FindingView) -> str:
    return spoken(finding.slug)


def _search_text(finding: FindingView) -> str:
    return " ".join((finding.code, _title(finding), finding.summary, *finding.nodes, *(name for *_, name in finding.subjects)))


def _unjudged(line: UnknownLine) -> str:
    return folded(line.nodes, 2) or "cluster"


FINDINGS: tuple[Column[FindingView], ...] = (
    Column("CODE", "C", lambda f: f.code, lambda f: f.code, lambda f: len(f.code)),
    Column("WHAT", "W", _title, _title, lambda f: len(f.slug), most=30),
    Column("WHERE", "H", where, lambda f: sortable(where(f)), lambda f: len(where(f)), most=32),
    Column("NODES", "N", lambda f: str(len(f.nodes) or "-"), lambda f: -len(f.nodes), 4, right=True),
    Column("SAYS", "S", lambda f: f.summary, lambda f: f.summary, lambda f: len(f.summary), extra=True, most=100),
)
UNKNOWN: tuple[Column[UnknownLine], ...] = (
    Column("CODE", "C", lambda u: u.code, lambda u: u.code, lambda u: len(u.code)),
    Column("WHY NOT", "W", lambda u: u.reason, lambda u: u.reason, lambda u: len(u.reason), most=44),
    Column("WHERE", "H", _unjudged, lambda u: len(u.nodes), lambda u: len(_unjudged(u)), most=24),
)


class FindingsPage(Page):
    """The list of findings."""

    MODE = "findings"
    KEY = "7"
    TITLE = "Findings"
    SUMMARY = "what is wrong, with evidence and remedy"
    HELP = (
        "Enter shows evidence, why it matters and what to do. More than 5 findings of one code are one row: Enter lists them, "
        "Esc goes back to all. Tab goes to the checks that could not judge."
    )

    def body(self) -> ComposeResult:
        """Findings, what explains one, and what is not known."""
        table = Table(
            columns=FINDINGS,
            identity=lambda f: f.key,
            text=_search_text,
            fault=lambda f: f.severity > 1,
            usual=lambda f: (-f.severity, f.code, sortable(where(f))),
            gather=Gather(_kind, _together),
        )
        unknown = Table(
            columns=UNKNOWN,
            identity=lambda u: f"{u.code} {u.reason} {len(u.nodes)} {u.nodes[:1]}",
            text=lambda u: f"{u.code} {u.reason} {' '.join(u.nodes)}",
            fault=lambda u: True,
            usual=lambda u: u.code,
        )
        yield Rows(table, lambda f: SEVERITIES.get(f.severity, "?"), id="findings")
        yield Note(id="note")
        yield Note(id="unknown-title")
        yield Rows(unknown, lambda u: "?", id="unknown")

    def heading(self, state: State) -> list[Span]:
        """How many."""
        return self.query_one("#findings", Rows).counted("Findings", "without info")

    def draw(self, state: State) -> None:
        """Show both lists."""
        rows, unknown = self.query_one("#findings", Rows), self.query_one("#unknown", Rows)
        rows.empty = _empty(state)
        rows.put(state.findings)
        lines = state.overview.unknown if state.overview is not None else ()
        unknown.put(lines)
        unknown.styles.height = min(len(lines) + 1, 8)
        unknown.display = bool(lines)
        done = state.overview is not None and state.overview.complete
        said = f"not looked at: {count(len(lines), 'check')} could not judge{'' if done else ' yet'}"
        title = self.query_one("#unknown-title", Note)
        title.display = bool(lines)
        title.put([(said, "unknown")])

    @on(Rows.Moved, "#findings")
    def moved(self, event: Rows.Moved) -> None:
        """Say the whole sentence of the finding under the cursor."""
        finding: FindingView | None = event.rows.row
        self.head(self.scope.store.state)
        note = self.query_one("#note", Note)
        note.put([glyph(SEVERITIES.get(finding.severity, "?")), (f" {finding.summary}", "")] if finding else ())

    @on(Rows.Chosen, "#findings")
    def chosen(self, event: Rows.Chosen) -> None:
        """The finding with all its evidence, or the list of those that one row stands for."""
        finding: FindingView = event.row
        if finding.key.startswith(LIST):
            self.scope.go(self.MODE, finding.code)
        else:
            self.scope.open("finding", finding.key)

    @on(Rows.Chosen, "#unknown")
    def chosen_unknown(self, event: Rows.Chosen) -> None:
        """The whole reason."""
        line: UnknownLine = event.row
        self.notify(f"{line.code} could not judge {folded(line.nodes, 8) or 'the cluster'}: {line.reason}", markup=False)


def _empty(state: State) -> str:
    if state.overview is None:
        return waiting(state)
    if state.phase is Phase.READING or state.judging:
        return "nothing found so far; not done yet"
    return "nothing found in what was looked at"


PAGE = FindingsPage
