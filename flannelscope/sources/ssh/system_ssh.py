"""The same work through the system's own ssh: for FIDO keys, GSSAPI, and whatever wraps ssh at the operator's site.

One process a node and run; connections are kept between runs by ssh itself (ControlMaster) in a folder of ours.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from flannelscope.questions import Question
from flannelscope.sources.ssh.ending import Ending
from flannelscope.sources.ssh.failures import NotReached
from flannelscope.sources.ssh.fan_out import door
from flannelscope.sources.ssh.known_files import KnownFiles
from flannelscope.sources.ssh.said import COMMAND, judged
from flannelscope.sources.ssh.ssh_process import ran, reap
from flannelscope.sources.ssh.ssh_words import explained
from flannelscope.sources.ssh.values import Answered, Login, SshSettings, Target

_KEPT = 600  # seconds a connection of ours outlives us where we were killed
_AT_ONCE = 16  # connections that are ended at a time


class SystemSsh:
    """Runs ssh. Raises NotReached where there is none."""

    def __init__(self, settings: SshSettings) -> None:
        program = shutil.which("ssh")
        if program is None:
            raise NotReached("there is no program named ssh here", 'set transport = "paramiko" in [ssh]')
        self._settings = settings
        self._program = program
        self._known = KnownFiles()
        self._hops: dict[str, NotReached] = {}
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        fits = len(runtime) < 30 and os.access(runtime, os.W_OK)  # a socket's path has 108 bytes, of which ssh needs 60
        self._folder = Path(tempfile.mkdtemp(prefix="flannelscope-", dir=runtime if fits else "/tmp"))

    def prepare(self, targets: Sequence[Target], ending: Ending) -> Iterator[Question]:
        """Connect to the jump hosts, so that the nodes find a connection to share; BatchMode asks nothing."""
        self._hops.clear()
        self._known.look_again()
        for route in {door(target): target.route[:-1] for target in targets if target.hops}.values():
            for end in range(1, len(route) + 1):
                self._open(Target(node="", route=route[:end]), ending)
        yield from ()

    def _open(self, hop: Target, ending: Ending) -> None:
        """A jump host that runs no command for us may forward all the same."""
        try:
            until = time.monotonic() + hop.login.policy.patience
            said = ran([*self._argv(hop), "exit"], b"", 0, until, ending, folder=self._folder)
            if said.status == 255 and "exec request failed" not in said.error:
                raise explained(said.error, hop, lambda: self._fingerprint(hop, until, ending))
        except NotReached as no:
            self._hops[hop.origin] = NotReached(f"its jump host {hop.login.alias}: {no.reason}", no.do)

    def run(self, target: Target, script: bytes, limit: int, until: float, ending: Ending) -> Answered:
        """What the script says there. Raises NotReached."""
        for end in range(1, len(target.route)):
            if no := self._hops.get(Target(node="", route=target.route[:end]).origin):
                raise no
        at = time.time()
        said = ran([*self._argv(target), COMMAND], script, limit, until, ending, folder=self._folder)
        if said.status == 255 and not said.output:
            raise explained(said.error, target, lambda: self._fingerprint(target, until, ending))
        return judged(target, at, said)

    def ask_again(self) -> None:
        """BatchMode asks nothing."""

    def close(self) -> None:
        """End the kept connections and remove their folder."""
        masters = [entry for entry in self._folder.iterdir() if entry.is_socket()] if self._folder.exists() else []
        for start in range(0, len(masters), _AT_ONCE):
            ends = [
                subprocess.Popen(
                    [self._program, "-F", "none", "-O", "exit", "-o", f"ControlPath={path}", "x"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                for path in masters[start : start + _AT_ONCE]
            ]
            for end in ends:
                reap(end)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _argv(self, target: Target) -> list[str]:
        login = target.login
        proxy = self._proxy(target.route[:-1])
        return [
            *self._options(login),
            *(("-o", f"ProxyCommand={proxy}") if proxy else ()),
            *(("-o", f"HostName={login.host}") if login.host != login.alias else ()),
            "-T",
            "--",
            login.alias,
        ]

    def _proxy(self, hops: Sequence[Login]) -> str:
        """The command that reaches through the hops; each level of percent signs is taken off by one ssh."""
        if not hops:
            return ""
        inner = self._proxy(hops[:-1])
        argv = [*self._options(hops[-1]), *(("-o", f"ProxyCommand={inner}") if inner else ())]
        return shlex.join([word.replace("%", "%%") for word in argv]) + " -W '[%h]:%p' -- " + shlex.quote(hops[-1].alias)

    def _options(self, login: Login) -> list[str]:
        settings = self._settings
        ours = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UpdateHostKeys": "no",  # would write into the operator's known_hosts
            "AddKeysToAgent": "no",
            "ForwardAgent": "no",
            "ForwardX11": "no",
            "ClearAllForwardings": "yes",
            "PermitLocalCommand": "no",
            "RemoteCommand": "none",
            "RequestTTY": "no",
            "ConnectTimeout": str(max(round(login.policy.patience), 1)),
            "ControlMaster": "auto",
            "ControlPath": str(self._folder / "%C"),
            "ControlPersist": str(_KEPT),
            "LogLevel": "ERROR",
        }
        name = self._name(login)
        if name != login.known_as[0].lower():
            ours["HostKeyAlias"] = name
        if settings.known_hosts:
            ours["UserKnownHostsFile"] = " ".join(f'"{name}"' for name in settings.known_hosts)
        words = [self._program, *(("-F", settings.config) if settings.config else ()), "-l", login.user, "-p", str(login.port)]
        for identity in settings.identities:
            words += ["-i", identity]
        for name, value in ours.items():
            words += ["-o", f"{name}={value}"]
        return words

    def _name(self, login: Login) -> str:
        """The one of its names under which known_hosts has a key for it."""
        if len(login.known_as) == 1:
            return login.known_as[0].lower()
        names = [name.lower() for name in login.known_as]
        return self._known.of(login).first(names) or names[0]

    def _fingerprint(self, target: Target, until: float, ending: Ending) -> str:
        """What ssh says when asked to say more: where the host key stands that it refused."""
        argv = self._argv(target)
        argv[1:1] = ["-o", "LogLevel=DEBUG1", "-o", "ControlPath=none"]
        try:
            return ran([*argv, "true"], b"", 0, until, ending, folder=self._folder, told=60_000).error
        except NotReached:
            return ""
