"""One watch: from a list's resourceVersion on, line by line, over cuts and expiry, in a thread of its own.

A version that is too old (410) makes the list be read again, with back-off, and never a whole kind more often than
`Pace.relist`: until then the state says how long it will take. Reconnecting goes on from the last bookmark or object.
"""

from __future__ import annotations

import queue
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
import urllib3.exceptions as u3

from flannelscope.errors import CannotRead, ReadFailed, Refused
from flannelscope.events import RequestDone, WatchState
from flannelscope.model import Gap, Value
from flannelscope.sources import faults, wire
from flannelscope.sources.background import Halt
from flannelscope.sources.decode import BROKEN, Odd
from flannelscope.sources.paging import Page, pages
from flannelscope.sources.reader import gap_of
from flannelscope.sources.streams import Start, Stream
from flannelscope.sources.transport import Stream as Body
from flannelscope.sources.transport import Transport

_CHUNK = 1 << 16
MOST_LINE = 16 << 20  # bytes of one change: etcd takes objects of 1.5 MiB by default, JSON can make that several times as many
_GONE = 410


class Pace(Value, frozen=True, kw_only=True):
    """How fast a watch does things, in seconds."""

    gather: float = 0.7  # changes that come within this time make one Part
    silence: float = 150.0  # bookmarks come about every minute; so long without a byte is a cut
    lasts: int = 290  # timeoutSeconds: the server ends a watch itself
    relist: float = 600.0  # at least this long between two full lists of a kind
    relist_selected: float = 30.0  # the same for a selection (a label, a reason)
    first: float = 0.5  # back-off: from
    most: float = 60.0  # to
    lease: float = 30.0  # how often the controller manager's Lease is read
    leases: float = 600.0  # how often those of the kubelets are listed


class Changed(Value, frozen=True):
    """Objects that were added or modified (a value, or Odd for what cannot be read) or deleted (None), by uid, in their order."""

    stream: Stream
    objects: tuple[tuple[str, Any], ...]


class Relisted(Value, frozen=True):
    """The stream was listed anew; objects not in it are gone."""

    stream: Stream
    values: dict[str, Any]
    odd: tuple[Odd, ...]


class Broken(Value, frozen=True):
    """An error that no other try mends: whoever follows raises it."""

    error: Exception


Said = Changed | Relisted | Broken | RequestDone | WatchState | Gap


class _Line(wire.Wire):
    type: str = ""
    object: msgspec.Raw = msgspec.Raw()


class _Error(wire.Wire):
    code: int | None = None
    message: str | None = None


class _ObjectMeta(wire.Wire):
    resourceVersion: str | None = None
    uid: str | None = None


class _Object(wire.Wire):
    metadata: _ObjectMeta | None = None


_LINE = msgspec.json.Decoder(_Line)


class Lines:
    """Makes lines of what comes. Only new bytes are searched and none are moved again: a long line costs what its bytes cost."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._open = bytearray()  # a line that has not ended

    def take(self, data: bytes) -> list[bytes]:
        """The lines that `data` ends. Raises ReadFailed for one longer than MOST_LINE: no object is so large."""
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = bytes(self._open) + lines[0]
            self._open = bytearray()
        self._open += rest
        if len(self._open) > MOST_LINE:
            raise ReadFailed(f"A change is larger than {MOST_LINE >> 20} MiB; no object of the API is.", self._server)
        return lines


class Watcher:
    """Watches one stream. `run` is the thread's work; what it learns goes to `line`."""

    def __init__(
        self, transport: Transport, stream: Stream, start: Start, pace: Pace, line: queue.Queue[Said], halt: Halt
    ) -> None:
        self._transport = transport
        self._stream = stream
        self._version = start.version
        self._listed = start.at
        self._pace = pace
        self._line = line
        self._halt = halt
        self._wait = pace.first
        self._state = ""
        self.ended = False  # refused for good: nobody tells of changes any more

    def run(self) -> None:
        """Until told to end, or until the server refuses. A lost login, or an error of our own, ends more than this watch."""
        with suppress(faults.Stopped):
            try:
                while True:
                    self._step()
            except faults.Unauthorized as fault:
                self._give(Broken(fault))
            except Refused as fault:
                self.ended = True
                self._give(gap_of(self._stream.topic, fault))
                self._tell("off", fault.what)
            except faults.Stopped:
                raise
            except Exception as error:  # noqa: BLE001 - handed to the follower, which raises it
                self._give(Broken(error))

    def _step(self) -> None:
        try:
            if not self._version:
                self._relist()
            self._follow()
            return
        except faults.Unauthorized as fault:
            if not self._transport.reach.rejected():
                raise
            reason = faults.told(fault)
        except faults.Expired as fault:
            behind, self._version = bool(self._version), ""
            if behind:
                return
            reason = faults.told(fault)
        except Refused:
            raise
        except CannotRead as fault:  # also credentials that cannot be had at the moment: a plugin that fails, a file that is gone
            reason = faults.told(fault)
        wait = self._back_off()
        self._tell("reconnecting", f"{reason} Again in {wait:.0f} s.")
        self._halt.wait(wait)

    # following

    def _follow(self) -> None:
        query = (
            *self._stream.query,
            ("watch", "1"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", self._version),
            ("timeoutSeconds", str(self._pace.lasts)),
        )
        opening = self._transport.open(self._stream.kind.path(self._stream.namespace), query, self._halt, self._pace.silence)
        body = self._drive(opening)
        try:
            self._tell("watching")
            heard = False
            for lines in self._lines(body):
                heard = True
                self._wait = self._pace.first
                self._take(lines)
            if not heard:  # a server or proxy that ends every watch at once is not asked again at once
                self._halt.wait(self._back_off())
        finally:
            self._halt.detach(body)
            body.close()

    def _drive(self, opening: Iterator[RequestDone]) -> Body:
        while True:
            try:
                self._give(next(opening))
            except StopIteration as end:
                body: Body = end.value
                return body

    def _lines(self, body: Body) -> Iterator[list[bytes]]:
        """Whole lines, as many as are there at a time."""
        lines = Lines(self._transport.server)
        while True:
            try:
                data = body.read_some(_CHUNK)
            except (u3.HTTPError, OSError, ValueError) as error:
                if self._halt.is_set():
                    raise faults.Stopped from error
                raise faults.interrupted(error, self._transport.server) from error
            if self._halt.is_set():
                raise faults.Stopped
            if not data:
                return
            if whole := lines.take(data):
                yield whole

    def _take(self, lines: list[bytes]) -> None:
        changed: list[tuple[str, Any]] = []
        try:
            for line in lines:
                if line.strip():
                    changed += self._read(line)
        finally:  # what came before an ERROR still happened
            if changed:
                self._give(Changed(self._stream, tuple(changed)))

    def _read(self, line: bytes) -> list[tuple[str, Any]]:
        try:
            said = _LINE.decode(line)
        except BROKEN as error:
            raise faults.not_json(self._stream.kind.path(), error, line) from error
        if said.type == "ERROR":
            raise self._error(said.object)
        try:
            meta = msgspec.json.decode(said.object, type=_Object).metadata or _ObjectMeta()
        except BROKEN:
            meta = _ObjectMeta()
        self._version = meta.resourceVersion or self._version
        if said.type == "BOOKMARK":
            return []
        if said.type == "DELETED" and meta.uid:
            return [(meta.uid, None)]
        pair = self._stream.decoder.try_one(said.object)
        uid, value = (pair.uid, pair) if isinstance(pair, Odd) else pair
        return [(uid, None if said.type == "DELETED" else value)]

    def _error(self, raw: msgspec.Raw) -> ReadFailed:
        try:
            said = msgspec.json.decode(raw, type=_Error)
        except BROKEN:
            said = _Error()
        if said.code == _GONE:
            return faults.Expired("The watch fell too far behind (410).")
        return ReadFailed(f"The watch was ended by the server: {said.message or said.code}.", self._transport.server)

    # listing anew

    def _relist(self) -> None:
        due = self._listed + (self._pace.relist if self._stream.whole else self._pace.relist_selected)
        wait = max(due - time.monotonic(), 0.0)
        if wait > 0:
            self._tell("relisting", f"changes are missing; the list is read again in {wait:.0f} s")
            self._halt.wait(wait)
        values: dict[str, Any] = {}
        odd: list[Odd] = []
        version = ""
        for item in pages(self._transport, self._stream.kind.path(self._stream.namespace), self._stream.query, self._halt):
            if not isinstance(item, Page):
                self._give(item)
                continue
            if item.restarted:
                values, odd, version = {}, [], ""
            read, strange = self._stream.decoder.page(item.body, item.where)
            values.update(read)
            odd += strange
            version = version or item.meta.resourceVersion or ""
        self._version = version
        self._listed = time.monotonic()
        self._give(Relisted(self._stream, values, tuple(odd)))

    # telling

    def _back_off(self) -> float:
        wait = self._wait * (0.5 + random.random() / 2)
        self._wait = min(self._wait * 2, self._pace.most)
        return wait

    def _tell(self, state: str, reason: str = "") -> None:
        if (state, reason) != ("watching", "") or self._state != "watching":
            self._give(WatchState(self._stream.topic, state, reason))
        self._state = state

    def _give(self, said: Said) -> None:
        while True:
            if self._halt.is_set():
                raise faults.Stopped
            try:
                self._line.put(said, timeout=0.1)
                return
            except queue.Full:
                continue
