"""Which cluster, as whom: kubectl's rules for --kubeconfig, KUBECONFIG, ~/.kube/config and a pod's service account."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from flannelscope.errors import WrongKubeconfig
from flannelscope.sources import identity, incluster, proxy
from flannelscope.sources.access import Access
from flannelscope.sources.credentials import Credentials, Fixed
from flannelscope.sources.kubeconfig_files import Cluster, Merged, User, content, read
from flannelscope.sources.tls import Tls

if TYPE_CHECKING:
    from flannelscope.session import Settings

_LISTED = 12  # names of contexts in an error
_INSECURE = "The server's certificate is not checked (insecure-skip-tls-verify): anyone on the way can read and alter."
_PLAIN = "The server is reached without TLS, so no credentials are sent and anyone on the way can read and alter."


class _Chosen(NamedTuple):
    context: str
    cluster: Cluster
    cluster_file: Path
    user: User
    user_file: Path


def load(settings: Settings) -> Access:
    """The access that kubectl would use for these settings. Opens no connection and runs no plugin yet.

    Raises WrongKubeconfig, or NoCluster for credentials that cannot be used, saying what is wrong, where, and what to do.
    """
    chosen = _choose(_files(settings, os.environ), settings.context)
    if chosen is None:
        return incluster.access(os.environ)
    server, warnings = _server(chosen)
    tls = _tls(chosen)
    way = proxy.choose(server, chosen.cluster.proxy_url, os.environ)
    credentials: Credentials = Fixed()
    if server.startswith("https:"):
        who = identity.of(chosen.user, chosen.user_file, identity.about(chosen.cluster, server, way, tls))
        credentials = who.credentials(settings.login, settings.timeout * 2)
        warnings += who.warnings
        tls = tls.with_client(who.certificate)
    impersonation = identity.impersonation(chosen.user, chosen.user_file)
    if way and way.joins_headers and server.startswith("http:") and len(impersonation) > 1:
        what = "groups cannot be impersonated through an HTTP proxy on a server without TLS"
        raise WrongKubeconfig(what, str(chosen.user_file), "Reach the server by https.")
    tls.context  # noqa: B018 - certificates that OpenSSL refuses are said here, not at the first request
    return Access(
        server=server,
        context=chosen.context,
        tls=tls,
        credentials=credentials,
        proxy=way,
        impersonation=impersonation,
        compression=not chosen.cluster.disable_compression,
        warnings=warnings,
    )


def login(settings: Settings) -> str:
    """Run an interactive exec plugin once, with the terminal, before anything is drawn.

    The answer is ExecCredential JSON for `Settings.login`; "" where no plugin is used, it never asks, or there is no
    terminal and it can do without. Raises NoCluster, WrongKubeconfig.
    """
    chosen = _choose(_files(settings, os.environ), settings.context)
    if chosen is None or not _server(chosen)[0].startswith("https:"):
        return ""
    server = _server(chosen)[0]
    way = proxy.choose(server, chosen.cluster.proxy_url, os.environ)
    who = identity.of(chosen.user, chosen.user_file, identity.about(chosen.cluster, server, way, _tls(chosen)))
    if who.plugin is None or not who.plugin.wants_terminal():
        return ""
    return who.plugin.run_with_terminal()


def _files(settings: Settings, environ: Mapping[str, str]) -> Merged:
    if settings.kubeconfig:
        return read(settings.kubeconfig, required=len(settings.kubeconfig) == 1)
    if environ.get("KUBECONFIG"):
        return read(environ["KUBECONFIG"].split(os.pathsep), required=False)
    return read([str(Path("~/.kube/config").expanduser())], required=False)


def _choose(merged: Merged, wanted: str) -> _Chosen | None:
    """The entries of the wanted or current context; None where nothing is configured and the pod's account is to be used."""
    name = wanted or merged.current
    where = ", ".join(str(path) for path in merged.files)
    if not name or not merged.files:
        if not name and incluster.possible(os.environ):
            return None
        raise _nothing(merged, where)
    if name not in merged.contexts:
        raise WrongKubeconfig(f"there is no context named {name}", where, _others(name, merged))
    context, context_file = merged.contexts[name]
    if context.cluster not in merged.clusters:
        raise WrongKubeconfig(
            f"context {name} names the cluster {context.cluster or '(none)'}, which is not there", str(context_file)
        )
    if context.user and context.user not in merged.users:
        raise WrongKubeconfig(f"context {name} names the user {context.user}, which is not there", str(context_file))
    cluster, cluster_file = merged.clusters[context.cluster]
    user, user_file = merged.users.get(context.user, (User(), context_file))
    return _Chosen(name, cluster, cluster_file, user, user_file)


def _nothing(merged: Merged, where: str) -> WrongKubeconfig:
    if merged.contexts:
        return WrongKubeconfig("the kubeconfig has no current context", where, _others("", merged))
    if merged.files:
        return WrongKubeconfig("the kubeconfig has no context", where, "Give another by --kubeconfig.")
    looked = os.environ.get("KUBECONFIG") or "~/.kube/config"
    return WrongKubeconfig(
        "no kubeconfig was found", looked, "Give one by --kubeconfig, or look at a simulated cluster by --demo."
    )


def _others(name: str, merged: Merged) -> str:
    """The contexts there are, those with a name like `name` first."""
    near = difflib.get_close_matches(name, merged.contexts, n=3, cutoff=0.5)
    names = near + [other for other in sorted(merged.contexts) if other not in near]
    if not names:
        return "The kubeconfig has no context at all."
    rest = len(names) - _LISTED
    return f"Choose by --context: {', '.join(names[:_LISTED])}{f' and {rest} more' if rest > 0 else ''}."


def _server(chosen: _Chosen) -> tuple[str, tuple[str, ...]]:
    """The base URL, and warnings about how it is reached."""
    where = str(chosen.cluster_file)
    text = chosen.cluster.server
    if not text:
        raise WrongKubeconfig(f"the cluster of context {chosen.context} has no server", where)
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise WrongKubeconfig("the server's URL cannot be used", where, "It looks like https://host:6443.")
    if parts.username is not None:
        raise WrongKubeconfig("the server's URL holds a user", where, "Put username and password into the user entry.")
    server = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    if parts.scheme == "http":
        return server, (_PLAIN,)
    return server, (_INSECURE,) if chosen.cluster.insecure_skip_tls_verify else ()


def _tls(chosen: _Chosen) -> Tls:
    cluster = chosen.cluster
    file, path = chosen.cluster_file, cluster.certificate_authority
    authority = content(cluster.certificate_authority_data, path, file, "certificate-authority")
    if authority and cluster.insecure_skip_tls_verify:
        what = "the cluster has both a certificate authority and insecure-skip-tls-verify"
        raise WrongKubeconfig(what, str(file), "Remove one of them; kubectl refuses this too.")
    return Tls(
        authorities=authority.content if authority else None,
        verified=not cluster.insecure_skip_tls_verify,
        server_name=cluster.tls_server_name,
        where=authority.where if authority else "",
    )
