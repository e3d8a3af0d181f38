"""What the console and its engine say to each other: messages, and how they are framed on a pipe.

Each message is msgpack, sent in frames of at most 256 KB: four bytes of length (big-endian; the highest bit says that the
message goes on in the next frame), then so many bytes. All text in a message of the engine is cleaned.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import IO, Final, TypeVar

import msgspec

from flannelscope.events import RequestDone
from flannelscope.model import Gap
from flannelscope.node_views import AnyDetail
from flannelscope.session import Settings
from flannelscope.views import FindingView, NodeRow, Overview, View

FRAME: Final = 256 * 1024
_MORE: Final = 1 << 31
_HEAD: Final = struct.Struct(">I")
ViewT = TypeVar("ViewT", bound=View)


class Message(msgspec.Struct, frozen=True, eq=False, gc=False, tag=True, omit_defaults=True, kw_only=True):
    """The base of all messages. `run` numbers the reading it belongs to: what comes of an older one is dropped."""

    run: int


class Start(Message, frozen=True):
    """To the engine: end what runs, forget it, and read what `settings` name."""

    settings: Settings


class Reread(Message, frozen=True):
    """To the engine: read the same again; what is known stays until it is replaced."""


class Refresh(Message, frozen=True):
    """To the engine: within this reading, which is followed, read again what no watch tells of; Refreshed or Declined answers."""


class Stop(Message, frozen=True):
    """To the engine: end what runs; what is known stays."""


class Look(Message, frozen=True):
    """To the engine: these details (name, and what about) are in view from now on; they are told, and again when they change."""

    details: tuple[tuple[str, tuple[str, ...]], ...]


class Reply(Message, frozen=True):
    """To the engine: the answer to the question of this id; None declines. It may be a secret, and is shown nowhere."""

    id: str
    text: str | None = None

    def __repr__(self) -> str:
        return f"Reply({self.id!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """What rich shows of it, for instance in the traceback with locals of a console that crashed."""
        return [("id", self.id)]


class Asked(Message, frozen=True):
    """The engine has to ask the operator (questions.Question); what hangs on it waits a while for the Reply."""

    id: str
    kind: str
    host: str
    text: str
    secret: bool = False


class Withdrawn(Message, frozen=True):
    """Nobody waits for the answer to the question of this id any more."""

    id: str


class Hello(Message, frozen=True):
    """The engine is up. `process` is its process id."""

    process: int


class Progressed(Message, frozen=True):
    """How far the reading of `topic` is. `total` where the server said it; `received` bytes and `requests` in all so far."""

    topic: str
    read: int
    total: int | None = None
    done: bool = False
    requests: int = 0
    received: int = 0


class Rows(Message, frozen=True):
    """Node rows that are new or changed, and names that are gone. `first` begins a set from nothing, `last` ends a change."""

    rows: tuple[NodeRow, ...]
    removed: tuple[str, ...] = ()
    first: bool = False
    last: bool = False


class Findings(Message, frozen=True):
    """Findings that are new or changed; the Judged that follows says which are held, and in which order."""

    findings: tuple[FindingView, ...]


class Judged(Message, frozen=True):
    """The answer as it stands. `overview` comes without findings; `keys` name those that hold, worst first."""

    overview: Overview
    keys: tuple[str, ...]


class Detailed(Message, frozen=True):
    """A detail that is in view, as it stands; None where there is no such thing."""

    what: str
    about: tuple[str, ...]
    view: AnyDetail | None


class Requested(Message, frozen=True):
    """Requests that were made, oldest first."""

    requests: tuple[RequestDone, ...]


class Gaps(Message, frozen=True):
    """What could not be read."""

    gaps: tuple[Gap, ...]


class WatchStates(Message, frozen=True):
    """How watches stand: topic, then state (watching, reconnecting, relisting, off) and reason."""

    states: dict[str, tuple[str, str]]


class Failed(Message, frozen=True):
    """The reading ended with an error: what is wrong, where, and what to do."""

    what: str
    where: str = ""
    do: str = ""


class Finished(Message, frozen=True):
    """All topics were read once; from here on changes are followed, where the source can be followed."""

    seconds: float


class Refreshed(Message, frozen=True):
    """What no watch tells of was read again, or, as `failed` says, could not be; all of it may be in `lists_in` seconds."""

    lists_in: float
    failed: str = ""


class Declined(Message, frozen=True):
    """There is nothing to go on from: a Reread is needed."""


Request = Start | Reread | Refresh | Stop | Look | Reply
Event = (
    Hello
    | Progressed
    | Rows
    | Findings
    | Judged
    | Detailed
    | Requested
    | Gaps
    | WatchStates
    | Failed
    | Finished
    | Refreshed
    | Declined
    | Asked
    | Withdrawn
)

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_events: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def encode(message: Message | View) -> bytes:
    """One message or view as msgpack."""
    return _encoder.encode(message)


def decode_request(payload: bytes) -> Request:
    """A message to the engine. Raises msgspec.DecodeError for anything else."""
    return _requests.decode(payload)


def decode_event(payload: bytes) -> Event:
    """A message of the engine. Raises msgspec.DecodeError for anything else."""
    return _events.decode(payload)


def frames(payload: bytes) -> Iterator[bytes]:
    """The frames that carry `payload`, head and body in one."""
    starts = range(0, max(len(payload), 1), FRAME)
    for start in starts:
        body = payload[start : start + FRAME]
        more = _MORE if start + FRAME < len(payload) else 0
        yield _HEAD.pack(len(body) | more) + body


def payloads(stream: IO[bytes]) -> Iterator[bytes]:
    """The messages that arrive on `stream`, until it ends. A message cut off by the end is dropped."""
    parts: list[bytes] = []
    while len(head := stream.read(_HEAD.size)) == _HEAD.size:
        (length,) = _HEAD.unpack(head)
        body = stream.read(length & ~_MORE)
        if len(body) < length & ~_MORE:
            return
        parts.append(body)
        if not length & _MORE:
            yield b"".join(parts)
            parts.clear()


def batches(views: Iterable[ViewT], limit: int = FRAME // 2) -> Iterator[tuple[ViewT, ...]]:
    """Views in groups whose encoding stays below `limit` bytes (a larger single view makes a group of its own)."""
    group: list[ViewT] = []
    size = 0
    for view in views:
        more = len(_encoder.encode(view))
        if group and size + more > limit:
            yield tuple(group)
            group, size = [], 0
        group.append(view)
        size += more
    if group:
        yield tuple(group)
