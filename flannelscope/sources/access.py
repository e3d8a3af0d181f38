"""How one API server is reached and as whom: what a transport needs, and nothing of where it was configured.

A transport uses it so:

    access = kubeconfig.load(settings)
    client = kubernetes.client.ApiClient(access.configuration)
    client.rest_client.pool_manager = access.pool_manager()
    client.rest_client.request("GET", access.server + path, headers=access.request_headers())
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from flannelscope.sources.credentials import Credentials
from flannelscope.sources.proxy import Proxy, pool_manager
from flannelscope.sources.tls import Tls

if TYPE_CHECKING:
    import urllib3


class Access:
    """One server, one identity; made by `kubeconfig.load`.

    `server` is the base URL without user info, `context` the name chosen ("in-cluster" inside a pod), `acting_as` whom
    the kubeconfig impersonates ("" for nobody), `compression` false where the cluster entry disables it, `warnings`
    sentences for the operator. Certificates and keys are held in memory only: no file is written.
    """

    def __init__(
        self,
        *,
        server: str,
        context: str,
        tls: Tls,
        credentials: Credentials,
        proxy: Proxy | None = None,
        impersonation: tuple[tuple[str, str], ...] = (),
        compression: bool = True,
        warnings: tuple[str, ...] = (),
    ) -> None:
        self.server = server
        self.context = context
        self.compression = compression
        self.warnings = warnings
        self._tls = tls
        self._credentials = credentials
        self._proxy = proxy
        self._impersonation = impersonation
        self._pool: urllib3.PoolManager | None = None
        self._certificate = tls.client
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Access(server={self.server!r}, context={self.context!r})"

    @property
    def acting_as(self) -> str:
        """The impersonated user, "" for nobody."""
        sent = dict(self._impersonation).get("Impersonate-User", "")
        return sent.encode("latin-1").decode()

    @property
    def headers(self) -> urllib3.HTTPHeaderDict:
        """The impersonation headers. Impersonate-Group may stand in it several times: never make a dict of it."""
        from urllib3 import HTTPHeaderDict

        made = HTTPHeaderDict()
        for name, value in self._impersonation:
            made.add(name, value)
        return made

    def authorize(self) -> dict[str, str]:
        """The Authorization header for the next request; empty where a certificate (or nothing) identifies us.

        May read a token file or run an exec plugin, so it may take as long as the plugin's time limit. Where the plugin
        gave a new client certificate, connections made from then on use it. Raises NoCluster.
        """
        with self._lock:
            answer = self._credentials.current()
            if answer.certificate is not None and answer.certificate is not self._certificate:
                self._certificate = answer.certificate
                self._tls = self._tls.with_client(answer.certificate)
                if self._pool is not None:
                    self._pool.connection_pool_kw["ssl_context"] = self._tls.context
                    self._pool.clear()
            return dict(answer.headers)

    def request_headers(self) -> urllib3.HTTPHeaderDict:
        """Impersonation and authorization together, for one request."""
        made = self.headers
        for name, value in self.authorize().items():
            made.add(name, value)
        return made

    def rejected(self) -> bool:
        """The server answered 401: forget what can be had anew. True where one more try makes sense."""
        with self._lock:
            return self._credentials.forget()

    def pool_manager(self) -> urllib3.PoolManager:
        """Connections with our TLS, client certificate and proxy; put it at `rest_client.pool_manager`.

        The official client builds its own from files and differs from kubectl in what a proxy is used for; this one has
        no retries of its own. The same object at every call.
        """
        with self._lock:
            if self._pool is None:
                self._pool = pool_manager(self._tls, self._proxy)
            return self._pool

    @property
    def configuration(self) -> Any:
        """A kubernetes.client.Configuration: host, TLS name, proxy, retries off. It holds no secret.

        Client certificates and proxy passwords are in `pool_manager` only, the token in `authorize` only.
        """
        from kubernetes.client import Configuration

        made = Configuration(host=self.server, retries=False)
        made.verify_ssl = self._tls.verified
        made.tls_server_name = self._tls.server_name or None
        made.proxy = self._proxy.shown if self._proxy else None
        made.no_proxy = None
        return made

    def close(self) -> None:
        """End a plugin that runs, close idle connections."""
        self._credentials.close()
        if self._pool is not None:
            self._pool.clear()
