"""From what went wrong with a request to one sentence: which fault it is, where, and what to do about it."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator

import msgspec
import urllib3.exceptions as u3
from kubernetes.client.exceptions import ApiException

from flannelscope.errors import CannotRead, NoCluster, ReadFailed, Refused
from flannelscope.text import clean


class Missing(ReadFailed):
    """404: the object, or the whole kind, is not there."""


class Expired(ReadFailed):
    """410: too much changed since. `token` goes on with the list, at the price of another resourceVersion; "" for none."""

    def __init__(self, what: str, where: str = "", do: str = "", *, token: str = "") -> None:
        super().__init__(what, where, do)
        self.token = token


class Unauthorized(Refused):
    """401: the server does not know who is asking."""


class Interrupted(ReadFailed):
    """The connection failed or was cut; `reached` is False where no connection came about at all."""

    def __init__(self, what: str, where: str = "", do: str = "", *, reached: bool = True, again: bool = True) -> None:
        super().__init__(what, where, do)
        self.reached = reached
        self.again = again  # whether another try may help


class Stopped(Exception):
    """The stop event was set while waiting."""


def told(fault: CannotRead) -> str:
    """What went wrong as a sentence. A NoCluster is worded to stand before its place, where also the words of a plugin are."""
    place = f" ({fault.where})" if isinstance(fault, NoCluster) and fault.where else ""
    return f"{fault.what[:1].upper()}{fault.what[1:].removesuffix('.')}{place}."


class _StatusMetadata(msgspec.Struct):
    continue_: str | None = msgspec.field(default=None, name="continue")


class _Status(msgspec.Struct):
    message: str | None = None
    reason: str | None = None
    metadata: _StatusMetadata | None = None


def status_of(body: bytes) -> tuple[str, str]:
    """(message, continue token) of a Status object; what is none gives the beginning of the text and no token."""
    try:
        said = msgspec.json.decode(body, type=_Status)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return clean(body[:200].decode("utf-8", "replace"), 160), ""
    token = said.metadata.continue_ if said.metadata is not None else None
    return clean(said.message or said.reason or "", 300), token or ""


def answered(status: int, body: bytes, where: str, verb: str, resource: str) -> ReadFailed | Refused:
    """The fault that an answer other than 2xx stands for."""
    message, token = status_of(body)
    if status == 401:
        return Unauthorized(
            "The API server does not accept these credentials (401).",
            where,
            "Log in again, or look at the user of this kubeconfig context: a token may have expired.",
            verb=verb,
            resource=resource,
        )
    if status == 403:
        right = f"No right to {verb} {resource}" if resource else "Forbidden"
        return Refused(f"{right} (403).", where, "flannelscope rbac read prints the rights needed.", verb=verb, resource=resource)
    if status == 404:
        return Missing(f"There is no {resource or 'such path'} on this server (404).", where)
    if status == 410:
        return Expired("The server no longer has this state of the list (410).", where, token=token)
    if 300 <= status < 400:
        do = "Is this address the API server's, or a login page's?"
        return ReadFailed(f"The server sends us elsewhere ({status}).", where, do)
    return ReadFailed(f"The API server answered {status}{': ' + message if message else ''}.", where)


def not_json(where: str, error: Exception, body: bytes | bytearray) -> ReadFailed:
    """An answer that should be JSON and is not."""
    begins = clean(body[:60].decode("utf-8", "replace"), 50)
    return ReadFailed(
        f"The answer is not what an API server sends: {clean(str(error), 120)}; it begins with {begins!r}.",
        where,
        "Is there a proxy or a login page in between?",
    )


def interrupted(error: BaseException, server: str) -> Interrupted:
    """The fault that an exception of urllib3, ssl or the client stands for. `server` is what was to be reached."""
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _untrusted(cause, server)
    for cause in chain:
        made = _known(cause, server)
        if made is not None:
            return made
    if any(isinstance(c, (u3.SSLError, ssl.SSLError)) for c in chain) or isinstance(error, ApiException):
        said = clean(str(chain[-1]), 160)
        return Interrupted(f"TLS with the API server failed: {said}.", server, _IS_TLS, reached=False, again=False)
    return Interrupted(f"The connection to the API server was cut: {clean(str(chain[-1]), 160)}.", server)


_IS_TLS = "Does this port speak TLS, and does the server accept our client certificate?"


def _known(cause: BaseException, server: str) -> Interrupted | None:
    if isinstance(cause, (u3.NameResolutionError, socket.gaierror)):
        do = "Is the name right, and does this machine resolve it?"
        return Interrupted("The name of the API server cannot be resolved.", server, do, reached=False)
    if isinstance(cause, u3.ProxyError):
        said = clean(str(cause.original_error), 160)
        return Interrupted(f"The proxy does not connect us: {said}.", server, "Look at proxy-url and HTTPS_PROXY.", reached=False)
    if isinstance(cause, u3.ConnectTimeoutError) and not isinstance(cause, u3.NewConnectionError):
        do = "Is the address right, and does a firewall stand between?"
        return Interrupted("The API server does not answer: no connection within the time limit.", server, do, reached=False)
    if isinstance(cause, ConnectionRefusedError):
        return Interrupted("Nobody listens there: connection refused.", server, "Does the API server run?", reached=False)
    if isinstance(cause, OSError) and cause.errno in _NO_ROUTE:
        return Interrupted("This machine has no way to the API server: no route.", server, "Is a VPN missing?", reached=False)
    if isinstance(cause, (u3.ReadTimeoutError, TimeoutError)):
        do = "--timeout SECONDS gives it more."
        return Interrupted("The API server took longer to answer than the time limit allows.", server, do)
    if isinstance(cause, (u3.IncompleteRead, http.client.IncompleteRead)):
        return Interrupted("The connection was cut in the middle of an answer.", server)
    return None


_NO_ROUTE = frozenset((101, 113))  # ENETUNREACH, EHOSTUNREACH on Linux


def _untrusted(cause: ssl.SSLCertVerificationError, server: str) -> Interrupted:
    said = cause.verify_message
    if "expired" in said:
        what = "The certificate of the API server has expired."
        do = "Renew it there (kubeadm certs renew); look at the clock here."
    elif "not yet valid" in said:
        what, do = "The certificate of the API server is not yet valid.", "Look at the clocks, here and there."
    elif "mismatch" in said or "not valid for" in said:
        what = f"The certificate of the API server is for another name: {clean(said, 160)}."
        do = "Use a name that it holds, or set tls-server-name in the kubeconfig."
    else:
        what = f"The certificate of the API server cannot be trusted: {clean(said, 160)}."
        do = "Does certificate-authority in the kubeconfig belong to this cluster?"
    return Interrupted(what, server, do, reached=False, again=False)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and what caused it, outermost first; each once."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (getattr(current, "reason", None), *current.args, current.__cause__, current.__context__)
        waiting.extend(item for item in inner if isinstance(item, BaseException))
