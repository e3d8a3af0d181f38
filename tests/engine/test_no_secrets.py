"""Secrets stay secret: markers in every place a kubeconfig may hold one are in no error, log, stream, or process table."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.pretty import pretty_repr

from flannelscope.errors import NoCluster
from flannelscope.session import Settings
from flannelscope.sources.credentials import Answer
from flannelscope.sources.execplugin import ExecCredential, ExecPlugin
from flannelscope.sources.kubeconfig import load
from flannelscope.sources.kubeconfig_files import Cluster, Exec, User, Variable
from flannelscope.sources.proxy import Proxy
from flannelscope.sources.secret import masked
from flannelscope.sources.tls import ClientCertificate
from tests.engine.kubeconfigs import isolate, settings, write
from tests.fakes.echo_server import EchoServer
from tests.fakes.pki import Authority

MARK = "M4RK"  # in every secret below, and nowhere else
TOKEN = f"{MARK}-token"
PASSWORD = f"{MARK}-password"
JWT = f"eyJhbGciOi{MARK}.eyJzdWIiOi{MARK}.{MARK}"
LOGIN = json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": TOKEN}})


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolate(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


# --- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        User(token=TOKEN, password=PASSWORD, client_key_data=MARK),
        User(exec=Exec(args=(MARK,), env=(Variable(name="A", value=MARK),))),
        Cluster(proxy_url=f"http://op:{PASSWORD}@p"),
        ClientCertificate(chain=b"", key=MARK.encode(), where="here"),
        ExecCredential(token=TOKEN),
        Answer(headers={"Authorization": f"Bearer {TOKEN}"}),
        Proxy(scheme="http", host="p", port=1, username="op", password=PASSWORD),
        Settings(login=LOGIN),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_with_secrets_do_not_show_them(value: msgspec.Struct) -> None:
    """Neither to print and logging nor to the traceback with locals that Textual shows when it crashes."""
    nested = {"local": [value]}
    assert MARK not in f"{value} {value!r} {nested} {pretty_repr(nested)}"


def test_an_access_shows_only_server_and_context(tmp_path: Path) -> None:
    access = load(settings(write(tmp_path / "config", user={"token": TOKEN})))
    assert repr(access) == "Access(server='https://10.0.0.1:6443', context='dc1')"
    assert MARK not in pretty_repr({"access": access})


def test_what_looks_like_a_token_is_masked() -> None:
    told = masked(f"bad {JWT} from {PASSWORD} with {'ab' * 25}", [PASSWORD])
    assert told == "bad [hidden] from [hidden] with [hidden]"
    assert masked("cannot reach https://login.example.com/a", []) == "cannot reach https://login.example.com/a"


# --- errors of reading a kubeconfig ----------------------------------------------------------------------------------


def chain(error: BaseException) -> str:
    """The error as its fullest traceback would show it, with everything it was raised from."""
    parts = ["".join(traceback.format_exception(error))]
    seen: BaseException | None = error
    while seen is not None:
        parts.append(f"{seen} {seen.args}")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\n".join(parts)


@pytest.mark.parametrize(
    "content",
    [
        f"users: [{{name: a, user: {{token: {TOKEN}",
        f"token: *{MARK}",
        f"token: &{MARK} !{MARK} x",
        f"{MARK}: [",
        f"\t{MARK}",
        f'"{MARK}\\q"',
        f"users: [{{name: a, user: {{token: [{TOKEN}]}}}}]",
        f"users: [{{name: a, user: {{exec: {{env: [{MARK}]}}}}}}]",
        f"users: {TOKEN}",
        f"kind: {TOKEN}",
        TOKEN,
    ],
)
def test_a_broken_file_is_not_quoted(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    with pytest.raises(NoCluster) as caught:
        load(settings(path))
    assert MARK not in chain(caught.value)


@pytest.mark.parametrize(
    ("cluster", "user"),
    [
        ({}, {"token": f"{TOKEN}ü"}),
        ({}, {"token": TOKEN, "username": "op", "password": PASSWORD}),
        ({}, {"client-certificate-data": MARK, "client-key-data": f"%{MARK}"}),
        ({}, {"client-certificate-data": "aGVsbG8=", "client-key-data": MARK * 4}),
        ({}, {"auth-provider": {"name": "oidc", "config": {"client-secret": PASSWORD}}}),
        ({}, {"exec": {"command": "x", "args": [TOKEN], "env": [{"name": "A", "value": PASSWORD}], "apiVersion": "v0"}}),
        ({"proxy-url": f"ftp://op:{PASSWORD}@p"}, {}),
        ({"proxy-url": f"http://op:{PASSWORD}@p:port"}, {}),
        ({"server": f"https://op:{PASSWORD}@x"}, {}),
        ({"server": f"https://op:{PASSWORD}@x:port"}, {}),
    ],
)
def test_a_wrong_entry_is_not_quoted(tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any]) -> None:
    with pytest.raises(NoCluster) as caught:
        load(settings(write(tmp_path / "config", cluster=cluster, user=user)))
    assert MARK not in chain(caught.value)


def test_a_login_that_is_none_is_not_quoted(tmp_path: Path) -> None:
    entry = {"apiVersion": "client.authentication.k8s.io/v1", "command": "x", "interactiveMode": "Always"}
    path = write(tmp_path / "config", user={"exec": entry})
    for login in (TOKEN, LOGIN.replace("/v1", "/v0"), LOGIN.replace('"status"', '"s"'), LOGIN[:-1]):
        with pytest.raises(NoCluster) as caught:
            load(settings(path, login=login))
        assert MARK not in chain(caught.value)


# --- the installed program -------------------------------------------------------------------------------------------


def flannelscope(config: Path, log: Path, *argv: str) -> str:
    """Everything that a call tells anybody: both streams and the log, with --debug."""
    whole = [sys.executable, "-m", "flannelscope", *argv, "--kubeconfig", str(config), "--debug", "--log-file", str(log)]
    done = subprocess.run(whole, capture_output=True, text=True, check=False, timeout=100, stdin=subprocess.DEVNULL)
    assert done.returncode in (0, 1, 3), done.stderr
    return done.stdout + done.stderr + log.read_text()


def plugin(path: Path, body: str) -> dict[str, Any]:
    """An exec entry for a program that notes every process above it, then does `body`."""
    note = f"""#!{sys.executable}
import json, os, sys
pid, seen = os.getppid(), []
while pid > 1:
    seen.append(open(f"/proc/{{pid}}/cmdline").read() + open(f"/proc/{{pid}}/environ").read())
    pid = int(open(f"/proc/{{pid}}/stat").read().rpartition(")")[2].split()[1])
json.dump(seen, open({str(path.parent / "seen")!r}, "w"))
"""
    path.write_text(note + body)
    path.chmod(0o755)
    return {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path), "interactiveMode": "Never"}


CALLS = (("check",), ("check", "-o", "json"), ("nodes",))


@pytest.mark.parametrize("argv", CALLS, ids=" ".join)
@pytest.mark.parametrize("refusing", [False, True], ids=["answered", "refused"])
def test_a_token_is_told_to_nobody_but_the_server(
    tmp_path: Path, authority: Authority, argv: tuple[str, ...], refusing: bool
) -> None:
    with EchoServer(tmp_path, authority) as server:
        server.refusing = refusing
        cluster = {"server": server.url, "certificate-authority-data": authority.data}
        config = write(tmp_path / "config", cluster=cluster, user={"token": TOKEN})
        told = flannelscope(config, tmp_path / "log", *argv)
    assert server.asked[0].all("Authorization") == [f"Bearer {TOKEN}"]
    assert "GET /version" in told
    assert MARK not in told


def test_a_password_of_server_or_proxy_is_told_to_nobody_else(tmp_path: Path, authority: Authority) -> None:
    """The proxy refuses the connection: its URL is in the errors of many a library."""
    for scheme in ("http", "https", "socks5"):
        cluster = {"proxy-url": f"{scheme}://op:{PASSWORD}@127.0.0.1:9", "certificate-authority-data": authority.data}
        config = write(tmp_path / "config", cluster=cluster, user={"username": "op", "password": PASSWORD})
        told = flannelscope(config, tmp_path / "log", "check", "--timeout", "2")
        assert "127.0.0.1" in told or "proxy" in told.lower()
        assert MARK not in told


def test_what_a_plugin_gives_is_told_to_nobody_but_the_server(tmp_path: Path, authority: Authority) -> None:
    entry = plugin(tmp_path / "plugin", f"print({LOGIN!r}); sys.stderr.write({TOKEN!r})\n")
    with EchoServer(tmp_path, authority) as server:
        cluster = {"server": server.url, "certificate-authority-data": authority.data}
        told = flannelscope(write(tmp_path / "config", cluster=cluster, user={"exec": entry}), tmp_path / "log", "check")
    assert server.asked[0].all("Authorization") == [f"Bearer {TOKEN}"]
    assert MARK not in told
    above = json.loads((tmp_path / "seen").read_text())
    assert "flannelscope" in above[0]
    assert MARK not in "".join(above)


@pytest.mark.parametrize(
    ("arguments", "said", "told"),
    [
        ([f"--password={PASSWORD}"], f"unknown flag: --password={PASSWORD}", "unknown flag: [hidden]"),
        ([f"--password={PASSWORD}"], f"no login with {PASSWORD}: refused", "no login with [hidden]: refused"),
        (["login", "--pass", PASSWORD], f"for {PASSWORD} none", "for [hidden] none"),
        ([f"op:{PASSWORD}"], f"op is unknown, {PASSWORD} is wrong", "[hidden] is unknown, [hidden] is wrong"),
        (["-c", f"login -p '{PASSWORD}' || exit"], f"sh: {PASSWORD}?", "sh: [hidden]?"),
        (["--pin=1234"], "1234 is wrong, 12345 is too long", "[hidden] is wrong, 12345 is too long"),
        (["-", "=", ""], "it is - so = to say", "it is - so = to say"),
    ],
)
def test_what_a_failing_plugin_repeats_of_its_arguments_is_hidden(
    tmp_path: Path, arguments: list[str], said: str, told: str
) -> None:
    program = tmp_path / "plugin"
    program.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(NoCluster) as caught:
        ExecPlugin(command=str(program), arguments=arguments).run(30)
    assert caught.value.where == f"it says: {told}"
    assert MARK not in chain(caught.value)


def test_what_a_failing_plugin_says_is_told_without_its_secrets(tmp_path: Path) -> None:
    entry = plugin(tmp_path / "plugin", f"sys.stderr.write('no session for ' + os.environ['PASS'] + {JWT!r}); sys.exit(1)\n")
    entry["env"] = [{"name": "PASS", "value": PASSWORD}]
    entry["args"] = [f"--client-secret={PASSWORD}"]
    told = flannelscope(write(tmp_path / "config", user={"exec": entry}), tmp_path / "log", "check")
    assert "no session for [hidden]" in told
    assert MARK not in told


# --- the console: its engine is a process of its own ------------------------------------------------------------------


@contextlib.contextmanager
def console(config: Path) -> Iterator[tuple[int, int]]:
    """The console in a pseudo-terminal: its process id and the terminal."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="100", LINES="30")
        os.execv(sys.executable, [sys.executable, "-m", "flannelscope", "--kubeconfig", str(config)])
    try:
        yield pid, terminal
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        os.close(terminal)
        os.waitpid(pid, 0)


def below(pid: int) -> dict[int, str]:
    """Arguments and environment of every process below this one."""
    found: dict[int, str] = {}
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            with contextlib.suppress(OSError):
                found[child] = Path(f"/proc/{child}/cmdline").read_text() + Path(f"/proc/{child}/environ").read_text()
            found |= below(child)
    return found


def test_an_interactive_login_reaches_the_engine_by_pipe_only(tmp_path: Path, authority: Authority) -> None:
    entry = plugin(tmp_path / "plugin", f"print({LOGIN!r})\n") | {"interactiveMode": "Always"}
    with EchoServer(tmp_path, authority) as server:
        cluster = {"server": server.url, "certificate-authority-data": authority.data}
        shown = b""
        with console(write(tmp_path / "config", cluster=cluster, user={"exec": entry})) as (pid, terminal):
            until = time.monotonic() + 60
            while not server.asked and time.monotonic() < until:
                if select.select([terminal], [], [], 0.05)[0]:
                    shown += os.read(terminal, 65536)
            processes = below(pid)
            processes[pid] = Path(f"/proc/{pid}/cmdline").read_text() + Path(f"/proc/{pid}/environ").read_text()
    assert server.asked, shown.decode("utf-8", "replace")[-2000:]
    assert server.asked[0].all("Authorization") == [f"Bearer {TOKEN}"]
    assert any("flannelscope.worker" in told for told in processes.values())
    assert MARK not in "".join(processes.values())
    assert MARK.encode() not in shown
