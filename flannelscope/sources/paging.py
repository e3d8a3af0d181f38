"""Lists in pages of at most 500: one page is decoded while the next is fetched.

The continue token stands in the first bytes of a page (`metadata` comes before `items` in what API servers write), so the
next request does not wait for decoding. A token that expired goes on with the one the server offers, at the price of
consistency; without such an offer the list starts over, once (kubernetes apiserver, storage/etcd3/errors.go).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator

import msgspec

from flannelscope.events import RequestDone
from flannelscope.model import Value
from flannelscope.sources import faults
from flannelscope.sources.background import Halt
from flannelscope.sources.transport import Query, Reply, Transport

LIMIT = 500
_HEAD = 16_384
_ITEMS = re.compile(rb'"items"\s*:')
_METADATA = re.compile(rb'"metadata"\s*:\s*\{([^{}]*)\}')

Getter = Callable[[str, Query, Halt], Generator[RequestDone, None, Reply]]


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


def pages(transport: Transport, path: str, query: Query, halt: Halt) -> Generator[RequestDone | Page, None, None]:
    """Every page of the list at `path`. Raises what Transport.get raises."""
    token, restarted, loose, starts = "", False, False, 1
    while True:
        try:
            asked = (*query, ("limit", str(LIMIT)), ("continue", token))
            reply = yield from transport.get(path, asked, halt)
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
