"""A screen about one thing that is one document, whose lines lead on to things of another kind."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from tui.page import Detail
from tui.widgets.document import Document


class DocumentPage(Detail):
    """One document. Subclasses write it in `draw`; a chosen line opens a thing of the kind `LEADS_TO`."""

    LEADS_TO: ClassVar[str] = ""

    def body(self) -> ComposeResult:
        """The document."""
        yield Document(id=self.OPENS)

    @property
    def document(self) -> Document:
        """What `draw` writes to."""
        return self.query_one(Document)

    @on(Document.Chosen)
    def chosen(self, event: Document.Chosen) -> None:
        """Open what the line names."""
        self.scope.open(self.LEADS_TO, event.item)
