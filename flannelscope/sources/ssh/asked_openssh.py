"""The operator's configuration as OpenSSH itself understands it: `ssh -G WORD`.

A call costs some 10 ms of CPU, so words are asked for together where one answer provably holds for all: where the files
have nothing but Host and plain Match blocks, it depends on nothing but which patterns match. With commands that are given the
name, CanonicalizeHostname, or files that make no sense to us, and where an answer holds the very word it was asked for, each word
is asked for. (A HostName that changes what Match host is held against holds the word, or is the same for all alike.)
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from flannelscope.sources.ssh.config_lines import Line, Unreadable, every, read_all
from flannelscope.sources.ssh.options import Options
from flannelscope.sources.ssh.patterns import matches, names
from flannelscope.sources.ssh.values import SshSettings
from flannelscope.text import clean

_PATIENCE = 20.0  # seconds for one answer: a Match exec may take its time, and names may be looked up
_KEYWORDS = """
    hostname user port identityfile certificatefile identitiesonly identityagent userknownhostsfile globalknownhostsfile
    hostkeyalias proxyjump proxycommand bindaddress bindinterface connecttimeout revokedhostkeys knownhostscommand
    pkcs11provider pubkeyauthentication kexalgorithms ciphers macs hostkeyalgorithms casignaturealgorithms
"""
_OURS = frozenset(_KEYWORDS.split())


# Of Match: what depends on patterns and settings alone; a command without tokens is the same command for every word.
_PLAIN = frozenset(["all", "host", "originalhost", "user", "localuser", "localnetwork"])


class AskedOpenssh:
    """Asks `program`, the path of an ssh."""

    def __init__(self, program: str, settings: SshSettings) -> None:
        self._program = program
        self._settings = settings
        try:
            self._lines: list[Line] | None = [*every(read_all(settings.config))]
        except Unreadable:
            self._lines = None

    def made_for(self, words: Sequence[str]) -> set[str]:
        """By the patterns of Host, and of Match host and originalhost; else by a HostName that somebody set for it."""
        patterns = [*_patterns(self._lines or ())]
        found = {word for word in words if any(names(one, word) for one in patterns)}
        if self._lines is None or any(map(_by_word, self._lines)):
            rest = [word for word in words if word not in found]
            found |= {word for word, options in self.answers(rest).items() if _renamed(word, options)}
        return found

    def answers(self, words: Sequence[str], user: str = "") -> dict[str, Options | str]:
        """One call for all that provably get the same answer, the others side by side."""
        alike: dict[object, list[str]] = {}
        for word in dict.fromkeys(words):
            alike.setdefault(self._kind(word), []).append(word)
        found: dict[str, Options | str] = {}
        alone: list[str] = []
        with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
            first = [group[0] for group in alike.values()]
            for group, options in zip(alike.values(), pool.map(lambda word: self._ask(word, user), first), strict=True):
                found[group[0]] = options
                if isinstance(options, str) or _holds(options, group[0]):
                    alone += group[1:]
                else:
                    found |= {word: {**options, "hostname": _host(options, group[0], word)} for word in group[1:]}
            found |= zip(alone, pool.map(lambda word: self._ask(word, user), alone), strict=True)
        return found

    def _kind(self, word: str) -> object:
        """What its answer depends on; the word itself where that cannot be told."""
        if self._lines is None or any(map(_by_word, self._lines)):
            return word
        return tuple(matches(patterns, word) for patterns in _patterns(self._lines))

    def _ask(self, word: str, user: str) -> Options | str:
        if word.startswith("-") or not word:
            return f"{word!r} is no name that ssh takes"
        settings = self._settings
        argv = [self._program, *(("-F", settings.config) if settings.config else ()), *(("-l", user) if user else ())]
        try:
            done = subprocess.run(
                [*argv, "-G", "--", word], stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            return f"ssh -G {word} did not end within {_PATIENCE:.0f} s"
        except OSError as error:
            return f"ssh -G {word} could not be run: {error.strerror}"
        if done.returncode:
            said = clean(done.stderr.decode(errors="replace").strip(), 300)
            return f"ssh -G {word} does not take the configuration: {said}"
        return _parsed(done.stdout.decode(errors="surrogateescape"))


def _parsed(text: str) -> Options:
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        if keyword in _OURS:
            found[keyword] = (*found.get(keyword, ()), value)
    return found


def _patterns(lines: Sequence[Line]) -> Iterator[Sequence[str]]:
    for line in lines:
        if line.keyword == "host":
            yield line.words
        elif line.keyword == "match":
            yield from (value.split(",") for criterion, value in _criteria(line) if criterion in ("host", "originalhost"))


def _criteria(line: Line) -> Iterator[tuple[str, str]]:
    """Of a Match line: names in lower case without the ! of a negation, and their arguments."""
    words = iter(line.words)
    for word in words:
        criterion = word.lower().removeprefix("!")
        yield criterion, "" if criterion in ("all", "canonical", "final") else next(words, "")


def _by_word(line: Line) -> bool:
    """Whether this line may mean something else for each word, beyond its patterns."""
    if line.keyword == "match":
        return any(not (name in _PLAIN or (name == "exec" and "%" not in value)) for name, value in _criteria(line))
    value = " ".join(line.words).lower()
    return (line.keyword == "canonicalizehostname" and value != "no") or (line.keyword == "identityagent" and "%" in value)


def _holds(options: Options, word: str) -> bool:
    own = ("hostname", (word,))
    return any(word.lower() in value.lower() for item in options.items() if item != own for value in item[1])


def _host(options: Options, asked: str, word: str) -> tuple[str, ...]:
    host = options.get("hostname", (asked,))
    return (word,) if host == (asked,) else host


def _renamed(word: str, options: Options | str) -> bool:
    return not isinstance(options, str) and options.get("hostname", (word,))[0].lower() != word.lower()
