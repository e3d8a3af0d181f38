"""Inside a pod: the service account that the kubelet mounts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flannelscope.errors import NoCluster
from flannelscope.sources import proxy
from flannelscope.sources.access import Access
from flannelscope.sources.credentials import TokenFile
from flannelscope.sources.tls import Tls

FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def possible(environ: Mapping[str, str]) -> bool:
    """Whether this runs in a pod with a service account."""
    told = environ.get("KUBERNETES_SERVICE_HOST") and environ.get("KUBERNETES_SERVICE_PORT")
    return bool(told) and (FOLDER / "token").is_file()


def access(environ: Mapping[str, str]) -> Access:
    """The service account's access; its token is read again as the kubelet renews it. Raises NoCluster."""
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"]
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    path = FOLDER / "ca.crt"
    try:
        tls = Tls(authorities=path.read_bytes(), where=str(path))
    except OSError as problem:
        raise NoCluster(f"the service account's CA cannot be read: {problem.strerror}", str(path)) from None
    tls.context  # noqa: B018 - a CA that OpenSSL refuses is said here, not at the first request
    return Access(
        server=server,
        context="in-cluster",
        tls=tls,
        credentials=TokenFile(FOLDER / "token"),
        proxy=proxy.choose(server, "", environ),
    )
