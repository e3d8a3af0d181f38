"""known_hosts as it is now: an index a set of files, made anew when one of them has changed."""

from __future__ import annotations

import threading
from pathlib import Path

from flannelscope.sources.ssh.known_hosts import KnownHosts
from flannelscope.sources.ssh.tokens import expanded
from flannelscope.sources.ssh.values import Login

_State = tuple[tuple[int, int] | None, ...]


class KnownFiles:
    """The operator may accept a key between two runs: `look_again` sees to that."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, ...], tuple[_State, KnownHosts]] = {}
        self._lock = threading.Lock()

    def of(self, login: Login) -> KnownHosts:
        """The index that counts for this login."""
        names = tuple(expanded(name, login) for name in login.policy.known_hosts)
        with self._lock:
            if names not in self._found:
                self._found[names] = (_state(names), KnownHosts(names))
            return self._found[names][1]

    def look_again(self) -> None:
        """Forget what was read from files that have changed."""
        with self._lock:
            self._found = {names: found for names, found in self._found.items() if found[0] == _state(names)}


def _state(names: tuple[str, ...]) -> _State:
    return tuple(map(_stamp, names))


def _stamp(name: str) -> tuple[int, int] | None:
    try:
        status = Path(name).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
