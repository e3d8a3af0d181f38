"""The first line (who and where), the last line (what now), and lines of explanation."""

from __future__ import annotations

from collections.abc import Iterable

from textual import getters
from textual.geometry import Size
from textual.strip import Strip

from tui.notices import Notices
from tui.widgets.paint import Painted, Span, cropped, width_of, wrap
from tui.words import glyph

GAP = 2  # cells at least between what stands left and right in the first line
GLYPHS = {"information": "", "warning": "!", "error": "x"}
SORT = "sort by: letter shown · arrows · S column of the cursor"
SHARE = 3  # notices take at most this part of the rows


class HeadLine(Painted):
    """Left: what this is. Right: mode and the time of the data.

    Where both do not fit, the right loses its beginning, then the left what is only decoration, then its end.
    """

    DEFAULT_CSS = "HeadLine { dock: top; height: 1; background: $panel; } HeadLine:ansi { text-style: reverse; }"

    def __init__(self) -> None:
        super().__init__()
        self.left: tuple[Span, ...] = ()
        self.right: tuple[Span, ...] = ()
        self.decoration = 0

    def put(self, left: Iterable[Span], right: Iterable[Span], decoration: int = 0) -> None:
        """Say something else; nothing is painted when it is the same. The first `decoration` spans may go."""
        said = tuple(left), tuple(right)
        if said != (self.left, self.right):
            self.left, self.right = said
            self.decoration = decoration
            self.refresh()

    @property
    def text(self) -> str:
        """What the line says."""
        return "".join(text for text, _ in (*self.left, *self.right))

    def render_line(self, y: int) -> Strip:
        """The line."""
        left, right = list(self.left), list(self.right)
        room = self.size.width - 2
        while len(right) > 1 and width_of(left) + GAP + width_of(right) > room:
            right.pop(0)
        if width_of(left) + GAP + width_of(right) > room:
            left = left[self.decoration :]
        most = max(room // 2, room - GAP - width_of(left))
        if width_of(right) > most:
            right = cropped(right, most)
        most = room - (GAP + width_of(right) if right else 0)
        if width_of(left) > most:
            left = cropped(left, most)
        blank = room - width_of(left) - width_of(right)
        return self.paint([(" ", ""), *left, (" " * blank, ""), *right], self.size.width)


class KeyLine(Painted):
    """The keys that matter here, as the bindings in force say; those that do not fit are left out, but never help.

    While something is said it stands here instead of them; a long text pushes the page up and covers none of it.
    """

    DEFAULT_CSS = "KeyLine { dock: bottom; height: 1; background: $panel; } KeyLine:ansi { text-style: reverse; }"

    scope = getters.app(Notices)

    def on_mount(self) -> None:
        """Follow the bindings."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())
        self.lay()

    def on_resize(self) -> None:
        """What is said may need more lines."""
        self.lay()

    def lay(self) -> None:
        """As many lines as what is said needs, above the line in which something is typed."""
        asked = len(self.screen.query("Prompt"))
        self.styles.height = max(len(self._said()) + asked, 1)
        self.refresh()

    def _said(self) -> list[list[Span]]:
        lines: list[list[Span]] = []
        width = max(self.app.size.width - 2, 8)
        if getattr(self.screen.focused, "choosing", False):
            lines += wrap([(SORT, "accent")], width)
        for notice in self.scope.notices:
            mark, role = glyph(GLYPHS[notice.severity])
            lines += wrap([(f"{mark} " if mark else "", role), (notice.text, role or "title")], width, 2)
        most = max(self.app.size.height // SHARE, 1)
        return lines if len(lines) <= most else [*lines[: most - 1], [*lines[most - 1], ("…", "muted")]]

    def _hints(self) -> list[tuple[str, str, bool]]:
        seen: dict[str, tuple[str, str, bool]] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and binding.description and binding.action not in seen:
                key = self.app.get_key_display(binding)
                seen[binding.action] = (key, binding.description, active.enabled)
        return sorted(seen.values(), key=lambda hint: (not hint[0].isdigit(), hint[0] == "?"))

    @property
    def text(self) -> str:
        """What the line says."""
        return "\n".join("".join(text for text, _ in line) for line in self._said() or [self._spans()])

    def _spans(self) -> list[Span]:
        hints = self._hints()
        while len(hints) > 3 and sum(len(key) + len(means) + 3 for key, means, _ in hints) > self.size.width:
            hints.pop(-3)
        spans: list[Span] = []
        for key, means, enabled in hints:
            spans += [(" ", ""), (key, "key" if enabled else "muted"), (f" {means} ", "" if enabled else "muted")]
        return spans

    def render_line(self, y: int) -> Strip:
        """The keys, or a line of what is said."""
        said = self._said()
        if not said:
            return self.paint(self._spans(), self.size.width)
        return self.paint([(" ", ""), *said[y]] if y < len(said) else (), self.size.width)


class Note(Painted):
    """A few lines that explain, as high as the style sheet says; more is cut with an ellipsis."""

    DEFAULT_CSS = "Note { height: 2; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.spans: tuple[Span, ...] = ()

    def put(self, spans: Iterable[Span]) -> None:
        """Say something else."""
        said = tuple(spans)
        if said != self.spans:
            self.spans = said
            self.refresh(layout=self.styles.is_auto_height)

    @property
    def text(self) -> str:
        """What is said."""
        return "".join(text for text, _ in self.spans)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as are needed."""
        return len(wrap(self.spans, max(width - 2, 8), 0)) if self.spans else 0

    def render_line(self, y: int) -> Strip:
        """One of the lines."""
        lines = wrap(self.spans, max(self.size.width - 2, 8))
        line: list[Span] = lines[y] if y < len(lines) else []
        if y == self.size.height - 1 and len(lines) > self.size.height:
            line = [*line, ("…", "muted")]
        return self.paint([(" ", ""), *line], self.size.width)
