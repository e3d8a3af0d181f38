"""TLS as kubectl does it: whom to believe, who we are. Keys given as data never touch a disk.

Go's rules, where OpenSSL's differ: an intermediate in the CA bundle is an anchor too; certificates without the
extensions that RFC 5280 asks for are accepted (old cluster CAs lack them); the common name is no host name.
"""

from __future__ import annotations

import os
import ssl
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from flannelscope.errors import NoCluster, WrongKubeconfig
from flannelscope.sources.secret import Hidden

SOON = 7 * 86400  # seconds before its end from which a client certificate is warned about
_COMPARE = "Compare it with a kubeconfig that works."
_RENEW = "Get a new one, on a kubeadm control plane by `kubeadm certs renew`, else from who issued the kubeconfig."


class ClientCertificate(Hidden, frozen=True, kw_only=True, eq=False):
    """A client certificate with its chain and its key, both PEM; `where` names the entry or file, for errors."""

    chain: bytes
    key: bytes
    where: str


class Tls:
    """Whom we believe and who we are: `authorities` in PEM (None: those of the system), `server_name` for SNI and the check."""

    def __init__(
        self,
        *,
        authorities: bytes | None = None,
        verified: bool = True,
        server_name: str = "",
        client: ClientCertificate | None = None,
        where: str = "",
    ) -> None:
        self.verified = verified
        self.server_name = server_name
        self.authorities = authorities
        self.client = client
        self._where = where

    def with_client(self, client: ClientCertificate | None) -> Tls:
        """The same, with another client certificate: what OpenSSL read into a context cannot be taken out again."""
        return Tls(
            authorities=self.authorities, verified=self.verified, server_name=self.server_name, client=client, where=self._where
        )

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The context of connections to the API server. Raises NoCluster where OpenSSL refuses certificates."""
        context = self._believing()
        if self.client is not None:
            _present(context, self.client)
        return context

    @cached_property
    def proxy_context(self) -> ssl.SSLContext:
        """The context of connections to an HTTPS proxy: the cluster's CA and the system's, without our certificate."""
        context = self._believing()
        context.load_default_certs()
        return context

    def _believing(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.hostname_checks_common_name = False
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        if not self.verified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.authorities is None:
            context.load_default_certs()
        else:
            _trust(context, self.authorities, self._where)
        return context


def _trust(context: ssl.SSLContext, authorities: bytes, where: str) -> None:
    try:
        context.load_verify_locations(cadata=authorities.decode("ascii", "replace"))
    except (ssl.SSLError, ValueError):
        raise WrongKubeconfig("the certificate authority holds no certificate in PEM", where, _COMPARE) from None


def _present(context: ssl.SSLContext, client: ClientCertificate) -> None:
    def refuse() -> str:
        # Without this OpenSSL would ask for the passphrase on the terminal.
        raise NoCluster("the client key is encrypted with a passphrase", client.where, "Decrypt it; kubectl needs that too.")

    try:
        with _as_file(client.chain) as chain, _as_file(client.key) as key:
            context.load_cert_chain(chain, key, password=refuse)
    except (ssl.SSLError, ValueError) as problem:
        if getattr(problem, "reason", "") == "KEY_VALUES_MISMATCH":
            what = "the client key does not belong to the client certificate"
        else:
            what = "the client certificate or its key cannot be read as PEM"
        raise NoCluster(what, client.where, "Get a new kubeconfig from who issued it.") from None


@contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """A path from which OpenSSL can read `data`; on Linux in memory only, elsewhere a private file for a moment."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").exists():
        with os.fdopen(os.memfd_create("flannelscope"), "wb") as file:
            file.write(data)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
        return
    with tempfile.NamedTemporaryFile(prefix="flannelscope-") as named:  # created 0600
        named.write(data)
        named.flush()
        yield named.name


def examine(client: ClientCertificate, now: float | None = None) -> str:
    """A warning where the certificate ends within a week, else "".

    Raises NoCluster where it has ended, is not valid yet, or cannot be read.
    """
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificate(client.chain)
    except ValueError:
        raise NoCluster("the client certificate cannot be read as PEM", client.where, _RENEW) from None
    moment = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if moment > end:
        raise NoCluster(f"the client certificate expired at {_stamp(end)}", client.where, _RENEW)
    if moment < begin:
        what = f"the client certificate is valid only from {_stamp(begin)}"
        raise NoCluster(what, client.where, "Check the clock of this machine.")
    if (end - moment).total_seconds() < SOON:
        return f"The client certificate ({client.where}) expires at {_stamp(end)}. {_RENEW}"
    return ""


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
