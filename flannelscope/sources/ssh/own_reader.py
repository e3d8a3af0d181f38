"""The operator's configuration where there is no OpenSSH to ask.

Refuses what it does not know, so that nothing is read wrongly.
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence

from flannelscope.sources.ssh.config_lines import Line, Unreadable, every, home, read_all
from flannelscope.sources.ssh.options import DEFAULT_IDENTITIES, Options
from flannelscope.sources.ssh.patterns import matches, names
from flannelscope.sources.ssh.values import SshSettings

_MEANT = """
    hostname user port identitiesonly identityagent hostkeyalias proxyjump bindaddress connecttimeout revokedhostkeys
    pubkeyauthentication userknownhostsfile globalknownhostsfile
"""
_ONE = frozenset(_MEANT.split())
_MANY = frozenset(["identityfile", "certificatefile"])
# Of no consequence to one command without terminal or forwarding, on connections that are always held to known_hosts.
_IDLE = """
    addkeystoagent batchmode checkhostip clearallforwardings compression connectionattempts controlmaster controlpath
    controlpersist dynamicforward enableescapecommandline escapechar exitonforwardfailure fingerprinthash
    forkafterauthentication forwardagent forwardx11 forwardx11timeout forwardx11trusted gatewayports gssapiauthentication
    gssapidelegatecredentials hashknownhosts hostbasedauthentication ipqos kbdinteractiveauthentication localcommand
    localforward loglevel logverbose numberofpasswordprompts passwordauthentication permitlocalcommand permitremoteopen
    preferredauthentications rekeylimit remoteforward requesttty sendenv serveralivecountmax serveraliveinterval setenv
    stdinnull streamlocalbindmask streamlocalbindunlink stricthostkeychecking syslogfacility tcpkeepalive updatehostkeys
    verifyhostkeydns visualhostkey xauthlocation
"""
_WITHOUT_MEANING = frozenset(_IDLE.split())


class OwnReader:
    """Knows Host, Include and Match all, and the keywords that say where and how to log in."""

    def __init__(self, settings: SshSettings) -> None:
        self._settings = settings
        self._refusal = ""
        self._lines: list[Line] = []
        try:
            self._lines = read_all(settings.config)
        except Unreadable as error:
            self._refusal = f"the configuration of ssh cannot be read: {error}"
        self._refusal = self._refusal or next(filter(None, map(_refused, every(self._lines))), "")

    def made_for(self, words: Sequence[str]) -> set[str]:
        """By the patterns of Host."""
        patterns = [line.words for line in every(self._lines) if line.keyword == "host"]
        return {word for word in words if any(names(one, word) for one in patterns)}

    def answers(self, words: Sequence[str], user: str = "") -> dict[str, Options | str]:
        """The same refusal for all, where there is a line that we do not know."""
        return {word: self._refusal or self._one(word, user) for word in words}

    def _one(self, word: str, user: str) -> Options:
        found: dict[str, list[str]] = {"user": [user]} if user else {}
        found["identityfile"] = list(self._settings.identities)
        _collect(self._lines, word, found)
        host = found.get("hostname", [word])[0].replace("%h", word).replace("%n", word).replace("%%", "%")
        files = f"{home()}/.ssh/known_hosts {home()}/.ssh/known_hosts2"
        default = {
            "user": [getpass.getuser()],
            "port": ["22"],
            "userknownhostsfile": [files],
            "globalknownhostsfile": ["/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"],
        }
        found["identityfile"] = found["identityfile"] or list(DEFAULT_IDENTITIES)
        return {keyword: tuple(values) for keyword, values in {**default, **found, "hostname": [host]}.items()}


def _refused(line: Line) -> str:
    known = line.keyword in _ONE | _MANY | _WITHOUT_MEANING | {"host", "include"}
    if known or (line.keyword == "match" and [word.lower() for word in line.words] == ["all"]):
        return ""
    return (
        f"{line.where}: {line.keyword} is understood by OpenSSH only, and there is no ssh here to ask; "
        "name a file without it with --ssh-config"
    )


def _collect(lines: Sequence[Line], word: str, found: dict[str, list[str]]) -> None:
    """Into `found` what holds for `word`: the first value wins; a block ends with the file that it stands in."""
    active = True
    for line in lines:
        if line.keyword == "host":
            active = matches(line.words, word)
        elif line.keyword == "match":
            active = True
        elif not active:
            continue
        elif line.keyword == "include":
            _collect(line.included, word, found)
        elif line.keyword in _MANY:
            found.setdefault(line.keyword, []).extend(line.words)
        elif line.keyword in _ONE:
            found.setdefault(line.keyword, [" ".join(line.words)])
