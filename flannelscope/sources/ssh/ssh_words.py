"""What OpenSSH wrote to stderr when it did not reach a node, in sentences of ours."""

from __future__ import annotations

import re
from collections.abc import Callable

from flannelscope.sources.ssh.accept import by_hand, changed, unknown
from flannelscope.sources.ssh.failures import NotReached, TurnedAway
from flannelscope.sources.ssh.values import Target
from flannelscope.text import clean

_KEY = re.compile(r"Server host key: (\S+) (SHA256:\S+)")
_OFFENDING = re.compile(r"Offending \S+ key in (\S+:\d+)")
_BUSY = re.compile(r"kex_exchange_identification|Connection (?:closed|reset) by|administratively prohibited|MaxStartups")


def explained(error: str, target: Target, more: Callable[[], str]) -> NotReached:
    """Why ssh gave up. `more` is what it says when asked again to say more."""
    if "HOST IDENTIFICATION HAS CHANGED" in error or "revoked" in error or "host key is known for" in error:
        return _host_key(error, target, more())
    words = clean(next((line for line in reversed(error.splitlines()) if line.strip()), "it said nothing"), 300)
    if _BUSY.search(error):
        return TurnedAway(f"the connection was turned away ({words})")
    return NotReached(f"ssh does not get there: {words}", by_hand(target.login, target.route[:-1], "-v"))


def _host_key(error: str, target: Target, told: str) -> NotReached:
    shown = [*_KEY.finditer(told)]
    kind, fingerprint = (shown[-1][1], shown[-1][2]) if shown else ("", "")
    login = target.login
    if "revoked" in error:
        return NotReached(f"the host key of {login.words} is marked as revoked in known_hosts {kind} {fingerprint}".rstrip())
    if "HAS CHANGED" in error:
        where = _OFFENDING.search(error)
        return changed(login, target.route[:-1], kind, fingerprint, where[1] if where else "")
    return unknown(login, target.route[:-1], kind, fingerprint)
