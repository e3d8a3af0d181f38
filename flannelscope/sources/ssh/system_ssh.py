"""The same work through the system's own ssh: for FIDO keys, GSSAPI, and whatever wraps ssh at the operator's site.

One process a node and run; connections are kept between runs by ssh itself (ControlMaster) in a folder of ours.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from flannelscope.questions import Question
from flannelscope.sources.ssh.ending import Ending
from flannelscope.sources.ssh.failures import Ended, NotReached
from flannelscope.sources.ssh.fan_out import HANDSHAKES, door
from flannelscope.sources.ssh.known_files import KnownFiles
from flannelscope.sources.ssh.said import COMMAND, judged
from flannelscope.sources.ssh.ssh_process import ran
from flannelscope.sources.ssh.ssh_words import explained
from flannelscope.sources.ssh.values import Answered, Login, SshSettings, Target

_KEPT = 120  # seconds a connection of ours outlives its last use, and us where we were killed
# Where this ssh knows them. A delegated ticket is the same as a forwarded agent: in the hands of every node.
_PERHAPS = (
    {"GSSAPIDelegateCredentials": "no"},
    {"ForkAfterAuthentication": "no", "StdinNull": "no", "SessionType": "default"},
)
# PROTOCOL.mux of OpenSSH: hello in version 4, then the request to end, each behind its length.
_END = struct.pack(">III", 8, 1, 4) + struct.pack(">III", 8, 0x10000005, 0)
_LOOK = 0.1  # seconds between looks whether the run has ended
_TAKEN = 1.0  # seconds for a master to take that


class SystemSsh:
    """Runs ssh. Raises NotReached where there is none."""

    def __init__(self, settings: SshSettings) -> None:
        program = shutil.which("ssh")
        if program is None:
            raise NotReached("there is no program named ssh here", 'set transport = "paramiko" in [ssh]')
        self._settings = settings
        self._program = program
        self._known = KnownFiles()
        self._known_here = {name: value for options in _PERHAPS if _takes(program, options) for name, value in options.items()}
        self._turns: dict[str, threading.BoundedSemaphore] = {}
        self._met: set[str] = set()
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
        with self._turn(target, ending):
            said = ran([*self._argv(target), COMMAND], script, limit, until, ending, folder=self._folder)
        if said.status != 255:
            self._met.add(target.origin)
        if said.status == 255 and not said.output:
            raise explained(said.error, target, lambda: self._fingerprint(target, until, ending))
        return judged(target, at, said)

    @contextmanager
    def _turn(self, target: Target, ending: Ending) -> Iterator[None]:
        """A handshake through a jump host; who is connected already, or needs none, has not to wait."""
        if not target.hops or target.origin in self._met:
            yield
            return
        turns = self._turns.setdefault(door(target), threading.BoundedSemaphore(HANDSHAKES))
        while not turns.acquire(timeout=_LOOK):
            if ending.is_set():
                raise Ended
        try:
            yield
        finally:
            turns.release()

    def ask_again(self) -> None:
        """BatchMode asks nothing."""

    def close(self) -> None:
        """End the kept connections and remove their folder."""
        for entry in [*self._folder.iterdir()] if self._folder.exists() else []:
            if entry.is_socket():
                _end(entry)
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
        alias = shlex.quote(hops[-1].alias.replace("%", "%%"))
        return shlex.join([word.replace("%", "%%") for word in argv]) + f" -W '[%h]:%p' -- {alias}"

    def _options(self, login: Login) -> list[str]:
        settings = self._settings
        ours = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UpdateHostKeys": "no",  # would write into the operator's known_hosts
            "AddKeysToAgent": "no",
            "ForwardAgent": "no",
            "NoHostAuthenticationForLocalhost": "no",
            "VerifyHostKeyDNS": "no",  # a key is known by known_hosts alone
            "Tunnel": "no",
            "ServerAliveInterval": "5",  # a kept connection whose other end vanished is given up in 15 seconds
            "ServerAliveCountMax": "3",
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
        ours |= self._known_here
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


def _end(master: Path) -> None:
    """Have a kept connection end. Asked here, not by a process each: there may be hundreds, and little time."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(_TAKEN)
        asking.connect(str(master))
        asking.sendall(_END)
        while asking.recv(4096):
            continue


def _takes(program: str, options: Mapping[str, str]) -> bool:
    """Whether this ssh knows these options."""
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    with suppress(OSError, subprocess.TimeoutExpired):
        asked = [program, "-F", "none", "-T", "-G", *words, "x"]
        done = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
        return done.returncode == 0 and not done.stderr
    return False
