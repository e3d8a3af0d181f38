"""Who we are, for the next request: a fixed header, a token file that is read again, or what an exec plugin gives."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from flannelscope.errors import NoCluster
from flannelscope.sources.execplugin import ExecCredential, ExecPlugin
from flannelscope.sources.secret import Hidden
from flannelscope.sources.tls import ClientCertificate

REREAD = 60.0  # seconds a token file is believed; a projected token is renewed by the kubelet long before it ends
EARLY = 60.0  # seconds before its end at which an exec credential is renewed; less for those that live only briefly
PATIENCE = 10.0  # seconds after a failed renewal in which it is not tried again
_MOST = 1 << 20  # bytes of a token file


class Answer(Hidden, frozen=True, kw_only=True, eq=False):
    """The Authorization header, and the client certificate where the credentials bring one."""

    headers: dict[str, str] = msgspec.field(default_factory=dict)
    certificate: ClientCertificate | None = None


class Credentials(Protocol):
    """What `Access.authorize` asks, one thread at a time."""

    def current(self) -> Answer:
        """For the next request. Raises NoCluster."""

    def forget(self) -> bool:
        """The server refused it; True where it may be had anew."""

    def close(self) -> None:
        """End what runs."""


def bearer(token: str, where: str) -> dict[str, str]:
    """The header for a bearer token. Raises NoCluster for a token that no header can hold."""
    token = token.strip()
    if not token.isascii() or not token.isprintable():
        raise NoCluster("the token holds characters that no token has", where, "Get a new one.")
    return {"Authorization": f"Bearer {token}"}


def basic(username: str, password: str) -> dict[str, str]:
    """The header for a user name and a password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


class Fixed:
    """A token or password that stands in the kubeconfig; or nothing at all."""

    def __init__(self, headers: dict[str, str] | None = None) -> None:
        self._answer = Answer(headers=headers or {})

    def current(self) -> Answer:
        return self._answer

    def forget(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing runs."""


class TokenFile:
    """A token in a file, read again once a minute; what was read last, or `fallback`, where it cannot be read."""

    def __init__(self, path: Path, fallback: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._last = Answer(headers=bearer(fallback, "token")) if fallback else None
        self._until = float("-inf")

    def current(self) -> Answer:
        if self._last is None or self._clock() >= self._until:
            self._last = self._read()
            self._until = self._clock() + REREAD
        return self._last

    def _read(self) -> Answer:
        try:
            with self._path.open("rb") as file:
                token = file.read(_MOST).decode("utf-8", "replace").strip()
            if not token:
                raise NoCluster("the token file is empty", str(self._path), "Have the token written anew.")
            return Answer(headers=bearer(token, str(self._path)))
        except OSError as problem:
            if self._last is None:
                raise NoCluster(f"the token file cannot be read: {problem.strerror}", str(self._path)) from None
        except NoCluster:
            if self._last is None:
                raise
        return self._last

    def forget(self) -> bool:
        self._until = float("-inf")
        return True

    def close(self) -> None:
        """Nothing runs."""


class ExecCredentials:
    """What an exec plugin gives, renewed before it ends; `first` is what an interactive login gave."""

    def __init__(
        self, plugin: ExecPlugin, limit: float, first: ExecCredential | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._plugin = plugin
        self._limit = limit
        self._clock = clock
        self._failed: NoCluster | None = None
        self._failed_at = 0.0
        self._answer: Answer | None = None
        self._ends = self._renew_at = float("-inf")
        if first is not None:
            self._keep(first)

    def current(self) -> Answer:
        now = self._clock()
        if now >= self._renew_at and not self._resting(now):
            try:
                self._keep(self._plugin.run(self._limit))
            except NoCluster as problem:
                self._failed, self._failed_at = problem, self._clock()
        if self._answer is None or self._clock() >= self._ends:
            raise self._failed or NoCluster("the exec plugin gave a credential that has expired already", self._plugin.name)
        return self._answer

    def _resting(self, now: float) -> bool:
        """Whether a renewal failed just now."""
        return self._failed is not None and now < self._failed_at + PATIENCE

    def _keep(self, credential: ExecCredential) -> None:
        headers = bearer(credential.token, self._plugin.name) if credential.token else {}
        now = self._clock()
        self._failed = None
        self._answer = Answer(headers=headers, certificate=credential.certificate)
        self._ends = float("inf") if credential.expires is None else credential.expires
        self._renew_at = self._ends - min(EARLY, max(self._ends - now, 0.0) / 5)

    def forget(self) -> bool:
        self._renew_at = float("-inf")
        return True  # also while a plugin that failed is left alone: soon it is asked again

    def close(self) -> None:
        self._plugin.stop()
