"""An API server on loopback that says what a test tells it to: lists in pages, refusals, cuts, slow answers, watches.

with FakeApi() as api:
    api.hold("/api/v1/nodes", "NodeList", [a_node("w1"), a_node("w2")])
    api.next("/api/v1/nodes", Answer(429, headers={"Retry-After": "0"}))  # once, then the list
"""

from __future__ import annotations

import json
import queue
import ssl
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
_END = object()


class Answer(NamedTuple):
    """One answer. `cut` closes the connection after so many bytes of the body; `wait` is waited for before it is sent."""

    status: int = 200
    body: bytes | Json = b""
    headers: Mapping[str, str] = {}
    cut: int | None = None
    wait: threading.Event | None = None


class Request(NamedTuple):
    """What a client asked."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]


class Watch:
    """An open watch: lines that a test sends, until it ends it."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.lines: queue.Queue[Any] = queue.Queue()

    def send(self, kind: str, item: Json) -> None:
        """An event."""
        self.lines.put(json.dumps({"type": kind, "object": item}).encode() + b"\n")

    def raw(self, data: bytes) -> None:
        """Whatever bytes."""
        self.lines.put(data)

    def end(self) -> None:
        """The server ends the watch, as it does after timeoutSeconds."""
        self.lines.put(_END)


class FakeApi:
    """Serves http, or https with `context`. `requests` holds everything asked, `watches` every watch as it is opened."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.watches: queue.Queue[Watch] = queue.Queue()
        self._lists: dict[str, tuple[str, list[Json]]] = {}
        self._objects: dict[str, Json] = {}
        self._next: dict[str, list[Answer]] = {}
        self._always: dict[str, Answer] = {}
        self._open: list[Watch] = []
        self._held: list[threading.Event] = []
        self._server = _Server(self)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for watch in self._open:
            watch.end()
        for event in self._held:
            event.set()
        self._server.shutdown()
        self._server.server_close()

    # what to say

    def hold(self, path: str, kind: str, items: Sequence[Json]) -> None:
        """A list; `limit` and `continue` page it."""
        self._lists[path] = (kind, list(items))

    def has(self, path: str, item: Json) -> None:
        """One object."""
        self._objects[path] = item

    def next(self, path: str, *answers: Answer) -> None:
        """The next answers at `path`, each once."""
        self._next.setdefault(path, []).extend(answers)
        self._held += [answer.wait for answer in answers if answer.wait is not None]

    def always(self, path: str, answer: Answer) -> None:
        """Every answer at `path` from now on."""
        self._always[path] = answer

    def asked(self, path: str) -> list[Request]:
        """The requests for `path`."""
        return [request for request in self.requests if request.path == path]

    def watch(self) -> Watch:
        """The next watch that is opened."""
        return self.watches.get(timeout=20)

    # saying it

    def answer(self, request: Request) -> Answer:
        """The answer to a request that is no watch."""
        waiting = self._next.get(request.path)
        if waiting:
            return waiting.pop(0)
        if request.path in self._always:
            return self._always[request.path]
        if request.path in self._objects:
            return Answer(body=self._objects[request.path])
        if request.path in self._lists:
            return self.page(request.path, int(request.query.get("continue") or 0), int(request.query.get("limit") or 0))
        return Answer(404, status(404, "NotFound", "the server could not find the requested resource"))

    def page(self, path: str, start: int = 0, limit: int = 500) -> Answer:
        """A page of the list at `path`."""
        kind, every = self._lists[path]
        limit = limit or len(every) or 1
        metadata: Json = {"resourceVersion": "100"}
        if start + limit < len(every):
            metadata |= {"continue": str(start + limit), "remainingItemCount": len(every) - start - limit}
        return Answer(body={"kind": kind, "apiVersion": "v1", "metadata": metadata, "items": every[start : start + limit]})

    def opened(self, watch: Watch) -> None:
        """A client opened a watch."""
        self._open.append(watch)
        self.watches.put(watch)


def status(code: int, reason: str, message: str, token: str = "") -> Json:
    """A Status object; `token` as a 410 offers it."""
    metadata = {"continue": token} if token else {}
    return {"kind": "Status", "apiVersion": "v1", "metadata": metadata, "code": code, "reason": reason, "message": message}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, api: FakeApi) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api = api

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up or refuse a certificate are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one segment: two would wait for each other (Nagle, delayed ACK)
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        request = Request(self.command, parts.path, query, dict(self.headers.items()))
        self.server.api.requests.append(request)
        if query.get("watch") and not self.server.api._next.get(parts.path):
            self._watch(request)
        else:
            self._answer(self.server.api.answer(request))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _answer(self, answer: Answer) -> None:
        if answer.wait is not None:
            answer.wait.wait(20)
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if answer.cut is None else body[: answer.cut])
        if answer.cut is not None:
            self.close_connection = True

    def _watch(self, request: Request) -> None:
        watch = Watch(request)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        self.server.api.opened(watch)
        while (line := watch.lines.get()) is not _END:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""


def trusting(certificate: Path) -> ssl.SSLContext:
    """A client's context that trusts this authority."""
    return ssl.create_default_context(cafile=str(certificate))
