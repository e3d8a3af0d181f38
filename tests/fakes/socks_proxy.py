"""A SOCKS5 proxy (RFC 1928, 1929) that does what a test needs: CONNECT, by name or address, with a password or without."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from io import BufferedIOBase

from tests.fakes.relay import Refused, Relay


class SocksProxy(Relay):
    """`login` is the user and password it insists on; `kinds` how the targets were named: 1 IPv4, 3 name, 4 IPv6."""

    def __init__(self, routes: Mapping[str, str] | None = None, login: tuple[str, str] | None = None) -> None:
        super().__init__(routes)
        self.kinds: list[int] = []
        self._login = login

    def agree(self, read: BufferedIOBase, connection: socket.socket) -> tuple[str, int]:
        version, count = read.read(2)
        methods = read.read(count)
        method = 2 if self._login else 0
        if version != 5 or method not in methods:
            connection.sendall(b"\x05\xff")
            raise Refused
        connection.sendall(bytes([5, method]))
        if self._login:
            read.read(1)
            given = tuple(read.read(read.read(1)[0]).decode() for _ in ("user", "password"))
            connection.sendall(b"\x01\x00" if given == self._login else b"\x01\x01")
            if given != self._login:
                raise Refused
        kind = read.read(4)[3]
        self.kinds.append(kind)
        if kind == 3:
            host = read.read(read.read(1)[0]).decode()
        else:
            host = socket.inet_ntop(*((socket.AF_INET, read.read(4)) if kind == 1 else (socket.AF_INET6, read.read(16))))
        return host, int.from_bytes(read.read(2), "big")

    def granted(self, connection: socket.socket) -> None:
        connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
