"""Requests: everything that was asked of the API server, with result, bytes and time; the newest first."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from flannelscope.events import RequestDone
from tui.page import Page
from tui.state import State
from tui.table import Column, Table
from tui.widgets.lines import Note
from tui.widgets.paint import Span
from tui.widgets.rows import Rows
from tui.words import amount, clock, glyph


class RequestsPage(Page):
    """The request log."""

    MODE = "requests"
    KEY = "@"
    TITLE = "Requests"
    SUMMARY = "every request, with its result, bytes and time"
    HELP = """
    What was asked of the API server. Only reading is possible: the transport lets nothing else through. A dash stands
    before what the server does not have, such as the Lease of a controller manager that needs none: an answer, no failure.
    """

    def body(self) -> ComposeResult:
        """One table."""
        table: Table[RequestDone] = Table(
            columns=(
                Column("TIME", "T", self._time, lambda r: r.at, 14),
                Column("STATUS", "S", _status, lambda r: r.status, 6, right=True),
                Column("BYTES", "B", lambda r: amount(r.received), _received, 6, right=True, value=lambda r: str(r.received)),
                Column("SECONDS", "E", lambda r: f"{r.seconds:.3f}", lambda r: r.seconds, 7, right=True),
                Column("PATH", "P", lambda r: r.path, lambda r: r.path, lambda r: len(r.path), most=34),
                Column("METHOD", "M", lambda r: r.method, lambda r: r.method, lambda r: len(r.method), extra=True),
                Column("NOTE", "N", lambda r: r.note, lambda r: r.note, lambda r: len(r.note), extra=True),
            ),
            identity=lambda r: f"{r.at} {r.path} {r.seconds}",
            text=lambda r: f"{r.method} {r.path} {r.status} {r.note}",
            fault=lambda r: r.failed,
            usual=lambda r: -r.at,
        )
        yield Rows(table, _glyph, empty="no request was made", id="requests")
        yield Note(id="note")

    def _time(self, request: RequestDone) -> str:
        return clock(request.at, utc=not self.scope.store.state.local)

    def heading(self, state: State) -> list[Span]:
        """How many, and how much came."""
        received = sum(request.received for request in state.requests)
        return [("Requests  ", "title"), (f"{len(state.requests):,} · {amount(received)} received", "")]

    def draw(self, state: State) -> None:
        """Show them."""
        self.query_one("#requests", Rows).put(state.requests)

    @on(Rows.Moved)
    def moved(self, event: Rows.Moved) -> None:
        """The whole request under the cursor, and what became of it."""
        self.query_one("#note", Note).put(explain(event.rows.row) if event.rows.row is not None else ())


def explain(request: RequestDone) -> list[Span]:
    """The request in a sentence."""
    return [glyph(_glyph(request)), (f" {request.method} {request.path}", ""), (f"  {request.note}", "muted")]


def _glyph(request: RequestDone) -> str:
    return "!" if request.failed else "-" if request.absent else "."


def _received(request: RequestDone) -> int:
    return request.received


def _status(request: RequestDone) -> str:
    return str(request.status) if request.status else "none"


PAGE = RequestsPage
