"""How nodes are reached over SSH, as one value that can be sent to the child process. It holds no secret."""

from __future__ import annotations

import msgspec

WINDOW_DIRECT = 64  # nodes at once, each over a connection of its own
WINDOW_HOP = 16  # nodes at once through one jump host


class SshSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen about SSH. Empty means: as the operator's ssh has it.

    `config` is the file read in place of ~/.ssh/config and the system's (ssh -F), `identities` and `known_hosts` are files.
    `transport` is paramiko or openssh. `connect_timeout` and `deadline` are seconds: until a node has let us in, and until
    it has answered everything.
    """

    user: str = ""
    identities: tuple[str, ...] = ()
    known_hosts: tuple[str, ...] = ()
    config: str = ""
    transport: str = "paramiko"
    window_direct: int = WINDOW_DIRECT
    window_hop: int = WINDOW_HOP
    connect_timeout: float = 10.0
    deadline: float = 60.0
