"""What the user entry of a kubeconfig says: how we prove who we are, and as whom we act."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flannelscope.errors import NoCluster, WrongKubeconfig
from flannelscope.sources.credentials import REREAD, Answer, Credentials, ExecCredentials, Fixed, TokenFile, basic, bearer
from flannelscope.sources.execplugin import MODES, VERSIONS, ExecPlugin
from flannelscope.sources.kubeconfig_files import Cluster, Exec, User, content, resolved
from flannelscope.sources.proxy import Proxy
from flannelscope.sources.tls import ClientCertificate, Tls, examine

_HEADER_NAME = frozenset(b"!#$&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_EXTENSION = "client.authentication.k8s.io/exec"


class Identity:
    """How one user entry proves who it is; made by `of`, which has checked it."""

    def __init__(self, user: User, file: Path, certificate: ClientCertificate | None, plugin: ExecPlugin | None) -> None:
        self.certificate = certificate
        self.plugin = plugin
        self._user = user
        self._file = file

    @property
    def warnings(self) -> tuple[str, ...]:
        """A certificate that ends soon; no credentials at all. Raises NoCluster for a certificate that has ended."""
        soon = examine(self.certificate) if self.certificate else ""
        if soon:
            return (soon,)
        user = self._user
        if not (self.certificate or self.plugin or user.token or user.token_file or user.username):
            return ("The kubeconfig names no credentials: the server sees an anonymous user.",)
        return ()

    def credentials(self, login: str, limit: float) -> Credentials:
        """What authorizes requests; `login` is what an interactive login gave, `limit` a plugin's seconds."""
        user, where = self._user, f"token in {self._file}"
        made: Credentials
        if self.plugin is not None:
            return ExecCredentials(self.plugin, limit, self.plugin.read(login.encode()) if login else None)
        if user.token_file:
            made = TokenFile(resolved(user.token_file, self._file), user.token)
        elif user.token:
            made = Fixed(bearer(user.token, where))
        else:
            made = Fixed(basic(user.username, user.password) if user.username or user.password else None)
        if user.client_certificate or user.client_key:
            return FromFiles(made, lambda: _certificate(user, self._file), self.certificate)
        return made


class FromFiles:
    """Credentials with a client certificate in files, which are read again once a minute: the kubelet's are renewed in place."""

    def __init__(
        self,
        inner: Credentials,
        read: Callable[[], ClientCertificate | None],
        first: ClientCertificate | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._read = read
        self._certificate = first
        self._clock = clock
        self._until = clock() + REREAD

    def current(self) -> Answer:
        if self._clock() >= self._until:
            self._until = self._clock() + REREAD
            self._certificate = self._newer() or self._certificate
        return Answer(headers=self._inner.current().headers, certificate=self._certificate)

    def _newer(self) -> ClientCertificate | None:
        """The pair as it is in the files, where it changed and fits together: it may be half written."""
        try:
            found, known = self._read(), self._certificate
            if found is None or (known and (found.chain, found.key) == (known.chain, known.key)):
                return None
            Tls(verified=False, client=found).context  # noqa: B018 - only whether OpenSSL takes it
        except NoCluster:
            return None
        return found

    def forget(self) -> bool:
        self._until = float("-inf")
        self._inner.forget()
        return True

    def close(self) -> None:
        self._inner.close()


def of(user: User, file: Path, cluster: dict[str, Any]) -> Identity:
    """Check a user entry by kubectl's rules; `cluster` is what a plugin may be told. Raises WrongKubeconfig."""
    where = str(file)
    if user.auth_provider is not None:
        what = "the user has an auth-provider, which Kubernetes removed in 1.26"
        raise WrongKubeconfig(what, where, "Use an exec plugin: gke-gcloud-auth-plugin, kubelogin, `kubectl oidc-login`.")
    if (user.token or user.token_file) and (user.username or user.password):
        raise WrongKubeconfig("the user has both a token and a password", where, "Remove one of them; kubectl refuses this too.")
    certificate = _certificate(user, file)
    plugin = _plugin(user.exec, file, cluster) if user.exec else None
    if certificate or user.token or user.token_file or user.username or user.password:
        plugin = None  # as in client-go: an exec entry beside other credentials is not used
    return Identity(user, file, certificate, plugin)


def _certificate(user: User, file: Path) -> ClientCertificate | None:
    chain = content(user.client_certificate_data, user.client_certificate, file, "client-certificate")
    key = content(user.client_key_data, user.client_key, file, "client-key")
    if chain is None:
        return None
    if key is None:
        raise WrongKubeconfig(
            "the user has a client certificate and no client key", str(file), "Add client-key or client-key-data."
        )
    return ClientCertificate(chain=chain.content, key=key.content, where=chain.where)


def _plugin(entry: Exec, file: Path, cluster: dict[str, Any]) -> ExecPlugin:
    where = f"exec in {file}"
    if not entry.command:
        raise WrongKubeconfig("the exec plugin has no command", where)
    if entry.api_version not in VERSIONS:
        what = f"the exec plugin's apiVersion {entry.api_version or '(none)'} is not known"
        raise WrongKubeconfig(what, where, f"Known are {' and '.join(VERSIONS)}; update the plugin and the kubeconfig.")
    mode = entry.interactive_mode or ("IfAvailable" if entry.api_version.endswith("beta1") else "")
    if mode not in MODES:
        raise WrongKubeconfig(
            f"the exec plugin's interactiveMode is {mode or 'missing'}", where, f"Use one of {', '.join(MODES)}."
        )
    return ExecPlugin(
        command=str(resolved(entry.command, file)) if "/" in entry.command else entry.command,
        arguments=entry.args,
        environ={variable.name: variable.value for variable in entry.env},
        version=entry.api_version,
        mode=mode,
        hint=entry.install_hint,
        cluster=cluster if entry.provide_cluster_info else None,
    )


def about(cluster: Cluster, server: str, way: Proxy | None, tls: Tls) -> dict[str, Any]:
    """What a plugin with provideClusterInfo is told, in the fields of ExecCredential's spec.cluster."""
    told: dict[str, Any] = {
        "server": server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": base64.b64encode(tls.authorities).decode() if tls.authorities else "",
        "proxy-url": way.url if way else "",
        "disable-compression": cluster.disable_compression,
    }
    for extension in cluster.extensions if isinstance(cluster.extensions, list) else ():
        if isinstance(extension, dict) and extension.get("name") == _EXTENSION:
            told["config"] = extension.get("extension")
    return {name: value for name, value in told.items() if value or name == "server"}


def impersonation(user: User, file: Path) -> tuple[tuple[str, str], ...]:
    """The headers that make the server act as somebody else; of one name there may be several.

    Raises WrongKubeconfig where groups, uid or extra stand without a user: kubectl leaves them out, which shows another
    user's view than the kubeconfig asks for.
    """
    if not user.as_user:
        if user.as_uid or user.as_groups or user.as_user_extra:
            raise WrongKubeconfig("the user impersonates groups, a uid or extra values without a user", str(file), "Add `as`.")
        return ()
    made = [("Impersonate-User", user.as_user)]
    if user.as_uid:
        made.append(("Impersonate-Uid", user.as_uid))
    made += [("Impersonate-Group", group) for group in user.as_groups]
    made += [(f"Impersonate-Extra-{_escaped(key)}", value) for key, values in user.as_user_extra.items() for value in values]
    return tuple((name, _header_value(value, file)) for name, value in made)


def _escaped(key: str) -> str:
    return "".join(chr(byte) if byte in _HEADER_NAME else f"%{byte:02X}" for byte in key.encode())


def _header_value(value: str, file: Path) -> str:
    """The value as http.client sends it: it encodes Latin-1, the API server reads UTF-8."""
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in value):
        raise WrongKubeconfig("an impersonated name holds control characters", str(file))
    return value.encode().decode("latin-1")
