"""Tables inside a document: as wide as their cells, one live line each, so that the cursor goes through them and copies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from flannelscope.node_views import Line, RawView, TableView
from tui.widgets.document import Block
from tui.widgets.paint import Span
from tui.words import fit

MOST = 40  # cells of a column but the last
GAP = "  "


def table_blocks(tables: Iterable[TableView]) -> Iterable[Block]:
    """Title, what shows the same, heading and lines of each table."""
    for table in tables:
        yield Block()
        counted = f"  {len(table.lines)}" if table.lines else ""
        yield Block(((table.title, "title"), (counted, "muted")))
        if table.command:
            yield Block((("$ ", "muted"), (table.command, "muted")), indent=2, folded=True, copy=table.command)
        if table.note:
            yield Block(((table.note, table.role),))
        if table.lines:
            yield from _lines(table)


def _lines(table: TableView) -> Iterable[Block]:
    rows = [table.head, *(line.cells for line in table.lines)]
    widths = [min(max(map(cell_len, column)), MOST) for column in zip(*rows, strict=True)]
    yield Block(((_text(table.head, widths), "muted"),))
    for line in table.lines:
        yield Block(_spans(line, widths), indent=2, copy="\t".join("" if cell == "-" else cell for cell in line.cells))


def _spans(line: Line, widths: Sequence[int]) -> tuple[Span, ...]:
    return ((_text(line.cells, widths), line.role),)


def _text(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Cells side by side; the last is never cut, and one that is too wide pushes the others on."""
    padded = [fit(cell, width) if cell_len(cell) < width else cell for cell, width in zip(cells[:-1], widths, strict=False)]
    return GAP.join([*padded, cells[-1]]).rstrip()


def raw_blocks(told: RawView) -> Iterable[Block]:
    """Every answer as it came."""
    for section in told.sections:
        yield Block()
        ended = f"  exit {section.status}" if section.status else ""
        yield Block(((section.title, "title"), (ended, "warn"), ("  cut: it was too long" if section.cut else "", "warn")))
        if section.command:
            yield Block((("$ ", "muted"), (section.command, "muted")), indent=2, copy=section.command)
        if section.error:
            yield Block(((section.error, "warn"),), indent=2)
        for line in section.output.split("\n") if section.output else ():
            yield Block(((line, ""),), indent=2, copy=line)
