"""Private keys in files: what can be told of one without its passphrase, and the key itself."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

from flannelscope.sources.ssh.signers import FileSigner, Private

_LARGEST = 100_000  # bytes of a file
_MAGIC = b"openssh-key-v1\0"


class KeyFile:
    """An identity file. `public` is its public key (b"" where that cannot be told), `problem` why it cannot be used.

    `locked`: it wants a passphrase. A file that is not there is no problem: OpenSSH's default names are mostly not there.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.public = b""
        self.locked = False
        self.problem = ""
        self.signer: FileSigner | None = None
        self._content = b""
        try:
            self._open()
        except FileNotFoundError:
            return
        except OSError as error:
            self.problem = f"{path}: {error.strerror}"

    def _open(self) -> None:
        with Path(self.path).open("rb") as file:
            status = os.fstat(file.fileno())
            self._content = file.read(_LARGEST)
        self.public = _shown_public(self._content) or _public_line(Path(self.path + ".pub"))
        if b"PRIVATE KEY-----" not in self._content:
            return  # a public key, which says which of the agent's keys is meant
        if status.st_uid == os.getuid() and stat.S_IMODE(status.st_mode) & 0o077:
            self.problem = f"{self.path} can be read by others: ssh does not use such a key (chmod 600)"
            return
        self._load(None)

    def unlock(self, passphrase: str) -> bool:
        """Whether this is the passphrase; then it is a key from now on."""
        self._load(passphrase.encode())
        return self.signer is not None

    def certificates(self) -> list[bytes]:
        """The certificate beside it, if there is one."""
        found = _public_line(Path(self.path + "-cert.pub"))
        return [found] if found else []

    def _load(self, passphrase: bytes | None) -> None:
        modern = b"BEGIN OPENSSH PRIVATE KEY" in self._content
        try:
            load = load_ssh_private_key if modern else load_pem_private_key
            private = load(self._content, passphrase)
        except TypeError:
            self.locked = True
        except ValueError as error:
            if passphrase is None:
                self.problem = f"{self.path} is no key that can be read ({error})"
        except UnsupportedAlgorithm:
            self.problem = f"{self.path} is of a kind that works through the agent or transport = openssh only"
        else:
            self._take(private)

    def _take(self, private: object) -> None:
        if not isinstance(private, Private):
            self.problem = f"{self.path} is of a kind that is not used any more"
            return
        self.signer = FileSigner(self.path, private)
        self.public = self.signer.plain.key_blob
        self.locked = False
        self._content = b""


def certificate(path: str) -> bytes:
    """The certificate in a file; b"" where there is none."""
    return _public_line(Path(path))


def _shown_public(content: bytes) -> bytes:
    """The public key that stands in clear in OpenSSH's format, or in a file of a public key."""
    if b"BEGIN OPENSSH PRIVATE KEY" not in content:
        return b"" if b"PRIVATE KEY-----" in content else _blob(content)
    body = b"".join(line for line in content.splitlines() if line and not line.startswith(b"-----"))
    try:
        data = base64.b64decode(body)
    except binascii.Error:
        return b""
    if not data.startswith(_MAGIC):
        return b""
    at = len(_MAGIC)
    for _ in range(3):  # cipher, function of the passphrase, its options
        at += 4 + int.from_bytes(data[at : at + 4], "big")
    at += 4  # how many keys
    return data[at + 4 : at + 4 + int.from_bytes(data[at : at + 4], "big")]


def _public_line(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return _blob(file.read(_LARGEST))
    except OSError:
        return b""


def _blob(content: bytes) -> bytes:
    words = content.split(None, 2)
    if len(words) < 2:
        return b""
    try:
        blob = base64.b64decode(words[1], validate=True)
    except binascii.Error:
        return b""
    return blob if blob[4:].startswith(words[0]) else b""
