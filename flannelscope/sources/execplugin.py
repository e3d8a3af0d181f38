"""Exec plugins of kubeconfig: programs that print an ExecCredential (client.authentication.k8s.io v1 and v1beta1).

Behaviour follows client-go's plugin/pkg/client/auth/exec; two things differ on purpose: a plugin has a time limit, and it
reaches the terminal only in `run_with_terminal`, before the console draws. Of a plugin only its name and its own words are
shown, and of these not what it repeats of its arguments and environment: either may hold a password.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from flannelscope.errors import NoCluster
from flannelscope.sources import childprocess
from flannelscope.sources.secret import Hidden, masked, words_of
from flannelscope.sources.tls import ClientCertificate
from flannelscope.text import clean

GROUP = "client.authentication.k8s.io"
VERSIONS = (f"{GROUP}/v1", f"{GROUP}/v1beta1")
MODES = ("Never", "IfAvailable", "Always")
_MOST = 1 << 20  # bytes of an answer
_SHOWN = 300  # characters of standard error


class ExecCredential(Hidden, frozen=True, kw_only=True, eq=False):
    """What a plugin gave: a token, a client certificate or both; `expires` in seconds since the epoch, None for never."""

    token: str = ""
    certificate: ClientCertificate | None = None
    expires: float | None = None


class _Status(Hidden, frozen=True, kw_only=True, eq=False, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: str | None = None


class _Reply(Hidden, frozen=True, kw_only=True, eq=False, rename="camel"):
    api_version: str = ""
    kind: str = ""
    status: _Status | None = None


class ExecPlugin:
    """One exec entry. `cluster` is what a plugin with provideClusterInfo is told about the cluster, else None.

    `mode` is Never, IfAvailable or Always; only the last cannot do without a terminal.
    """

    def __init__(
        self,
        *,
        command: str,
        arguments: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        version: str = VERSIONS[0],
        mode: str = "Never",
        hint: str = "",
        cluster: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = f"exec plugin {command.rpartition('/')[2]}"
        self.mode = mode
        self._command = command
        self._arguments = tuple(arguments)
        self._environ = dict(environ or {})
        self._version = version
        self._hint = hint
        self._cluster = cluster
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, limit: float) -> ExecCredential:
        """Run it without a terminal for at most `limit` seconds. Raises NoCluster."""
        if self.mode == "Always":
            what = "the login has ended or was not made: this plugin asks on the terminal"
            raise NoCluster(what, self.name, "Start flannelscope again in a terminal.")
        try:
            code, stdout, stderr = childprocess.run(
                self._argv(), self._surroundings(interactive=False), limit, _MOST, self._remember
            )
        except OSError as problem:
            raise self._unstartable(problem) from None
        except childprocess.TooLong as problem:
            raise self._failed(f"gave no answer within {limit:g} s", problem.stderr) from None
        except childprocess.TooMuch:
            raise self._failed("wrote more than a credential can be", b"") from None
        finally:
            self._process = None
        if code != 0:
            raise self._failed(f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}", stderr)
        return self.read(stdout)

    def run_with_terminal(self) -> str:
        """Run it with the operator at the terminal, as long as that takes; its answer as JSON. Raises NoCluster."""
        try:
            done = subprocess.run(self._argv(), env=self._surroundings(interactive=True), stdout=subprocess.PIPE, check=False)
        except OSError as problem:
            raise self._unstartable(problem) from None
        if done.returncode != 0:
            raise self._failed(f"failed with exit code {done.returncode}", b"")
        self.read(done.stdout)
        return done.stdout.decode()

    def wants_terminal(self) -> bool:
        """Whether to run it with the terminal: it may, and there is one. Raises NoCluster where it must and there is none."""
        present = sys.stdin is not None and sys.stdin.isatty()
        if self.mode == "Always" and not present:
            raise NoCluster("this plugin asks on the terminal, and standard input is none", self.name, "Start it in a terminal.")
        return self.mode != "Never" and present

    def stop(self) -> None:
        """End the plugin if it runs."""
        process = self._process
        if process is not None:
            childprocess.end(process)

    def _remember(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def _argv(self) -> list[str]:
        found = shutil.which(self._command)
        if found is None:
            raise FileNotFoundError
        return [found, *self._arguments]

    def _surroundings(self, *, interactive: bool) -> dict[str, str]:
        spec: dict[str, Any] = {"interactive": interactive}
        if self._cluster is not None:
            spec["cluster"] = self._cluster
        info = {"kind": "ExecCredential", "apiVersion": self._version, "spec": spec}
        return {**os.environ, **self._environ, "KUBERNETES_EXEC_INFO": json.dumps(info, default=str)}

    def _unstartable(self, problem: OSError) -> NoCluster:
        if isinstance(problem, FileNotFoundError):
            hint = f"{clean(self._hint, _SHOWN * 2)} " if self._hint else ""
            return NoCluster(f"the {self.name} was not found or is not executable", "PATH", f"{hint}Install it, as for kubectl.")
        return NoCluster(f"the {self.name} cannot be started: {problem.strerror}", self._command)

    def _failed(self, what: str, stderr: bytes) -> NoCluster:
        secrets = (*self._environ.values(), *words_of(self._arguments))
        said = masked(stderr.decode("utf-8", "replace").strip(), secrets)
        shown = clean(said[-_SHOWN:])
        return NoCluster(f"the {self.name} {what}", f"it says: {shown}" if shown else "", "Try it by `kubectl get nodes`.")

    def read(self, stdout: bytes) -> ExecCredential:
        """The credential in what a plugin printed. Raises NoCluster; what was printed is in no error."""
        try:
            reply = msgspec.json.decode(stdout, type=_Reply)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self._failed("printed something that is no ExecCredential", b"") from None
        if reply.kind != "ExecCredential" or reply.api_version != self._version:
            version = clean(reply.api_version, 60) or "none"
            raise self._failed(f"answered in version {version}, asked for was {self._version}", b"")
        status = reply.status or _Status()
        chain, key = status.client_certificate_data or "", status.client_key_data or ""
        if bool(chain) != bool(key):
            raise self._failed("gave only one of certificate and key", b"")
        if not (status.token or chain):
            raise self._failed("gave neither a token nor a certificate", b"")
        certificate = ClientCertificate(chain=chain.encode(), key=key.encode(), where=self.name) if chain else None
        expires = self._moment(status.expiration_timestamp)
        return ExecCredential(token=status.token or "", certificate=certificate, expires=expires)

    def _moment(self, text: str | None) -> float | None:
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise self._failed("gave an expirationTimestamp that is no time", b"") from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
