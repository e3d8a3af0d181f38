"""The API server as the lab itself speaks to it where there is much to say: one kept connection, opened in the bastion."""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import ssl
import time
from pathlib import Path
from typing import Any

from tests.lab.networks import CONTROL_PLANE_ADDRESS
from tests.lab.places import Places
from tests.lab.processes import LabFailed

Object = dict[str, Any]
IDLE = 30.0  # seconds after which a connection is opened anew; the server closes one at 90
MERGE = "application/merge-patch+json"


class Refused(LabFailed):
    """The API server answered, and not with what was asked for; `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Requests as the cluster's administrator, one after the other."""

    def __init__(self, places: Places, user: str = "admin") -> None:
        self._connection = Connection(places, user)
        self._used = time.monotonic()

    def get(self, path: str) -> Object:
        """GET an object or a list."""
        return self.request("GET", path)

    def post(self, path: str, body: Object) -> Object:
        """Create an object."""
        return self.request("POST", path, body)

    def put(self, path: str, body: Object) -> Object:
        """Replace an object."""
        return self.request("PUT", path, body)

    def patch(self, path: str, body: Object) -> Object:
        """Merge into an object; an entry that is None is taken away."""
        return self.request("PATCH", path, body, MERGE)

    def request(self, method: str, path: str, body: Object | None = None, kind: str = "application/json") -> Object:
        """One request. Raises Refused, or OSError or HTTPException after which the next one connects anew."""
        if time.monotonic() - self._used > IDLE:
            self.close()
        try:
            self._connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": kind})
            response = self._connection.getresponse()
            answer: Object = json.loads(response.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        self._used = time.monotonic()
        if response.status >= 300:
            raise Refused(response.status, f"{method} {path}: {response.status} {answer.get('message')}")
        return answer

    def close(self) -> None:
        """End the connection; the next request opens another."""
        self._connection.close()


class Connection(http.client.HTTPSConnection):
    """A connection that leaves from the bastion's network namespace: a socket stays where it was made."""

    def __init__(self, places: Places, user: str) -> None:
        tls = ssl.create_default_context(cafile=str(places.pki / "ca.crt"))
        tls.load_cert_chain(places.pki / f"{user}.crt", places.pki / f"{user}.key")
        super().__init__(CONTROL_PLANE_ADDRESS, 6443, context=tls, timeout=60)
        self._namespace = places.network_file("bastion")

    def connect(self) -> None:
        """Connect from the bastion, and come back."""
        with Path("/proc/thread-self/ns/net").open("rb") as here, self._namespace.open("rb") as there:
            enter(there.fileno())
            try:
                super().connect()
            finally:
                enter(here.fileno())


def once(places: Places, path: str) -> bytes:
    """What the API server answers to one GET, over a connection of its own: a hundredth of what starting kubectl costs.

    Raises Refused, or LabFailed where nobody answers.
    """
    connection = Connection(places, "admin")
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        answer = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise LabFailed(f"GET {path}: {error}") from error
    finally:
        connection.close()
    if response.status >= 300:
        raise Refused(response.status, f"GET {path}: {response.status} {answer.decode(errors='replace')}")
    return answer


def enter(namespace: int) -> None:
    """setns(2) for this thread; Python has it from 3.12 on. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(namespace, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "setns")
