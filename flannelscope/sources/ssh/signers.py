"""Keys that prove who we are, in the shape in which paramiko takes them, with the signing done by cryptography."""

from __future__ import annotations

import struct
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Private = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
CERTIFICATE = "-cert-v01@openssh.com"
_CURVE_HASHES: dict[str, hashes.HashAlgorithm] = {
    "ecdsa-sha2-nistp256": hashes.SHA256(),
    "ecdsa-sha2-nistp384": hashes.SHA384(),
    "ecdsa-sha2-nistp521": hashes.SHA512(),
}


class PublicPart:
    """What the server is shown: a public key, or a certificate."""

    def __init__(self, blob: bytes) -> None:
        self.key_blob = blob
        self.key_type = blob[4 : 4 + int.from_bytes(blob[:4], "big")].decode(errors="replace")


class Signer(Protocol):
    """A key, wherever it lies. `label` is its name for the operator, `problem` why it was of no use."""

    label: str
    problem: str
    public_blob: PublicPart

    def get_name(self) -> str:
        """The kind of key."""

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> bytes:
        """A signature in SSH's own form."""


class FileSigner:
    """A private key from a file, with `certificate` (its blob) where it is shown with one."""

    def __init__(self, label: str, private: Private, certificate: bytes = b"") -> None:
        self.label = label
        self.problem = ""
        self._private = private
        self.plain = PublicPart(public_blob(private))
        self.public_blob = PublicPart(certificate) if certificate else self.plain

    def certified(self, certificate: bytes) -> FileSigner:
        """The same key, shown with this certificate."""
        return FileSigner(f"{self.label} with certificate", self._private, certificate)

    def get_name(self) -> str:
        """The kind of key."""
        return self.public_blob.key_type

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> bytes:
        """A signature; RSA by SHA-2 only."""
        if isinstance(self._private, ed25519.Ed25519PrivateKey):
            return _strings(b"ssh-ed25519", self._private.sign(data))
        if isinstance(self._private, rsa.RSAPrivateKey):
            name = "rsa-sha2-256" if algorithm and algorithm.startswith("rsa-sha2-256") else "rsa-sha2-512"
            digest = hashes.SHA256() if name == "rsa-sha2-256" else hashes.SHA512()
            return _strings(name.encode(), self._private.sign(data, padding.PKCS1v15(), digest))
        kind = self.plain.key_type
        r, s = decode_dss_signature(self._private.sign(data, ec.ECDSA(_CURVE_HASHES[kind])))
        return _strings(kind.encode(), _strings(_mpint(r), _mpint(s)))


def public_blob(private: Private) -> bytes:
    """Its public key as it goes over the wire."""
    import base64

    return base64.b64decode(private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])


def _strings(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def _mpint(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")
