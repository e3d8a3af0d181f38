"""An index over known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): thousands of lines cost milliseconds.

Hashed names cannot be looked up, only tried; so a hashed line is found by its key first, and all of them are tried only
where a server shows a key that is not known for it.
"""

from __future__ import annotations

import hmac
from binascii import Error, a2b_base64
from collections.abc import Iterator, Sequence
from pathlib import Path

from flannelscope.model.base import Value
from flannelscope.sources.ssh.patterns import matches

REVOKED = "@revoked"
AUTHORITY = "@cert-authority"
_LARGEST = 50_000_000  # bytes of one file


class Entry(Value, frozen=True):
    """A line: the names it is for as they are written, kind of key, the key in base64, and file:line."""

    hosts: str
    kind: str
    key: str
    where: str

    def holds_for(self, name: str) -> bool:
        """Whether it is for this name, which is in lower case, [host]:port where the port is not 22."""
        if self.hosts.startswith("|1|"):
            return _hashed(self.hosts, name)
        return matches(self.hosts.lower().split(","), name)


class KnownHosts:
    """What these files say. A file that is not there says nothing; `unread` are those that cannot be read, with the reason."""

    def __init__(self, files: Sequence[str]) -> None:
        self._named: dict[str, list[Entry]] = {}
        self._hashed: dict[str, list[Entry]] = {}
        self._patterned: list[Entry] = []
        self._revoked: dict[str, list[Entry]] = {}
        self._authorities: list[Entry] = []
        self._of: dict[str, tuple[Entry, ...]] = {}
        self.unread: list[str] = []
        for name in dict.fromkeys(files):
            self._read(name)

    def knows(self, names: Sequence[str], key: str) -> bool:
        """Whether this key is known for the first of the names for which any key is."""
        for name in names:
            if any(entry.key == key for entry in self._plain(name)):
                return True
            if any(entry.holds_for(name) for entry in self._hashed.get(key, ())):
                return True
            if self.of(name):
                return False
        return False

    def of(self, name: str) -> tuple[Entry, ...]:
        """All lines with a key for this name: tries every hashed one."""
        if name not in self._of:
            hashed = (entry for entries in self._hashed.values() for entry in entries if entry.holds_for(name))
            self._of[name] = (*self._plain(name), *hashed)
        return self._of[name]

    def first(self, names: Sequence[str]) -> str:
        """The first of the names for which any key is known; "" where there is none."""
        return next((name for name in names if self.of(name)), "")

    def kinds(self, names: Sequence[str]) -> tuple[str, ...]:
        """Which kinds of key are known for the first name that stands there in clear; to be asked for first."""
        found = next((entries for name in names if (entries := [*self._plain(name)])), [])
        return tuple(dict.fromkeys(entry.kind for entry in found))

    def revoked(self, names: Sequence[str], key: str) -> Entry | None:
        """The line that revokes this key for one of the names."""
        return next((entry for entry in self._revoked.get(key, ()) for name in names if entry.holds_for(name)), None)

    def authorities(self, names: Sequence[str]) -> list[Entry]:
        """The lines with an authority whose certificates count for one of the names."""
        return [entry for entry in self._authorities if any(entry.holds_for(name) for name in names)]

    def _plain(self, name: str) -> Iterator[Entry]:
        yield from self._named.get(name, ())
        yield from (entry for entry in self._patterned if entry.holds_for(name))

    def _read(self, name: str) -> None:
        try:
            with Path(name).open(errors="surrogateescape") as file:
                text = file.read(_LARGEST)
        except FileNotFoundError:
            return
        except OSError as error:
            self.unread.append(f"{name}: {error.strerror}")
            return
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split(None, 4)
            if len(words) >= 3 and not words[0].startswith("#"):
                self._add(words, f"{name}:{number}")

    def _add(self, words: list[str], where: str) -> None:
        marker = words[0]
        if marker.startswith("@"):
            if len(words) < 4:
                return
            entry = Entry(words[1], words[2], words[3], where)
            if marker == REVOKED:
                self._revoked.setdefault(entry.key, []).append(entry)
            elif marker == AUTHORITY:
                self._authorities.append(entry)
            return
        hosts = words[0]
        entry = Entry(hosts, words[1], words[2], where)
        if hosts.startswith("|1|"):
            self._hashed.setdefault(entry.key, []).append(entry)
        elif any(character in hosts for character in "*?!"):
            self._patterned.append(entry)
        else:
            for name in hosts.lower().split(","):
                self._named.setdefault(name, []).append(entry)


def _hashed(hosts: str, name: str) -> bool:
    """|1|salt|hash: HMAC-SHA1 of the name with the salt as key."""
    try:
        _, _, salt, digest = hosts.split("|")
        return hmac.compare_digest(hmac.digest(a2b_base64(salt), name.encode(), "sha1"), a2b_base64(digest))
    except (ValueError, Error):
        return False
