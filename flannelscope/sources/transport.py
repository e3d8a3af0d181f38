"""Requests to the API server: reads only, with time limits, patience and a record of each.

Works are generators: they yield a RequestDone for every request sent and return the answer, so that a watcher sees a
"429, waiting 4 s" while it is waited for. They run wherever they are driven, usually in a thread (background.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlencode

import urllib3.exceptions as u3
from kubernetes.client.exceptions import ApiException

from flannelscope import __version__
from flannelscope.errors import ReadFailed, Refused
from flannelscope.events import RequestDone
from flannelscope.model import Value
from flannelscope.sources import faults
from flannelscope.sources.ahead import Ahead
from flannelscope.sources.background import Halt
from flannelscope.sources.backoff import Backoff, retry_after
from flannelscope.sources.door import Door, read_only_client
from flannelscope.sources.rights import VERSION_PATH, target, verb_of

CHUNK = 1 << 16  # larger ones cost more: they leave the processor's cache before they are copied
FIRST_ROOM = 1 << 16
MOST_BODY = 256 << 20  # bytes of one answer, unpacked: a page of 500 objects, of half a megabyte each
PATIENCE = 4.0  # times the time limit: how long one request may be tried again and again
BODY_LIMIT = 20.0  # times the time limit: how long one answer may take to arrive
RETRIED = frozenset((429, 500, 502, 503, 504))
USER_AGENT = f"flannelscope/{__version__}"

Query = Sequence[tuple[str, str]]


class Reach(Protocol):
    """How the server is reached and as whom (access.Access)."""

    server: str
    context: str
    warnings: tuple[str, ...]

    @property
    def configuration(self) -> Any:
        """A kubernetes.client.Configuration."""

    def pool_manager(self) -> Any:
        """A urllib3 PoolManager."""

    def request_headers(self) -> Any:
        """Impersonation and authorization for one request."""

    def rejected(self) -> bool:
        """After a 401: whether another try with fresh credentials makes sense."""

    def close(self) -> None:
        """End what is open."""


class Reply(Value, frozen=True):
    """The whole body of a 2xx answer."""

    body: bytearray


class Clock:
    """The API server's clock, from the Date headers of its answers (whole seconds: the middle of one is taken)."""

    def __init__(self) -> None:
        self._offset: float | None = None  # server's time less our monotonic time

    def hear(self, date: str | None) -> None:
        """Take a Date header; an unreadable one is passed over."""
        if date is None:
            return
        try:
            self._offset = parsedate_to_datetime(date).timestamp() + 0.5 - time.monotonic()
        except (TypeError, ValueError, OverflowError):
            return

    def now(self) -> float:
        """The server's time; our own while the server has not said any."""
        return time.time() if self._offset is None else self._offset + time.monotonic()


class Stream:
    """The body of an answer as it comes; can be ended by another thread."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self._encoded = "Content-Encoding" in response.headers  # not asked for, but a proxy may do it
        self.received = 0

    def abort(self) -> None:
        """End whatever waits for this body."""
        try:
            self._response.shutdown()
        except (ValueError, RuntimeError, OSError):
            return  # it has ended already

    def close(self) -> None:
        """Give the connection back when the body was read to its end, else close it."""
        if self._response.isclosed() and not self._response.closed:
            self._response.release_conn()
        else:
            self._response.close()

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, b"" at the end; waits until there are that many."""
        data: bytes = self._response.read(size, decode_content=self._encoded)
        self.received += len(data)
        return data

    def read_some(self, size: int) -> bytes:
        """What is there, at most `size` bytes, b"" at the end."""
        data: bytes = self._response.read1(size)
        self.received += len(data)
        return data


class Transport:
    """Requests to one API server. `timeout` (seconds) holds for connecting and for every wait for bytes."""

    def __init__(self, reach: Reach, *, timeout: float = 15.0, nodes_proxy: bool = False) -> None:
        self.reach = reach
        self.server = reach.server.rstrip("/")
        self.timeout = timeout
        self.clock = Clock()
        self.client = read_only_client(reach.configuration, reach.pool_manager(), Door(self.server, nodes_proxy=nodes_proxy))
        self._room = FIRST_ROOM
        self._heard = False  # whether the server ever answered: from then on a cut is worth waiting for

    def get(
        self, path: str, query: Query, halt: Halt, ahead: Sent | None = None, look: Callable[[bytes], None] | None = None
    ) -> Generator[RequestDone, None, Reply]:
        """The body of a GET. Raises Refused, Missing, Expired, ReadFailed, Stopped; tries again where that may help.

        `ahead` is this request where it was sent already. `look` gets the first bytes of the body when they are there.
        """
        backoff = Backoff(self.timeout * PATIENCE)
        renewed = False
        while True:
            started = time.monotonic()
            tried = ahead.tried if ahead is not None else _Try(path, query)
            sent, ahead = ahead, None
            try:
                reply = self._once(tried, halt, sent, look)
            except faults.Unauthorized as fault:
                yield tried.done(fault.what)
                if renewed or not self.reach.rejected():
                    raise
                renewed = True
                continue
            except (Refused, faults.Missing, faults.Expired) as fault:
                yield tried.done(fault.what)
                raise
            except ReadFailed as fault:
                backoff.spend(time.monotonic() - started)
                wait = self._wait(tried, fault, backoff)
                yield tried.done(fault.what if wait is None else f"try {backoff.tries}: {fault.what} Again in {wait:.1f} s")
                if wait is None:
                    raise
                halt.wait(wait)
                continue
            yield tried.done("")
            return reply

    def ahead(self, path: str, query: Query, halt: Halt) -> Sent:
        """Send a GET now, whose answer `get` reads later. Its faults come then."""
        tried = _Try(path, query)
        return Ahead(tried, lambda: self._send(tried, halt, self.timeout), halt)

    def open(self, path: str, query: Query, halt: Halt, silence: float) -> Generator[RequestDone, None, Stream]:
        """The stream of a watch, opened once; `silence` is how many seconds without a byte count as a cut."""
        tried = _Try(path, query, watching=True)
        try:
            stream = self._send(tried, halt, silence)
        except ReadFailed as fault:
            yield tried.done(fault.what)
            raise
        except Refused as fault:
            yield tried.done(fault.what)
            raise
        yield tried.done("watch")
        return stream

    def close(self) -> None:
        """Close idle connections."""
        self.client.close()
        self.reach.close()

    def _wait(self, tried: _Try, fault: ReadFailed, backoff: Backoff) -> float | None:
        if isinstance(fault, faults.Interrupted):
            if not fault.again or (not fault.reached and not self._heard):
                return None
            return backoff.next()
        if tried.status in RETRIED:
            return backoff.next(retry_after(tried.retry_after, self.clock.now()))
        return None

    def _once(self, tried: _Try, halt: Halt, sent: Sent | None, look: Callable[[bytes], None] | None) -> Reply:
        stream = sent.take() if sent is not None else self._send(tried, halt, self.timeout)
        try:
            return Reply(self._body(stream, halt, look))
        except _BREAKS as error:
            if halt.is_set():
                raise faults.Stopped from error
            raise faults.interrupted(error, self.server) from error
        finally:
            tried.received = stream.received
            halt.detach(stream)
            stream.close()

    def _body(self, stream: Stream, halt: Halt, look: Callable[[bytes], None] | None) -> bytearray:
        """The body in one piece: room for as much as the last one, so that pages of a list are copied once."""
        until = time.monotonic() + self.timeout * BODY_LIMIT
        body = bytearray(self._room)
        end = 0
        while data := stream.read(CHUNK):
            body[end : end + len(data)] = data
            if end == 0 and look is not None:
                look(data)
            end += len(data)
            if end > MOST_BODY:
                do = "Is there something else than an API server in between?"
                raise ReadFailed(f"An answer is larger than {MOST_BODY >> 20} MiB, which no page of a list is.", self.server, do)
            if halt.is_set():
                raise faults.Stopped
            if time.monotonic() > until:
                raise faults.Interrupted("The answer came too slowly to be waited for.", self.server)
        del body[end:]
        self._room = max(end + CHUNK, FIRST_ROOM)
        return body

    def _send(self, tried: _Try, halt: Halt, silence: float) -> Stream:
        """Send one request; the stream of a 2xx answer. Any other answer raises its fault."""
        if halt.is_set():
            raise faults.Stopped
        headers = self.reach.request_headers()
        headers["User-Agent"] = USER_AGENT
        headers["Accept"] = "application/json"
        url = self.server + tried.shown
        try:
            answer = self.client.rest_client.request("GET", url, headers=headers, _request_timeout=(self.timeout, silence))
        except _BREAKS as error:
            raise faults.interrupted(error, self.server) from error
        stream = Stream(answer.response)
        self._heard = True
        tried.status = answer.status
        tried.retry_after = answer.headers.get("Retry-After")
        self.clock.hear(answer.headers.get("Date"))
        try:
            halt.attach(stream)
        except faults.Stopped:
            stream.close()
            raise
        if 200 <= answer.status < 300:
            return stream
        try:
            raise self._fault(tried, stream, answer.status)
        finally:
            halt.detach(stream)
            stream.close()

    def _fault(self, tried: _Try, stream: Stream, status: int) -> ReadFailed | Refused:
        try:
            body = stream.read(1 << 16)
        except _BREAKS:
            body = b""
        tried.received = stream.received
        asked = target(tried.path)
        resource = asked.resource + (f"/{asked.name}" if asked.name else "")
        resource += f" in namespace {asked.namespace}" if asked.namespace else ""
        return faults.answered(status, body, self.server, verb_of(asked, tried.watching), resource)


# urllib3's own errors, the client's wrapper of TLS errors, and what sockets and http.client raise below them.
_BREAKS = (u3.HTTPError, ApiException, OSError, ValueError)


class _Try:
    """One request under way, for its record."""

    def __init__(self, path: str, query: Query, *, watching: bool = False) -> None:
        self.path = path
        self.shown = path + ("?" + urlencode([(k, v) for k, v in query if v]) if query else "")
        self.watching = watching
        self.status = 0
        self.received = 0
        self.retry_after: str | None = None
        self._started = time.monotonic()
        self._at = time.time()

    def done(self, note: str) -> RequestDone:
        """The record. Continue tokens are long and say nothing: they are cut."""
        before, mark, token = self.shown.partition("continue=")
        shown = before + mark + "…" + token[token.find("&") :] if mark and "&" in token else before + (mark and mark + "…")
        return RequestDone(
            method="GET",
            path=shown,
            status=self.status,
            received=self.received,
            seconds=time.monotonic() - self._started,
            at=self._at,
            note=note,
            absent=self.status == 404 and _may_be_absent(self.path),
        )


def _may_be_absent(path: str) -> bool:
    """Whether 404 answers the question: a single object may not be there, nor a version of a group. A kind and /version are."""
    asked = target(path)
    return bool(asked.name) if asked.resource else path != VERSION_PATH


Sent = Ahead[_Try, Stream]
