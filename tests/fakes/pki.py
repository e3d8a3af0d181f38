"""A certificate authority for tests: real certificates, made in a moment (elliptic keys)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Pair(NamedTuple):
    """A certificate and its key, both PEM."""

    certificate: bytes
    key: bytes

    @property
    def certificate_data(self) -> str:
        """As it stands in a kubeconfig."""
        return base64.b64encode(self.certificate).decode()

    @property
    def key_data(self) -> str:
        """As it stands in a kubeconfig."""
        return base64.b64encode(self.key).decode()


class Authority:
    """Issues certificates that its own certificate (`pem`) vouches for."""

    def __init__(self, name: str = "test authority") -> None:
        self._name = _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        begin = datetime.now(UTC) - timedelta(days=3650)
        builder = x509.CertificateBuilder(self._name, self._name, self._key.public_key(), 1, begin, begin + timedelta(days=7300))
        made = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.pem = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    @property
    def data(self) -> str:
        """As it stands in a kubeconfig."""
        return base64.b64encode(self.pem).decode()

    def issue(self, name: str, *hosts: str, begins: float = -1, ends: float = 365, password: bytes = b"") -> Pair:
        """A certificate for `name` and hosts, valid from and until so many days from today; its key under `password`."""
        key = ec.generate_private_key(ec.SECP256R1())
        today = datetime.now(UTC)
        builder = x509.CertificateBuilder(
            self._name,
            _name(name),
            key.public_key(),
            x509.random_serial_number(),
            today + timedelta(days=begins),
            today + timedelta(days=ends),
        )
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        return Pair(
            builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock),
        )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
