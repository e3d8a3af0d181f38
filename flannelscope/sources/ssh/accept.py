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
        f"to accept it, log in once: {by_hand(login, hops)}",
    )


def changed(login: Login, hops: Sequence[Login], kind: str, fingerprint: str, where: str, name: str = "") -> NotReached:
    """Another key is known for it, under `name`."""
    file, _, _ = where.rpartition(":")
    remove = shlex.join(["ssh-keygen", *(("-f", file) if file else ()), "-R", name or login.known_as[0]])
    return NotReached(
        f"the host key of {login.words} has CHANGED: it shows {_key(kind, fingerprint)}, known_hosts has another"
        + (f" ({where})" if where else "")
        + ". Somebody may be in between, or the machine was set up anew: ask before you accept it",
        f"to accept it: {remove} and then log in once: {by_hand(login, hops)}",
    )


def _key(kind: str, fingerprint: str) -> str:
    return f"{kind} {fingerprint}".strip() or "one that ssh did not name"


def by_hand(login: Login, hops: Sequence[Login], *more: str) -> str:
    """The command that goes the way we go: same files, same jump hosts, same user. `more` are options of ssh."""
    return shlex.join(["ssh", *_way(login, hops), *more, login.alias])


def _way(login: Login, hops: Sequence[Login]) -> list[str]:
    words = [*login.policy.given]
    if hops and login.policy.given:  # what -J starts is given the configuration, but neither keys nor known_hosts
        jump = ["ssh", *_way(hops[-1], hops[:-1]), "-W", "[%h]:%p", hops[-1].alias]
        words += ["-o", f"ProxyCommand={_quoted(jump)}"]
    elif hops:
        words += ["-J", ",".join(_place(hop) for hop in hops)]
    words += ["-p", str(login.port)] if login.port != 22 else []
    words += ["-l", login.user] if login.user else []
    return words + (["-o", f"HostName={login.host}"] if login.alias != login.host else [])


def _quoted(words: Sequence[str]) -> str:
    """For ssh, which takes one level of percent signs off what is not its own token."""
    return shlex.join([word if word == "[%h]:%p" else word.replace("%", "%%") for word in words])


def _place(hop: Login) -> str:
    """user@alias:port of -J. An alias is looked up there too, so that its own address counts."""
    alias = f"[{hop.alias}]" if ":" in hop.alias else hop.alias
    return f"{hop.user}@{alias}" + (f":{hop.port}" if hop.port != 22 else "")
