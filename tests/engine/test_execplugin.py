"""Exec plugins: real child processes, small Python programs that print an ExecCredential (or fail to)."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flannelscope.errors import NoCluster
from flannelscope.sources import kubeconfig
from flannelscope.sources.access import Access
from flannelscope.sources.credentials import ExecCredentials
from flannelscope.sources.execplugin import ExecCredential, ExecPlugin
from tests.engine.kubeconfigs import isolate, settings, write
from tests.fakes.echo_server import EchoServer
from tests.fakes.pki import Authority

V1 = "client.authentication.k8s.io/v1"
BETA = "client.authentication.k8s.io/v1beta1"


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolate(monkeypatch, tmp_path)


def program(path: Path, body: str) -> Path:
    """An executable Python program with json, os, sys and time at hand."""
    path.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{textwrap.dedent(body)}")
    path.chmod(0o755)
    return path


def answering(path: Path, version: str = V1, **status: Any) -> Path:
    """A plugin that prints this status."""
    return program(path, f"print({json.dumps({'apiVersion': version, 'kind': 'ExecCredential', 'status': status})!r})")


def plugin(path: Path, **options: Any) -> ExecPlugin:
    return ExecPlugin(command=str(path), **options)


def until(condition: Callable[[], Any]) -> Any:
    """What `condition` gives, once it gives something."""
    for _ in range(3000):
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("it did not happen within 30 s")


def alive(pid: str) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def access_by(path: Path, cluster: dict[str, Any] | None = None, login: str = "", **entry: Any) -> Access:
    """The access of a kubeconfig with this exec entry."""
    entry = {"apiVersion": V1, "command": "./plugin", "interactiveMode": "Never", **entry}
    return kubeconfig.load(settings(write(path / "config", cluster=cluster, user={"exec": entry}), login=login))


def test_the_token_becomes_the_bearer(tmp_path: Path) -> None:
    answering(tmp_path / "plugin", token="t-exec")
    assert access_by(tmp_path).authorize() == {"Authorization": "Bearer t-exec"}


def test_arguments_environment_and_the_clusters_description_reach_it(tmp_path: Path) -> None:
    program(
        tmp_path / "plugin",
        """
        info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
        seen = {"argv": sys.argv[1:], "team": os.environ["TEAM"], "home": "HOME" in os.environ, "info": info}
        json.dump(seen, open("seen", "w"))
        print(json.dumps({"apiVersion": info["apiVersion"], "kind": "ExecCredential", "status": {"token": "t"}}))
        """.replace('open("seen"', f"open({str(tmp_path / 'seen')!r}"),
    )
    authority = Authority()
    cluster = {
        "certificate-authority-data": authority.data,
        "tls-server-name": "kubernetes",
        "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "dc1"}}],
    }
    environ = [{"name": "TEAM", "value": "net"}]
    entry: dict[str, Any] = {"args": ["get-token", "--x"], "env": environ, "provideClusterInfo": True, "apiVersion": BETA}
    access_by(tmp_path, cluster, **entry).authorize()
    seen = json.loads((tmp_path / "seen").read_text())
    assert (seen["argv"], seen["team"], seen["home"]) == (["get-token", "--x"], "net", True)
    assert seen["info"] == {
        "kind": "ExecCredential",
        "apiVersion": BETA,
        "spec": {
            "interactive": False,
            "cluster": {
                "server": "https://10.0.0.1:6443",
                "tls-server-name": "kubernetes",
                "certificate-authority-data": authority.data,
                "config": {"audience": "dc1"},
            },
        },
    }


def test_it_never_gets_the_terminal(tmp_path: Path) -> None:
    """No standard input and no controlling terminal: a plugin that prompts would draw over the console."""
    body = """
    try:
        os.open("/dev/tty", os.O_RDWR)
        terminal = "yes"
    except OSError:
        terminal = "no"
    status = {"token": f"stdin-{len(sys.stdin.read())}-tty-{terminal}"}
    print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}))
    """
    found = plugin(program(tmp_path / "plugin", body)).run(10)
    assert found.token == "stdin-0-tty-no"


def test_a_client_certificate_from_a_plugin_identifies_us_and_is_exchanged_when_renewed(tmp_path: Path) -> None:
    authority = Authority()
    for name in ("first", "second"):
        pair = authority.issue(name)
        status = {"clientCertificateData": pair.certificate.decode(), "clientKeyData": pair.key.decode()}
        answering(tmp_path / name, **status)
    (tmp_path / "plugin").symlink_to(tmp_path / "first")
    with EchoServer(tmp_path, authority, clients=authority) as server:
        access = access_by(tmp_path, {"server": server.url, "certificate-authority-data": authority.data})
        for name in ("first", "second"):
            (tmp_path / "plugin").unlink()
            (tmp_path / "plugin").symlink_to(tmp_path / name)
            headers = access.request_headers()
            assert access.pool_manager().request("GET", server.url, headers=headers, timeout=5).status == 200
            assert access.rejected()  # as after a 401: the plugin runs again
        access.close()
    assert [asked.client for asked in server.asked] == ["first", "second"]


class Scripted(ExecPlugin):
    """A plugin whose answers are given; counts its runs."""

    def __init__(self, *answers: ExecCredential | NoCluster) -> None:
        super().__init__(command="scripted")
        self.left = list(answers)

    def run(self, limit: float) -> ExecCredential:
        answer = self.left.pop(0)
        if isinstance(answer, NoCluster):
            raise answer
        return answer


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def token_of(credentials: ExecCredentials) -> str:
    return credentials.current().headers["Authorization"].removeprefix("Bearer ")


def test_it_is_asked_again_before_the_credential_ends_and_not_earlier() -> None:
    clock = Clock()
    scripted = Scripted(ExecCredential(token="a", expires=1900), ExecCredential(token="b", expires=None))
    credentials = ExecCredentials(scripted, 30, clock=clock)
    seen = []
    for clock.now in (1000.0, 1839.0, 1840.0, 99999.0):
        seen.append(token_of(credentials))
    assert seen == ["a", "a", "b", "b"]


def test_a_credential_that_was_refused_while_the_plugin_failed_can_still_be_had_anew() -> None:
    clock = Clock()
    scripted = Scripted(ExecCredential(token="a", expires=1900), NoCluster("down"), ExecCredential(token="b"))
    credentials = ExecCredentials(scripted, 30, clock=clock)
    seen = [token_of(credentials)]
    for clock.now in (1850.0, 1851.0, 1861.0):  # the plugin fails, is left alone, is asked again
        assert credentials.forget()
        seen.append(token_of(credentials))
    assert seen == ["a", "a", "a", "b"]


def test_a_credential_of_seconds_is_not_asked_for_at_every_request() -> None:
    clock = Clock()
    scripted = Scripted(ExecCredential(token="a", expires=1020), ExecCredential(token="b", expires=2000))
    credentials = ExecCredentials(scripted, 30, clock=clock)
    seen = []
    for clock.now in (1000.0, 1015.0, 1016.0):
        seen.append(token_of(credentials))
    assert seen == ["a", "a", "b"]


def test_a_failed_renewal_is_no_harm_while_the_old_credential_lasts() -> None:
    clock = Clock()
    scripted = Scripted(ExecCredential(token="a", expires=1900), NoCluster("down"), NoCluster("down"), ExecCredential(token="b"))
    credentials = ExecCredentials(scripted, 30, clock=clock)
    assert token_of(credentials) == "a"
    clock.now = 1850.0
    assert token_of(credentials) == "a"
    clock.now = 1900.0
    with pytest.raises(NoCluster, match="down"):
        credentials.current()
    clock.now = 1905.0  # within the ten seconds in which a failing plugin is left alone
    with pytest.raises(NoCluster, match="down"):
        credentials.current()
    assert len(scripted.left) == 1
    clock.now = 1911.0
    assert token_of(credentials) == "b"


def test_a_credential_that_has_expired_when_it_comes_is_refused() -> None:
    credentials = ExecCredentials(Scripted(ExecCredential(token="a", expires=900)), 30, clock=Clock())
    with pytest.raises(NoCluster, match="expired already"):
        credentials.current()


def test_threads_that_ask_at_once_run_it_once(tmp_path: Path) -> None:
    program(
        tmp_path / "plugin",
        f"""
        open({str(tmp_path / "runs")!r}, "a").write("x")
        print(json.dumps({{"apiVersion": {V1!r}, "kind": "ExecCredential", "status": {{"token": "t"}}}}))
        """,
    )
    access = access_by(tmp_path)
    threads = [threading.Thread(target=access.authorize) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "runs").read_text() == "x"


def test_a_plugin_that_hangs_is_ended(tmp_path: Path) -> None:
    hanging = plugin(program(tmp_path / "plugin", "time.sleep(600)"))
    with pytest.raises(NoCluster, match=r"no answer within 0.5 s"):
        hanging.run(0.5)


def test_closing_ends_a_plugin_that_runs_with_all_it_started(tmp_path: Path) -> None:
    body = f"""
    import subprocess
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
    time.sleep(600)
    """
    program(tmp_path / "plugin", body)
    access = access_by(tmp_path)
    problems: list[NoCluster] = []

    def ask() -> None:
        try:
            access.authorize()
        except NoCluster as problem:
            problems.append(problem)

    asking = threading.Thread(target=ask)
    asking.start()
    pids = until(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().split())
    access.close()
    asking.join()
    assert "ended by signal 15" in str(problems[0])
    until(lambda: not any(alive(pid) for pid in pids))


def test_a_grandchild_that_keeps_the_pipes_is_not_waited_for(tmp_path: Path) -> None:
    body = f"""
    import subprocess
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
    print(json.dumps({{"apiVersion": {V1!r}, "kind": "ExecCredential", "status": {{"token": "t"}}}}))
    """
    assert plugin(program(tmp_path / "plugin", body)).run(60).token == "t"
    os.kill(int((tmp_path / "pid").read_text()), 9)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("sys.exit(3)", "failed with exit code 3"),
        ("os.kill(os.getpid(), 9)", "ended by signal 9"),
        ("sys.stderr.write('\\x1b[31mno session\\x07'); sys.exit(1)", "it says: .*no session"),
        ("print('hello')", "no ExecCredential"),
        ("sys.stdout.buffer.write(b'\\xff\\xfe')", "no ExecCredential"),
        ("print('{}')", "version none"),
        ("print('x' * 3_000_000)", "more than a credential can be"),
        ("pass", "no ExecCredential"),
    ],
)
def test_what_goes_wrong_is_said(tmp_path: Path, body: str, says: str) -> None:
    with pytest.raises(NoCluster, match=says) as caught:
        plugin(program(tmp_path / "plugin", body)).run(30)
    assert "\x1b" not in str(caught.value)
    assert "\x07" not in str(caught.value)


@pytest.mark.parametrize(
    ("version", "status", "says"),
    [
        (BETA, {"token": "t"}, "asked for was"),
        (V1, {}, "neither a token nor a certificate"),
        (V1, {"clientCertificateData": "x"}, "only one of certificate and key"),
        (V1, {"token": "t", "expirationTimestamp": "soon"}, "no time"),
        (V1, {"token": 7}, "no ExecCredential"),
    ],
)
def test_answers_that_are_none_are_said(tmp_path: Path, version: str, status: dict[str, Any], says: str) -> None:
    with pytest.raises(NoCluster, match=says):
        plugin(answering(tmp_path / "plugin", version, **status)).run(30)


def test_the_time_of_expiry_is_utc(tmp_path: Path) -> None:
    found = plugin(answering(tmp_path / "plugin", token="t", expirationTimestamp="2030-01-02T03:04:05Z")).run(30)
    assert found.expires == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()


def test_a_missing_plugin_is_said_with_its_hint(tmp_path: Path) -> None:
    access = access_by(tmp_path, command="flannelscope-no-such-plugin", installHint="brew install \x1b[2Jkubelogin")
    with pytest.raises(NoCluster, match="not found") as caught:
        access.authorize()
    assert "kubelogin" in caught.value.do
    assert "\x1b" not in caught.value.do


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"apiVersion": "client.authentication.k8s.io/v1alpha1"}, "v1alpha1 is not known"),
        ({"apiVersion": ""}, r"\(none\) is not known"),
        ({"command": ""}, "no command"),
        ({"interactiveMode": ""}, "interactiveMode is missing"),
        ({"interactiveMode": "Perhaps"}, "interactiveMode is Perhaps"),
    ],
)
def test_wrong_entries_are_said(tmp_path: Path, entry: dict[str, Any], says: str) -> None:
    with pytest.raises(NoCluster, match=says):
        access_by(tmp_path, **entry)


def test_an_exec_entry_beside_a_token_is_not_used(tmp_path: Path) -> None:
    """As in client-go: other credentials of the user come first."""
    user = {"token": "t0", "exec": {"apiVersion": V1, "command": "/no/such", "interactiveMode": "Never"}}
    assert kubeconfig.load(settings(write(tmp_path / "config", user=user))).authorize() == {"Authorization": "Bearer t0"}


# --- the interactive login -------------------------------------------------------------------------------------------


LOGIN = """
info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
assert info["spec"]["interactive"] is True
sys.stderr.write("code: ")
sys.stderr.flush()
status = {"token": "t-" + sys.stdin.readline().strip(), "expirationTimestamp": "2999-01-01T00:00:00Z"}
print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}))
"""

ASK = """
import sys
from flannelscope.session import Settings
from flannelscope.sources import kubeconfig
open(sys.argv[2], "w").write(kubeconfig.login(Settings(kubeconfig=(sys.argv[1],))))
"""


@pytest.mark.parametrize("mode", ["Always", "IfAvailable"])
def test_an_interactive_login_happens_once_with_the_terminal(tmp_path: Path, mode: str) -> None:
    """A real pseudo-terminal: the plugin prompts on it and reads the operator's answer; the console then needs no terminal."""
    import pty

    program(tmp_path / "plugin", LOGIN)
    entry = {"apiVersion": V1, "command": "./plugin", "interactiveMode": mode}
    config = write(tmp_path / "config", user={"exec": entry})
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", ASK, str(config), str(tmp_path / "answer")])
    shown = b""
    while b"code: " not in shown:
        shown += os.read(terminal, 1000)
    os.write(terminal, b"4711\n")
    assert os.waitpid(pid, 0)[1] == 0
    os.close(terminal)
    login = (tmp_path / "answer").read_text()
    assert b"t-4711" not in shown
    (tmp_path / "plugin").unlink()
    assert access_by(tmp_path, login=login, interactiveMode=mode).authorize() == {"Authorization": "Bearer t-4711"}


def test_a_plugin_that_must_have_a_terminal_says_so_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", (tmp_path / "empty").open("w+"))
    answering(tmp_path / "plugin", token="t")
    access = access_by(tmp_path, interactiveMode="Always")
    with pytest.raises(NoCluster, match="asks on the terminal"):
        access.authorize()
    with pytest.raises(NoCluster, match="asks on the terminal"):
        kubeconfig.login(settings(tmp_path / "config"))
    sys.stdin.close()


def test_no_login_where_none_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", (tmp_path / "empty").open("w+"))
    entry = {"apiVersion": BETA, "command": "/no/such"}  # v1beta1 without a mode: IfAvailable
    assert kubeconfig.login(settings(write(tmp_path / "exec", user={"exec": entry}))) == ""
    assert kubeconfig.login(settings(write(tmp_path / "token", user={"token": "t"}))) == ""
    sys.stdin.close()
