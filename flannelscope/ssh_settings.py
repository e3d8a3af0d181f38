"""How nodes are reached over SSH, as one value that can be sent to the child process."""

from __future__ import annotations

import msgspec

WINDOW_DIRECT, WINDOW_HOP = 64, 16  # nodes worked on at a time
CONNECT_TIMEOUT, DEADLINE = 10.0, 30.0  # seconds


class SshSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How nodes are reached. Holds no secret: keys are named by file, passphrases are asked for.

    Empty means: as the operator's own configuration of OpenSSH says. `config` is given like `ssh -F`, `user` like `ssh -l`
    (for nodes, not for jump hosts), `identities` and `known_hosts` count on every hop. `transport` is paramiko, in this
    process, or openssh, the system's own ssh. Windows are how many nodes are worked on at a time, directly and through one
    jump host. Times are seconds: `connect_timeout` until logged in, `deadline` for all that a node may take.
    """

    config: str = ""
    user: str = ""
    identities: tuple[str, ...] = ()
    known_hosts: tuple[str, ...] = ()
    transport: str = "paramiko"
    window_direct: int = WINDOW_DIRECT
    window_hop: int = WINDOW_HOP
    connect_timeout: float = CONNECT_TIMEOUT
    deadline: float = DEADLINE
