"""The sentences about host keys that are not accepted, and how the operator accepts one after having compared it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from flannelscope.sources.ssh.failures import NotReached
from flannelscope.sources.ssh.values import Login


def unknown(login: Login, hops: Sequence[Login], kind: str, fingerprint: str, unread: Sequence[str] = ()) -> NotReached:
    """No key is known for it; `unread` are files that could not be looked into."""
    return NotReached(
        f"the host key of {login.words} is not in known_hosts: it shows {_key(kind, fingerprint)}. "
        + "".join(f"{problem}. " for problem in unread)
        + "Compare that with what the machine itself says (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub there)",
        f"to accept it, log in once: {_ssh(login, hops)}",
    )


def changed(login: Login, hops: Sequence[Login], kind: str, fingerprint: str, where: str, name: str = "") -> NotReached:
    """Another key is known for it, under `name`."""
    file, _, _ = where.rpartition(":")
    remove = shlex.join(["ssh-keygen", *(("-f", file) if file else ()), "-R", name or login.known_as[0]])
    return NotReached(
        f"the host key of {login.words} has CHANGED: it shows {_key(kind, fingerprint)}, known_hosts has another"
        + (f" ({where})" if where else "")
        + ". Somebody may be in between, or the machine was set up anew: ask before you accept it",
        f"to accept it: {remove} and then log in once: {_ssh(login, hops)}",
    )


def _key(kind: str, fingerprint: str) -> str:
    return f"{kind} {fingerprint}".strip() or "one that ssh did not name"


def _ssh(login: Login, hops: Sequence[Login]) -> str:
    jump = ("-J", ",".join(hop.alias for hop in hops)) if hops else ()
    alias = login.alias != login.host
    words = ["ssh", *jump, *(("-p", str(login.port)) if login.port != 22 else ()), *(("-l", login.user)), login.alias]
    return shlex.join([*words[:-1], *(("-o", f"HostName={login.host}") if alias else ()), words[-1]])
