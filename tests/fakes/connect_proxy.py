"""An HTTP proxy that connects (RFC 9110, CONNECT) and remembers what clients told it in headers."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from io import BufferedIOBase

from tests.fakes.relay import Refused, Relay


class ConnectProxy(Relay):
    """`told` holds the header lines of every CONNECT."""

    def __init__(self, routes: Mapping[str, str] | None = None) -> None:
        super().__init__(routes)
        self.told: list[list[str]] = []

    def agree(self, read: BufferedIOBase, connection: socket.socket) -> tuple[str, int]:
        method, target, _ = read.readline().decode().split(" ")
        self.told.append([line.decode().strip() for line in iter(read.readline, b"\r\n")])
        if method != "CONNECT":
            raise Refused
        host, _, port = target.rpartition(":")
        return host, int(port)

    def granted(self, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
