"""From a Node to whom to dial: which word stands for it, what is configured for that, and through which jump hosts.

A Node is dialled at its InternalIP with what is configured for that address. Where the operator's configuration has a
pattern made for the Node's name, the name is the word instead: its HostName is dialled, or the InternalIP where it sets
none, so that nothing depends on whether the name can be looked up.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from ipaddress import ip_address

from flannelscope.sources.ssh.asked_openssh import AskedOpenssh
from flannelscope.sources.ssh.failures import NotReached
from flannelscope.sources.ssh.options import DEFAULT_IDENTITIES, YES, Configuration, Options, one
from flannelscope.sources.ssh.own_reader import OwnReader
from flannelscope.sources.ssh.values import Failed, Host, Login, Policy, SshSettings, Target

_MOST_HOPS = 8
_TOKEN = re.compile(r"%(.)")  # of ProxyJump: ssh_config(5), TOKENS
_SYSTEM_ONLY = ("proxycommand", "knownhostscommand", "pkcs11provider", "bindinterface")

# Names and addresses come from the API and end in command lines of ssh and its ProxyCommand's shell: nothing else may pass.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def configuration(settings: SshSettings) -> Configuration:
    """OpenSSH's own understanding where it is installed."""
    program = shutil.which("ssh")
    return AskedOpenssh(program, settings) if program else OwnReader(settings)


class Routes:
    """Resolves with one `configuration`, asked once a word."""

    def __init__(self, settings: SshSettings, configuration: Configuration) -> None:
        self._settings = settings
        self._configuration = configuration
        self._answers: dict[tuple[str, str], Options | str] = {}
        self._policies: dict[tuple[object, ...], Policy] = {}

    def targets(self, hosts: Sequence[Host]) -> tuple[list[Target], list[Failed]]:
        """Who can be dialled, and who cannot."""
        named = self._configuration.made_for([host.node for host in hosts if _NAME.fullmatch(host.node)])
        words = {host.node: host.node if host.node in named else host.address for host in hosts}
        self._learn([word for word in words.values() if word in named or _is_address(word)], self._settings.user)
        found: list[Target] = []
        failed: list[Failed] = []
        for host in hosts:
            try:
                found.append(self._target(host, words[host.node]))
            except NotReached as no:
                failed.append(Failed(node=host.node, reason=no.reason, do=no.do))
        return found, failed

    def _learn(self, words: Sequence[str], user: str) -> None:
        new = [word for word in dict.fromkeys(words) if (word, user) not in self._answers]
        if new:
            for word, options in self._configuration.answers(new, user).items():
                self._answers[word, user] = options

    def _options(self, word: str, user: str) -> Options:
        self._learn([word], user)
        options = self._answers[word, user]
        if isinstance(options, str):
            raise NotReached(options, f"ssh -G {word}")
        self._supported(word, options)
        return options

    def _supported(self, word: str, options: Options) -> None:
        for keyword in _SYSTEM_ONLY:
            if self._settings.transport == "paramiko" and one(options, keyword):
                raise NotReached(
                    f"{keyword} is set for {word}: only the system's ssh does that", 'transport = "openssh" in [ssh]'
                )

    def _target(self, host: Host, word: str) -> Target:
        if not word:
            raise NotReached("the API knows no InternalIP of it, and ssh is not configured for its name")
        if host.address and not _is_address(host.address):
            raise NotReached(f"what the API gives as its InternalIP is no address: {host.address!r}")
        options = self._options(word, self._settings.user)
        dialled = one(options, "hostname", word)
        if dialled == word:
            dialled = host.address or word
        known_as = one(options, "hostkeyalias")
        names = (known_as,) if known_as else tuple(dict.fromkeys((dialled, word, host.node)))
        own = self._login(word, dialled, options, names)
        return Target(node=host.node, route=(*self._hops(options, own, 0), own))

    def _hops(self, options: Options, login: Login, depth: int) -> tuple[Login, ...]:
        """Those before `login`, each as configured for itself; only the first may be behind further ones, as with ssh -J."""
        tokens = {"%": "%", "h": login.host, "n": login.alias, "p": str(login.port), "r": login.user}
        said = _TOKEN.sub(lambda found: tokens.get(found[1], found[0]), one(options, "proxyjump"))
        specified = [part.strip() for part in said.split(",") if part.strip()]
        if depth > _MOST_HOPS:
            raise NotReached("its jump hosts lead to one another without end")
        hops: list[Login] = []
        for number, part in enumerate(specified):
            user, word, port = _jump(part)
            configured = self._options(word, user)
            dialled = one(configured, "hostname", word)
            known_as = one(configured, "hostkeyalias") or dialled
            hop = self._login(word, dialled, {**configured, **({"port": (port,)} if port else {})}, (known_as,))
            if number == 0:
                hops += self._hops(configured, hop, depth + 1)
            hops.append(hop)
        return tuple(hops)

    def _login(self, alias: str, host: str, options: Options, known_as: tuple[str, ...]) -> Login:
        said = one(options, "port", "22")
        if not said.isdigit():
            raise NotReached(f"the port configured for {alias} is no number: {said}")
        port = int(said)
        if port != 22 and not one(options, "hostkeyalias"):
            known_as = tuple(f"[{name}]:{port}" for name in known_as)
        return Login(
            alias=alias, host=host, port=port, user=one(options, "user"), known_as=known_as, policy=self._policy(options)
        )

    def _policy(self, options: Options) -> Policy:
        own = ("hostname", "port", "user")
        key = tuple(sorted((keyword, values) for keyword, values in options.items() if keyword not in own))
        if key not in self._policies:
            self._policies[key] = policy(options, self._settings)
        return self._policies[key]


def policy(options: Options, settings: SshSettings) -> Policy:
    """How to log in, as options and settings say."""
    identities = settings.identities or options.get("identityfile", DEFAULT_IDENTITIES)
    known = settings.known_hosts or _files(options, "userknownhostsfile")
    return Policy(
        identities=tuple(name for name in identities if name != "none"),
        chosen=not {*identities} <= {*DEFAULT_IDENTITIES},
        certificates=options.get("certificatefile", ()),
        identities_only=one(options, "identitiesonly") in YES,
        agent=_agent(one(options, "identityagent", "SSH_AUTH_SOCK")),
        known_hosts=(*known, *_files(options, "globalknownhostsfile")),
        revoked=one(options, "revokedhostkeys"),
        bind=one(options, "bindaddress"),
        patience=_seconds(one(options, "connecttimeout"), settings.connect_timeout),
        exchanges=_listed(options, "kexalgorithms"),
        ciphers=_listed(options, "ciphers"),
        macs=_listed(options, "macs"),
        host_keys=_listed(options, "hostkeyalgorithms"),
        given=_given(settings),
    )


def _given(settings: SshSettings) -> tuple[str, ...]:
    config = ("-F", settings.config) if settings.config else ()
    files = " ".join(f'"{name}"' if " " in name else name for name in settings.known_hosts)
    known = ("-o", f"UserKnownHostsFile={files}") if files else ()
    return (*config, *known, *(word for name in settings.identities for word in ("-i", name)))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _files(options: Options, keyword: str) -> tuple[str, ...]:
    return tuple(name for name in " ".join(options.get(keyword, ())).split() if name != "none")


def _agent(said: str) -> str:
    if said == "SSH_AUTH_SOCK":
        return os.environ.get("SSH_AUTH_SOCK", "")
    return os.environ.get(said[1:], "") if said.startswith("$") and not said.startswith("${") else said


def _listed(options: Options, keyword: str) -> tuple[str, ...]:
    return tuple(name for name in one(options, keyword).split(",") if name)


def _seconds(configured: str, ours: float) -> float:
    return min(float(configured), ours) if configured.isdigit() and int(configured) else ours


def _jump(part: str) -> tuple[str, str, str]:
    """User, host and port of user@host:port, user@[address]:port or ssh://user@host:port."""
    text = part.removeprefix("ssh://").rstrip("/")
    user, _, place = text.rpartition("@")
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        return user, host, rest.removeprefix(":")
    host, colon, port = place.rpartition(":")
    return (user, host, port) if colon and ":" not in host else (user, place, "")
