"""paramiko, as it is used here: quiet, without timers and polls of its own, with what we call good.

Importing this module imports paramiko.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Collection, Sequence

import paramiko
from paramiko.packet import Packetizer

from flannelscope.sources.ssh.failures import NotReached
from flannelscope.sources.ssh.host_keys import Shown
from flannelscope.sources.ssh.signers import CERTIFICATE
from flannelscope.sources.ssh.values import Policy
from flannelscope.sources.ssh.wire import Wire

_IDLE = 10.0  # seconds between two looks of a connection's thread at a silent socket; closing wakes it up
_ALIVE = 3.0  # seconds in which a connection that was kept must answer
# Fastest first; those of the operator's configuration count where they are among these. Nothing with SHA-1 or CBC.
_EXCHANGES = (
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "mlkem768x25519-sha256",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group-exchange-sha256",
)
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr", "aes192-ctr")
_MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
_HOST_KEYS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256")
_RSA = ("rsa-sha2-512", "rsa-sha2-256")

_logger = logging.getLogger("paramiko")
_logger.addHandler(logging.NullHandler())
_logger.propagate = False
_logger.setLevel(logging.CRITICAL + 1)  # what went wrong is said by us, in a sentence


class _Packets(Packetizer):
    def start_handshake(self, timeout: float) -> None:
        """No timer: deadlines are held from outside, by closing the wire."""


class Link(paramiko.Transport):
    """A connection to one server."""

    _active_check_timeout = _IDLE

    def __init__(self, wire: Wire, policy: Policy, first: Sequence[str], authorities: bool) -> None:
        """`first`: kinds of host key to ask for before others. `authorities`: certificates of the host may help."""
        super().__init__(wire, packetizer_class=_Packets)  # type: ignore[arg-type] # anything with a socket's methods
        self.wire = wire
        self._preferred_kex = _chosen("KexAlgorithms", _EXCHANGES, policy.exchanges, self._able("_kex_info"))
        self._preferred_ciphers = _chosen("Ciphers", _CIPHERS, policy.ciphers, self._able("_cipher_info"))
        self._preferred_macs = _chosen("MACs", _MACS, policy.macs, self._able("_mac_info"))
        self._preferred_keys = _chosen("HostKeyAlgorithms", _ordered(first), policy.host_keys, self._able("_key_info"))
        self._authorities = authorities

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """What is offered for host keys."""
        plain = tuple(self._preferred_keys)
        return (*(name + CERTIFICATE for name in plain), *plain) if self._authorities else plain

    def _able(self, table: str) -> Collection[str]:
        """What this paramiko can do: its tables of algorithms have no types."""
        names: Collection[str] = getattr(self, table)
        return names

    def shown(self) -> Shown:
        """The host key, once keys have been exchanged."""
        key = self.get_remote_server_key()
        certificate = getattr(key, "public_blob", None)
        return Shown(key.get_name().removesuffix(CERTIFICATE), key.asbytes(), certificate.key_blob if certificate else b"")

    def answers(self) -> bool:
        """Ask the server for a sign of life. A connection on which none comes in time is closed: nobody is at its other end."""
        late = threading.Timer(_ALIVE, self.wire.close)
        late.daemon = True
        late.start()
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self.global_request("keepalive@openssh.com", wait=True)
        late.cancel()
        return self.is_active()

    def shut(self) -> None:
        """Close it at once, whatever it waits for."""
        self.wire.close()
        self.close()


def _ordered(first: Sequence[str]) -> tuple[str, ...]:
    wanted = [name for kind in first for name in (_RSA if kind == "ssh-rsa" else (kind,)) if name in _HOST_KEYS]
    return (*wanted, *(name for name in _HOST_KEYS if name not in wanted))


def _chosen(what: str, ours: Sequence[str], configured: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Ours that are configured too. Raises NotReached where there is none."""
    names = {"curve25519-sha256@libssh.org": "curve25519-sha256"}  # one thing with two names
    able = [name for name in ours if name in known]
    found = [name for name in able if not configured or name in configured or names.get(name) in configured]
    if not found:
        raise NotReached(
            f"of the {what} that are configured none is known here: {','.join(configured)}", 'transport = "openssh" in [ssh]'
        )
    return tuple(found)
