"""The operator's ssh-agent (draft-ietf-sshm-ssh-agent): which keys it holds, and signatures by them.

Each question has a connection of its own and a time limit: an agent that waits for a confirmation holds up nobody else.
"""

from __future__ import annotations

import socket
import struct

from flannelscope.sources.ssh.signers import PublicPart

_PATIENCE = 15.0  # seconds for one answer; somebody may have to touch a key
_LARGEST = 1_000_000  # bytes of one answer
_LIST, _LISTED, _SIGN, _SIGNED = 11, 12, 13, 14
_FLAGS = {"rsa-sha2-256": 2, "rsa-sha2-512": 4}


class AgentFailed(Exception):
    """The agent is not there, or did not do what it was asked."""


class AgentSigner:
    """A key in the agent; `comment` is the agent's name for it, `problem` why it did not sign."""

    def __init__(self, path: str, blob: bytes, comment: str) -> None:
        self._path = path
        self.public_blob = PublicPart(blob)
        self.problem = ""
        self.label = f"{comment or self.public_blob.key_type} (agent)"

    def get_name(self) -> str:
        """The kind of key."""
        return self.public_blob.key_type

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> bytes:
        """A signature in SSH's own form; one that is good for nothing where the agent gives none.

        paramiko asks in the thread of the connection, which an exception would end: the server refuses, the next key is tried.
        """
        try:
            return self._signed(data, algorithm)
        except AgentFailed as error:
            self.problem = str(error)
            return _string((algorithm or self.get_name()).encode()) + _string(b"")

    def _signed(self, data: bytes, algorithm: str | None) -> bytes:
        flags = _FLAGS.get((algorithm or "").removesuffix("-cert-v01@openssh.com"), 0)
        request = bytes([_SIGN]) + _string(self.public_blob.key_blob) + _string(data) + struct.pack(">I", flags)
        kind, answer = _ask(self._path, request)
        if kind != _SIGNED:
            raise AgentFailed(f"the agent does not sign with {self.label}")
        return _take(answer, 0)[0]


def listed(path: str) -> list[AgentSigner]:
    """The keys that the agent at this socket holds. Raises AgentFailed."""
    kind, answer = _ask(path, bytes([_LIST]))
    if kind != _LISTED:
        raise AgentFailed(f"the agent at {path} lists no keys")
    signers = []
    at = 4
    for _ in range(int.from_bytes(answer[:4], "big")):
        blob, at = _take(answer, at)
        comment, at = _take(answer, at)
        signers.append(AgentSigner(path, blob, comment.decode(errors="replace")))
    return signers


def _ask(path: str, request: bytes) -> tuple[int, bytes]:
    try:
        with socket.socket(socket.AF_UNIX) as agent:
            agent.settimeout(_PATIENCE)
            agent.connect(path)
            agent.sendall(_string(request))
            length = int.from_bytes(_read(agent, 4), "big")
            if not 0 < length <= _LARGEST:
                raise AgentFailed(f"the agent at {path} answers nonsense")
            answer = _read(agent, length)
    except OSError as error:
        raise AgentFailed(f"the agent at {path} does not answer: {error.strerror or error}") from None
    return answer[0], answer[1:]


def _read(agent: socket.socket, wanted: int) -> bytes:
    found = b""
    while len(found) < wanted:
        data = agent.recv(wanted - len(found))
        if not data:
            raise AgentFailed("the agent closed the connection")
        found += data
    return found


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _take(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 4 + int.from_bytes(data[at : at + 4], "big")
    if end > len(data) or at + 4 > len(data):
        raise AgentFailed("the agent's answer is cut short")
    return data[at + 4 : end], end
