"""Lists in pages of at most 500: the server makes the next page while one is read and decoded.

The continue token stands in the first bytes of a page (`metadata` comes before `items` in what API servers write), so the
next request is sent before the rest of the page is read. One thread reads and decodes: two would wait for each other, as
decoding lets no other thread run. A token that expired goes on with the one the server offers, at the price of consistency;
without such an offer the list starts over, once (kubernetes apiserver, storage/etcd3/errors.go).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator

import msgspec

from flannelscope.errors import ReadFailed
from flannelscope.events import RequestDone
from flannelscope.model import Value
from flannelscope.sources import faults
from flannelscope.sources.background import Halt
from flannelscope.sources.transport import Query, Reply, Sent, Transport

LIMIT = 500
_HEAD = 16_384
_ITEMS = re.compile(rb'"items"\s*:')
_METADATA = re.compile(rb'"metadata"\s*:\s*\{([^{}]*)\}')


class ListMeta(msgspec.Struct, frozen=True):
    """metadata of a list."""

    resourceVersion: str | None = None
    continue_: str | None = msgspec.field(default=None, name="continue")
    remainingItemCount: int | None = None


class _Head(msgspec.Struct):
    metadata: ListMeta | None = None


class Page(Value, frozen=True, kw_only=True):
    """One page as it came. `restarted`: forget the pages before; `loose`: later than the pages before, which it may repeat."""

    body: bytearray
    meta: ListMeta
    where: str
    restarted: bool = False
    loose: bool = False


def head(body: bytes | bytearray, where: str) -> ListMeta:
    """The list's metadata, from its first bytes where they stand there. Raises ReadFailed when this is no list."""
    begin = body[:_HEAD]
    items = _ITEMS.search(begin)
    found = _METADATA.search(begin, 0, items.start()) if items else None
    try:
        if found is not None:
            return msgspec.json.decode(b"{" + found[1] + b"}", type=ListMeta)
        return msgspec.json.decode(body, type=_Head).metadata or ListMeta()
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise faults.not_json(where, error, body) from error


def _token(first: bytes) -> str:
    """The continue token, where it stands in the first bytes of a page; "" where it does not, or there is none."""
    try:
        return head(first, "").continue_ or "" if _ITEMS.search(first[:_HEAD]) else ""
    except ReadFailed:
        return ""


class _Next:
    """The request for the page after the one that is read, sent as soon as its token is known."""

    def __init__(self, ask: Callable[[str], Sent]) -> None:
        self._ask = ask
        self._token = ""
        self._asked: Sent | None = None

    def look(self, first: bytes) -> None:
        """The first bytes of a page. A page that is read again may name another one to follow."""
        token = _token(first)
        if token and token != self._token:
            self.drop()
            self._token, self._asked = token, self._ask(token)

    def take(self, token: str) -> Sent | None:
        """The request for the page at `token`, if that was sent."""
        if token != self._token:
            self.drop()
        asked, self._asked = self._asked, None
        return asked

    def drop(self) -> None:
        """What was sent is not wanted."""
        if self._asked is not None:
            self._asked.drop()
        self._asked = None


def pages(transport: Transport, path: str, query: Query, halt: Halt) -> Generator[RequestDone | Page, None, None]:
    """Every page of the list at `path`. Raises what Transport.get raises."""

    def asked(token: str) -> Query:
        return (*query, ("limit", str(LIMIT)), ("continue", token))

    following = _Next(lambda token: transport.ahead(path, asked(token), halt))
    try:
        yield from _pages(path, lambda token: transport.get(path, asked(token), halt, following.take(token), following.look))
    finally:
        following.drop()


def _pages(path: str, get: Callable[[str], Generator[RequestDone, None, Reply]]) -> Generator[RequestDone | Page, None, None]:
    token, restarted, loose, starts = "", False, False, 1
    while True:
        try:
            reply = yield from get(token)
        except faults.Expired as fault:
            if fault.token and fault.token != token:
                token, loose = fault.token, True
                continue
            if not token or starts > 1:
                raise
            token, restarted, loose, starts = "", True, False, starts + 1
            continue
        meta = head(reply.body, path)
        token = meta.continue_ or ""
        yield Page(body=reply.body, meta=meta, where=path, restarted=restarted, loose=loose)
        restarted = False
        if not token:
            return
