"""Whether the key that a server shows is the one that is known for it."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, SSHCertificate, SSHCertificateType
from cryptography.hazmat.primitives.serialization.ssh import load_ssh_public_identity

from flannelscope.model.base import Value
from flannelscope.sources.ssh.accept import changed, unknown
from flannelscope.sources.ssh.failures import NotReached
from flannelscope.sources.ssh.known_hosts import KnownHosts
from flannelscope.sources.ssh.patterns import matches
from flannelscope.sources.ssh.tokens import expanded
from flannelscope.sources.ssh.values import Login


class Shown(Value, frozen=True):
    """The key a server proved to have: its kind, the key, and the certificate for it where it showed one."""

    kind: str
    blob: bytes
    certificate: bytes = b""

    @property
    def fingerprint(self) -> str:
        """As ssh-keygen -l prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).rstrip(b"=").decode()

    @property
    def key(self) -> str:
        """As it stands in known_hosts."""
        return base64.b64encode(self.blob).decode()


class OtherKinds(Exception):
    """Only keys of other kinds are known for it: the server is to be asked for one of those."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        super().__init__(kinds)
        self.kinds = kinds


def check(known: KnownHosts, login: Login, hops: Sequence[Login], shown: Shown, *, again: bool) -> None:
    """Return where this key is known for it. Raises NotReached where not, OtherKinds where it should be asked `again`."""
    names = tuple(name.lower() for name in login.known_as)
    revoked = known.revoked(names, shown.key)
    if revoked is not None:
        raise NotReached(
            f"the host key of {login.words} is marked as revoked ({revoked.where}): {shown.kind} {shown.fingerprint}"
        )
    _check_list(login, shown)
    if (shown.certificate and _certified(known, names, shown)) or known.knows(names, shown.key):
        return
    name = known.first(names)
    if not name:
        raise unknown(login, hops, shown.kind, shown.fingerprint, known.unread)
    entries = known.of(name)
    kinds = tuple(dict.fromkeys(entry.kind for entry in entries))
    if shown.kind not in kinds and again:
        raise OtherKinds(kinds)
    raise changed(login, hops, shown.kind, shown.fingerprint, entries[0].where, name)


def _certified(known: KnownHosts, names: Sequence[str], shown: Shown) -> bool:
    """Whether an authority that counts for it signed a certificate for this host and this time."""
    bare = tuple(name[1:].partition("]")[0] if name.startswith("[") else name for name in names)
    authorities = {entry.key for entry in known.authorities((*names, *bare))}
    if not authorities:
        return False
    try:
        certificate = load_ssh_public_identity(_named(shown.certificate))
        if not isinstance(certificate, SSHCertificate) or certificate.type is not SSHCertificateType.HOST:
            return False
        certificate.verify_cert_signature()
        signer = certificate.signature_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1].decode()
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        return False
    principals = [name.decode(errors="replace").lower() for name in certificate.valid_principals]
    return (
        signer in authorities
        and known.revoked(names, signer) is None
        and certificate.valid_after <= time.time() < certificate.valid_before
        and not certificate.critical_options
        and (not principals or any(matches([name], host) for name in principals for host in bare))
    )


def _named(blob: bytes) -> bytes:
    length = int.from_bytes(blob[:4], "big")
    return blob[4 : 4 + length] + b" " + base64.b64encode(blob)


def _check_list(login: Login, shown: Shown) -> None:
    """RevokedHostKeys: a list of keys as text; OpenSSH refuses all hosts where it cannot read it, and so do we."""
    if not login.policy.revoked:
        return
    name = expanded(login.policy.revoked, login)
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise NotReached(f"RevokedHostKeys {name} cannot be read: {error.strerror}") from None
    if content.startswith(b"SSHKRL\n"):
        raise NotReached(
            f"RevokedHostKeys {name} is a binary list: only the system's ssh reads it", 'transport = "openssh" in [ssh]'
        )
    if shown.key.encode() in content.split():
        raise NotReached(f"the host key of {login.words} is in RevokedHostKeys {name}: {shown.kind} {shown.fingerprint}")
