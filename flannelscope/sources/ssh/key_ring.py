"""Which keys are shown to which server, in OpenSSH's order, and which of them a passphrase is asked for.

An identity that was configured and is locked is asked for; a default one (~/.ssh/id_*) only where there is nothing else
to show. What the agent holds is never asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from flannelscope.sources.ssh.agent import AgentFailed, AgentSigner, listed
from flannelscope.sources.ssh.key_files import KeyFile, certificate
from flannelscope.sources.ssh.signers import CERTIFICATE, Signer
from flannelscope.sources.ssh.tokens import expanded
from flannelscope.sources.ssh.values import Login, Policy


class KeyRing:
    """Keys of files are read once; the agent is asked once a run (`fresh`). No secret outlives the key it opened."""

    def __init__(self) -> None:
        self._files: dict[str, KeyFile] = {}
        self._agents: dict[str, list[AgentSigner]] = {}
        self._good: dict[tuple[Policy, str], Signer] = {}
        self._lock = threading.Lock()
        self.problems: dict[str, str] = {}  # of agents, by socket

    def fresh(self) -> None:
        """The agent may hold other keys by now, and files that could not be used may be usable."""
        with self._lock:
            self._agents.clear()
            self._files = {path: file for path, file in self._files.items() if file.signer is not None}

    def offers(self, login: Login) -> list[Signer]:
        """What to show this server, the key first that was good for another one like it."""
        with self._lock:
            files = self._of(login)
            held = self._held(login.policy)
            own = {file.public for file in files if file.public}
            first: list[Signer] = [signer for signer in held if _plain(signer) in own or signer.public_blob.key_blob in own]
            others: list[Signer] = [] if login.policy.identities_only else [signer for signer in held if signer not in first]
            shown = {signer.public_blob.key_blob for signer in held}
            loaded = [
                signer for file in files for signer in self._loaded(file, login) if signer.public_blob.key_blob not in shown
            ]
            good = self._good.get((login.policy, login.user))
        found = [*first, *others, *loaded]
        return [good, *(signer for signer in found if signer is not good)] if good in found else found

    def was_good(self, login: Login, signer: Signer) -> None:
        """It opened the door there."""
        with self._lock:
            self._good[login.policy, login.user] = signer

    def to_unlock(self, logins: Iterable[Login]) -> list[tuple[KeyFile, Login]]:
        """The locked files that matter, each with a login that wants it."""
        found: dict[str, tuple[KeyFile, Login]] = {}
        for login in logins:
            offers = self.offers(login)
            with self._lock:
                held = {signer.public_blob.key_blob for signer in self._held(login.policy)}
                for file in self._of(login):
                    if file.locked and file.public not in held and (login.policy.chosen or not offers):
                        found.setdefault(file.path, (file, login))
        return [*found.values()]

    def locked(self, login: Login) -> list[str]:
        """The files that stayed locked."""
        with self._lock:
            return [file.path for file in self._of(login) if file.locked]

    def troubles(self, login: Login) -> list[str]:
        """What could not be used, in sentences."""
        with self._lock:
            agent = self.problems.get(expanded(login.policy.agent, login), "")
            return [*([agent] if agent else []), *(file.problem for file in self._of(login) if file.problem)]

    def _of(self, login: Login) -> list[KeyFile]:
        paths = dict.fromkeys(expanded(name, login) for name in login.policy.identities)
        for path in paths:
            if path not in self._files:
                self._files[path] = KeyFile(path)
        return [self._files[path] for path in paths]

    def _held(self, policy: Policy) -> list[AgentSigner]:
        path = policy.agent
        if path and path not in self._agents:
            try:
                self._agents[path] = listed(path)
                self.problems.pop(path, None)
            except AgentFailed as error:
                self._agents[path], self.problems[path] = [], str(error)
        return self._agents.get(path, [])

    def _loaded(self, file: KeyFile, login: Login) -> list[Signer]:
        if file.signer is None:
            return []
        named = [certificate(expanded(name, login)) for name in login.policy.certificates]
        blobs = [blob for blob in (*named, *file.certificates()) if blob and _certifies(blob, file.public)]
        return [*(file.signer.certified(blob) for blob in dict.fromkeys(blobs)), file.signer]


def _plain(signer: Signer) -> bytes:
    """The public key itself: of a certificate, the key in it."""
    blob = signer.public_blob.key_blob
    return _inside(blob) if signer.get_name().endswith(CERTIFICATE) else blob


def _certifies(certificate: bytes, public: bytes) -> bool:
    return _inside(certificate) == public


_FIELDS = {b"ssh-ed25519": 1, b"ssh-rsa": 2, b"ecdsa-sha2-nistp256": 2, b"ecdsa-sha2-nistp384": 2, b"ecdsa-sha2-nistp521": 2}


def _inside(blob: bytes) -> bytes:
    """The key in a certificate (PROTOCOL.certkeys): kind, nonce, then the fields of the key itself."""
    end = 4 + int.from_bytes(blob[:4], "big")
    kind = blob[4:end].removesuffix(CERTIFICATE.encode())
    start = at = end + 4 + int.from_bytes(blob[end : end + 4], "big")
    for _ in range(_FIELDS.get(kind, 0)):
        at += 4 + int.from_bytes(blob[at : at + 4], "big")
    return len(kind).to_bytes(4, "big") + kind + blob[start:at]
