"""An HTTPS server on loopback that answers everything and remembers who asked for what with which headers."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from tests.fakes.pki import Authority


class Asked(NamedTuple):
    """One request as it came in: repeated headers stand in `headers` several times; `client` is the certificate's name."""

    path: str
    headers: tuple[tuple[str, str], ...]
    client: str

    def all(self, name: str) -> list[str]:
        """The values of one header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


class EchoServer:
    """`names` are what its certificate vouches for; with `clients` it insists on a certificate from that authority,
    `optional`ly only asks for one.

    It answers 401 while `refusing`, and sends whoever asks for /elsewhere to another place.
    """

    def __init__(
        self,
        folder: Path,
        authority: Authority,
        *names: str,
        clients: Authority | None = None,
        optional: bool = False,
        plain: bool = False,
    ) -> None:
        self.asked: list[Asked] = []
        self.refusing = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # headers and body in one segment: two would wait for each other (Nagle, delayed ACK)

            def do_GET(self) -> None:
                peer = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
                outer.asked.append(Asked(self.path, tuple(self.headers.items()), _common_name(peer)))
                self.send_response(401 if outer.refusing else 302 if self.path == "/elsewhere" else 200)
                self.send_header("Location", "/there")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Refused handshakes are what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.scheme = "http" if plain else "https"
        if not plain:
            self._server.socket = _context(folder, authority, names, clients, optional).wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )

    @property
    def url(self) -> str:
        """Its address on loopback."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> EchoServer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


def _context(
    folder: Path, authority: Authority, names: tuple[str, ...], clients: Authority | None, optional: bool
) -> ssl.SSLContext:
    pair = authority.issue("server", *(names or ("127.0.0.1", "localhost")))
    (folder / "server.crt").write_bytes(pair.certificate)
    (folder / "server.key").write_bytes(pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    if clients is not None:
        context.load_verify_locations(cadata=clients.pem.decode())
        context.verify_mode = ssl.CERT_OPTIONAL if optional else ssl.CERT_REQUIRED
    return context


def _common_name(peer: object) -> str:
    if not isinstance(peer, dict):
        return ""
    return next((value for part in peer.get("subject", ()) for key, value in part if key == "commonName"), "")
