"""What the screens about nodes' kernels show, as values. Sent only while a screen that shows it is in view.

All text is cleaned, so that it can be drawn as it is (as text, never as markup).
"""

from __future__ import annotations

from enum import IntEnum

from flannelscope.views import View


class PairState(IntEnum):
    """How an observer's kernel stands towards a peer; the higher, the more it wants to be seen."""

    SELF = 0
    NOT_WANTED = 1  # nothing is wanted there, and nothing is: another network, no member
    OK = 2
    EXTRA = 3  # there, not wanted, harmless
    SETTLING = 4  # one of both changed just now
    UNKNOWN = 5
    DIFFERS = 6
    MISSING = 7


FAULT = PairState.DIFFERS  # from here on it is a fault


class DetailView(View, frozen=True, tag=True):
    """The base of what is shown only on request."""


class Line(View, frozen=True):
    """One line of a table: `role` is "" or how it wants to be seen (bad, warn, info, unknown, muted)."""

    cells: tuple[str, ...]
    role: str = ""


class TableView(View, frozen=True, kw_only=True):
    """Lines under a heading; `note` says what is to be known of all of them, or why there is none."""

    title: str
    head: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    note: str = ""
    command: str = ""  # what shows the same
    role: str = ""  # of the note


class TabView(View, frozen=True):
    """One tab of a node's page."""

    name: str
    tables: tuple[TableView, ...]


class NodeSaysView(DetailView, frozen=True, kw_only=True):
    """What a node said of itself, in tabs. `origin` is how it was reached; `missing` why it was not."""

    node: str
    origin: str = ""
    at: float | None = None
    tabs: tuple[TabView, ...] = ()
    missing: str = ""


class RawSection(View, frozen=True, kw_only=True):
    """The answer to one command, as it came but for control characters."""

    title: str
    command: str
    output: str
    error: str = ""
    status: int | None = None
    cut: bool = False


class RawView(DetailView, frozen=True, kw_only=True):
    """Everything a node said."""

    node: str
    origin: str = ""
    at: float | None = None
    sections: tuple[RawSection, ...] = ()
    missing: str = ""


class MeshView(DetailView, frozen=True, kw_only=True):
    """Every node's kernel towards every peer: `states` are PairState numbers, row by row; rows look towards columns.

    `route`, `neighbour` and `fdb` hold the same for each kind of entry; `note` says what was not looked at.
    """

    names: tuple[str, ...] = ()
    states: bytes = b""
    route: bytes = b""
    neighbour: bytes = b""
    fdb: bytes = b""
    asked: int = 0
    answered: int = 0
    taken: float | None = None
    note: str = ""


class EntryLine(View, frozen=True, kw_only=True):
    """One kind of entry of a pair: what is wanted beside what was found, the command that shows it and the one that mends it."""

    kind: str  # route, neighbour, FDB
    state: int
    wanted: str = ""
    found: str = ""
    shows: str = ""
    mends: tuple[str, ...] = ()
    origin: str = ""


class CellView(DetailView, frozen=True, kw_only=True):
    """One observer towards one peer."""

    observer: str
    peer: str
    state: int
    said: str  # in a sentence
    entries: tuple[EntryLine, ...] = ()


class OutlierGroup(View, frozen=True):
    """Nodes that agree on a value; `nodes` are folded as ranges."""

    value: str
    nodes: str
    count: int


class OutlierLine(View, frozen=True, kw_only=True):
    """One fact over all nodes, the rarest values first. `why` says what a difference means, "" where it is harmless."""

    fact: str
    groups: tuple[OutlierGroup, ...]
    unread: str = ""  # nodes of which it is not known, folded
    why: str = ""


class OutliersView(DetailView, frozen=True, kw_only=True):
    """All facts, those on which nodes differ first."""

    lines: tuple[OutlierLine, ...] = ()
    asked: int = 0
    answered: int = 0
    taken: float | None = None
    note: str = ""


class FollowedLine(View, frozen=True, kw_only=True):
    """A Node that changed while we looked, and how many of the others' kernels have followed.

    `lacking` and `unknown` are folded names: of those that have not, and of those of which too little was read to tell.
    """

    node: str
    what: str
    at: float
    followed: int
    read: int  # others that were looked at since then, and of which it is known
    of: int  # others there are
    lacking: str = ""
    unknown: str = ""
    doubtful: int = 0  # how many are unknown
    seen: float | None = None  # when the others were last looked at


class FollowedView(DetailView, frozen=True, kw_only=True):
    """All changes, the newest first."""

    lines: tuple[FollowedLine, ...] = ()
    note: str = ""


AnyDetail = NodeSaysView | RawView | MeshView | CellView | OutliersView | FollowedView
