"""Servers that do what no good server does, and a jump host that asks for a code."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.server import InteractiveQuery

_PATIENCE = 60.0  # seconds after which a server of a test gives up


class Raw:
    """Accepts on loopback and lets `serve` do what it wants with each connection."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._serve = serve
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(_PATIENCE)
            self._open.append(connection)
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._serve(connection)


class _Server(paramiko.ServerInterface):
    """Lets every key in, opens sessions, and lets `execute` answer commands."""

    def __init__(self, execute: Callable[[paramiko.Channel], bool], banner: str) -> None:
        self._execute = execute
        self._banner = banner

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL

    def get_banner(self) -> tuple[Any, Any]:
        return (self._banner, "") if self._banner else (None, None)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        return self._execute(channel)


class Speaking(Raw):
    """Speaks SSH up to the command, which `execute` answers (within the server's own thread)."""

    def __init__(self, host_key: Path, execute: Callable[[paramiko.Channel], bool], banner: str = "") -> None:
        super().__init__(self._speak)
        self._key = paramiko.Ed25519Key(filename=str(host_key))
        self._make: Callable[[], paramiko.ServerInterface] = lambda: _Server(execute, banner)

    def _speak(self, connection: socket.socket) -> None:
        transport = paramiko.Transport(connection)
        transport.add_server_key(self._key)
        transport.start_server(server=self._make())
        transport.join(_PATIENCE)


class _Prompts(paramiko.ServerInterface):
    def __init__(self, code: str) -> None:
        self._code = code

    def get_allowed_auths(self, username: str) -> str:
        return "keyboard-interactive"

    def check_auth_interactive(self, username: str, submethods: str) -> int | InteractiveQuery:
        return InteractiveQuery("Second factor", "Look at your device", ("Code:", False))

    def check_auth_interactive_response(self, responses: Sequence[str]) -> int | InteractiveQuery:
        return AUTH_SUCCESSFUL if list(responses) == [self._code] else AUTH_FAILED

    def check_channel_direct_tcpip_request(self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]) -> int:
        self.wanted = destination
        return OPEN_SUCCEEDED


class Prompting(Speaking):
    """Asks for `code`, then forwards wherever it is asked to."""

    def __init__(self, host_key: Path, code: str) -> None:
        super().__init__(host_key, lambda channel: False)
        self._code = code

    def _speak(self, connection: socket.socket) -> None:
        transport = paramiko.Transport(connection)
        transport.add_server_key(self._key)
        server = _Prompts(self._code)
        transport.start_server(server=server)
        while (channel := transport.accept(_PATIENCE)) is not None:
            target = socket.create_connection(server.wanted)
            self._open.append(target)
            for source, sink in ((channel, target), (target, channel)):
                threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: Any, sink: Any) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := source.recv(65536):
            sink.sendall(data)
    sink.close()


class Relay(Raw):
    """Forwards to a port on loopback, until `freeze`: what is connected then hears nothing more, and not of an end either."""

    def __init__(self, port: int) -> None:
        super().__init__(self._forward)
        self._to = port
        self._frozen = threading.Event()

    def freeze(self) -> None:
        """Let nothing through any more; new connections work."""
        self._frozen.set()
        self._frozen = threading.Event()

    def _forward(self, connection: socket.socket) -> None:
        connection.settimeout(None)
        frozen, target = self._frozen, socket.create_connection(("127.0.0.1", self._to))
        self._open.append(target)
        back = threading.Thread(target=_until, args=(frozen, target, connection), daemon=True)
        back.start()
        _until(frozen, connection, target)


def _until(frozen: threading.Event, source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while (data := source.recv(65536)) and not frozen.is_set():
            sink.sendall(data)
        if not frozen.is_set():
            sink.shutdown(socket.SHUT_RDWR)
