"""The one door to the API server: reads pass, everything else raises before anything is sent.

It stands in two places, in the official client's REST layer and in front of its connection pool, so that neither a typed
call (create_node, patch_…) nor direct use of the pool goes round it.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubernetes.client import ApiClient
from kubernetes.client.rest import RESTClientObject, RESTResponse

from flannelscope.errors import WriteRefused
from flannelscope.sources.rights import is_ours

_SELF_REVIEW = re.compile(
    r"/apis/(?:authorization\.k8s\.io/v[0-9a-z]+/selfsubject(?:access|rules)reviews"
    r"|authentication\.k8s\.io/v[0-9a-z]+/selfsubjectreviews)"
)
_SUMMARY = re.compile(r"/api/v1/nodes/[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?/proxy/stats/summary")
_PRINTED = re.compile(r"[!-~]+")  # urlsplit leaves out line breaks and tabs that other readers of a URL keep


class Door:
    """What may be sent to one server: GET of what the table of rights names, and nothing that only looks like it.

    `nodes_proxy` allows GET of nodes/NAME/proxy/stats/summary (the kubelets' summaries).
    """

    def __init__(self, server: str, *, nodes_proxy: bool = False) -> None:
        base = urlsplit(server)
        self._origin = (base.scheme, base.netloc)
        self._prefix = base.path.rstrip("/")
        self._nodes_proxy = nodes_proxy

    def check(self, method: str, url: str) -> None:
        """Raises WriteRefused unless this is a read of this server."""
        parts = urlsplit(url)
        path = parts.path.removeprefix(self._prefix)
        if (parts.scheme, parts.netloc) != self._origin or not parts.path.startswith(f"{self._prefix}/"):
            raise WriteRefused(f"{method} to another server than {self._origin[1]}{self._prefix} refused")
        if not _PRINTED.fullmatch(url) or "#" in url:
            raise WriteRefused(f"{method} {path} refused: the URL can be read in two ways")
        if method == "POST" and _SELF_REVIEW.fullmatch(path) and not parts.query:
            return
        if method != "GET":
            raise WriteRefused(f"{method} {path} refused: flannelscope only reads")
        watching = "watch" in parse_qs(parts.query, keep_blank_values=True)
        if not (is_ours(path, watching) or (self._nodes_proxy and _SUMMARY.fullmatch(path) and not parts.query)):
            raise WriteRefused(f"GET {path} refused: it is none of the reads that flannelscope makes")


class _GuardedPool:
    """A urllib3 pool manager behind the door; holds just what the official client uses of it."""

    def __init__(self, pool: Any, door: Door) -> None:
        self._pool = pool
        self._door = door

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
        self._door.check(method.upper(), url)
        return self._pool.request(method, url, *args, redirect=False, **options)

    def urlopen(self, method: str, url: str, **options: Any) -> Any:
        self._door.check(method.upper(), url)
        return self._pool.urlopen(method, url, **{**options, "redirect": False})

    def clear(self) -> None:
        self._pool.clear()


class ReadOnlyRest(RESTClientObject):
    """The official client's REST layer behind the door, on connections made elsewhere (TLS, proxy, certificate)."""

    def __init__(self, configuration: Any, pool: Any, door: Door) -> None:
        # The base class would make a second pool, from files: ours holds the client certificate in memory only.
        self.configuration = configuration
        self.pool_manager: Any = _GuardedPool(pool, door)
        self._door = door

    def request(
        self,
        method: str,
        url: str,
        headers: Any = None,
        body: Any = None,
        post_params: Any = None,
        _request_timeout: Any = None,
    ) -> RESTResponse:
        """One request, or WriteRefused."""
        self._door.check(method.upper(), url)
        answer: RESTResponse = super().request(method, url, headers, body, post_params, _request_timeout)  # type: ignore[no-untyped-call]
        return answer


def read_only_client(configuration: Any, pool: Any, door: Door) -> Any:
    """The official client with nothing but reads in it."""
    client: Any = ApiClient(configuration)
    client.rest_client = ReadOnlyRest(configuration, pool, door)
    return client
