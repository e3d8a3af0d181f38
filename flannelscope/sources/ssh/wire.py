"""The socket under an SSH connection: closing it wakes up its reader, and nobody can send more than is allowed for.

What a server may say before it names its version (RFC 4253, 4.2) is skipped here, within bounds.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Protocol

PRELUDE = 64_000  # bytes before the server's version; OpenSSH takes 1,024 lines of at most 8 kB
_HANDSHAKE = 4_000_000  # bytes until logged in: a banner may be long
_CHUNK = 65_536


class Pipe(Protocol):
    """A socket, or a channel of a connection to a jump host."""

    def recv(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""

    def send(self, data: bytes, /) -> int:
        """How many of these were sent."""

    def settimeout(self, seconds: float | None, /) -> None:
        """How long either may take."""

    def close(self) -> None:
        """Close it."""


class Wire:
    """What paramiko takes for a socket. `problem` says why it was closed, where the server is to blame."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._left = _HANDSHAKE
        self._ahead = b""
        self._prelude: bytearray | None = bytearray()
        self._closed = False  # paramiko looks at it
        self.problem = ""
        self.heard = b""  # the beginning of what came before the version

    @property
    def spoke(self) -> bool:
        """Whether the server named its version."""
        return self._prelude is None

    def allow(self, size: int) -> None:
        """From now on, so many more bytes may come."""
        self._left = size

    def settimeout(self, seconds: float | None) -> None:
        """How long a read or write may take."""
        self._pipe.settimeout(seconds)

    def send(self, data: bytes) -> int:
        """How many of these bytes were sent."""
        return self._pipe.send(data)

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; fewer calls of the system than paramiko's reads in two parts."""
        if not self._ahead:
            self._ahead = self._version() if self._prelude is not None else self._take()
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data

    def close(self) -> None:
        """Close it, and let the reader know."""
        if self._closed:
            return
        self._closed = True
        if isinstance(self._pipe, socket.socket):
            with contextlib.suppress(OSError):
                self._pipe.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError, EOFError):
            self._pipe.close()

    def _take(self) -> bytes:
        data = self._pipe.recv(_CHUNK)
        self._left -= len(data)
        if self._left < 0:
            self.problem = "it sends far more than was asked for"
            self.close()
            raise EOFError
        return data

    def _version(self) -> bytes:
        """From the server's version on; whole lines before it are skipped."""
        assert self._prelude is not None
        while True:
            data = self._take()
            self._prelude += data
            self.heard = bytes(self._prelude[:300])
            start = 0 if self._prelude.startswith(b"SSH-") else self._prelude.find(b"\nSSH-") + 1
            if (start or self._prelude.startswith(b"SSH-")) and b"\n" in self._prelude[start:]:
                found = bytes(self._prelude[start:])
                self._prelude = None
                return found
            if len(self._prelude) > PRELUDE:
                self.problem = "what answers there is no SSH server"
                self.close()
            if not data or self._closed:
                raise EOFError
