"""What a SOCKS and an HTTP proxy have in common: agree on a target with the client, then pass bytes both ways."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Mapping
from io import BufferedIOBase
from types import TracebackType
from typing import Self


class Refused(Exception):
    """The client did not say what it should."""


class Relay:
    """A proxy on loopback. `routes` are names only it can resolve; `targets` is what clients asked to be connected to."""

    def __init__(self, routes: Mapping[str, str] | None = None) -> None:
        self.targets: list[tuple[str, int]] = []
        self._routes = dict(routes or {})
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(Refused, OSError):
                    outer._serve(self.connection, self.rfile)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]

    def agree(self, read: BufferedIOBase, connection: socket.socket) -> tuple[str, int]:
        """Talk with the client until it has named its target. Raises Refused."""
        raise NotImplementedError

    def granted(self, connection: socket.socket) -> None:
        """Tell the client that it is connected."""
        raise NotImplementedError

    def _serve(self, connection: socket.socket, read: BufferedIOBase) -> None:
        host, port = self.agree(read, connection)
        self.targets.append((host, port))
        with socket.create_connection((self._routes.get(host, host), port), 5) as target:
            self.granted(connection)
            back = threading.Thread(target=_pump, args=(target, connection), daemon=True)
            back.start()
            _pump(connection, target)
            back.join(5)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
