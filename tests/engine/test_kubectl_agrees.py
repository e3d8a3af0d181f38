"""The real kubectl as the oracle: with one kubeconfig, a server sees the same of it and of us."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import urllib3

from flannelscope.errors import NoCluster
from flannelscope.session import Settings
from flannelscope.sources.kubeconfig import load
from tests.engine.kubeconfigs import isolate, write
from tests.fakes.connect_proxy import ConnectProxy
from tests.fakes.echo_server import Asked, EchoServer
from tests.fakes.pki import Authority
from tests.fakes.socks_proxy import SocksProxy

KUBECTL = shutil.which("kubectl")
pytestmark = pytest.mark.skipif(KUBECTL is None, reason="needs kubectl in PATH")
NAME = "api.dc1.invalid"
EXEC = {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "command": "./plugin"}


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolate(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def by_kubectl(*, context: str = "") -> bool:
    """Whether kubectl gets an answer; the kubeconfig is in KUBECONFIG."""
    assert KUBECTL is not None
    argv = [KUBECTL, "get", "--raw", "/version", "--request-timeout=20s", *(["--context", context] if context else [])]
    return subprocess.run(argv, capture_output=True, check=False, timeout=60).returncode == 0


def by_us(*, context: str = "") -> bool:
    """Whether we get an answer."""
    try:
        access = load(Settings(context=context))
        url = f"{access.server}/version"
        answer = access.pool_manager().request("GET", url, headers=access.request_headers(), timeout=20)
        access.close()
    except (NoCluster, urllib3.exceptions.HTTPError):
        return False
    return answer.status == 200


def identity(asked: Asked) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The certificate and whatever headers say who asks, repeated ones in their order."""
    told = [(name.lower(), value) for name, value in asked.headers]
    return asked.client, tuple(sorted(pair for pair in told if pair[0].startswith(("authorization", "impersonate-"))))


def agree(server: EchoServer, *, context: str = "") -> bool:
    """Both ask, kubectl perhaps more than once; the server saw the same of both. Whether it answered them."""
    server.asked.clear()
    ours = by_us(context=context)
    seen = {identity(asked) for asked in server.asked}
    server.asked.clear()
    theirs = by_kubectl(context=context)
    assert ours == theirs
    assert seen == {identity(asked) for asked in server.asked}
    return ours


def users(folder: Path, authority: Authority) -> Mapping[str, dict[str, Any]]:
    """User entries of every kind; their files in `folder`."""
    pair = authority.issue("operator")
    (folder / "me.crt").write_bytes(pair.certificate)
    (folder / "me.key").write_bytes(pair.key)
    (folder / "token").write_text("from-file\n")
    status = {"token": "t-exec", "clientCertificateData": pair.certificate.decode(), "clientKeyData": pair.key.decode()}
    printed = {"apiVersion": EXEC["apiVersion"], "kind": "ExecCredential", "status": status}
    (folder / "plugin").write_text(f"#!{sys.executable}\nprint({json.dumps(printed)!r})\n")
    (folder / "plugin").chmod(0o755)
    data = {"client-certificate-data": pair.certificate_data, "client-key-data": pair.key_data}
    extra = {"example.com/Scopes": ["view", "list"], "%": ["z"]}
    whom = {"as": "jürgen", "as-uid": "7", "as-groups": ["b", "a"], "as-user-extra": extra}
    return {
        "token": {"token": "t0"},
        "token file": {"tokenFile": "token"},
        "token and file": {"token": "t0", "tokenFile": "token"},
        "token and lost file": {"token": "t0", "tokenFile": "gone"},
        "lost file": {"tokenFile": "gone"},
        "password": {"username": "op", "password": "p:ä"},
        "token and password": {"token": "t0", "username": "op", "password": "p"},
        "certificate": {"client-certificate": "me.crt", "client-key": "me.key"},
        "certificate as data": data,
        "certificate and token": {**data, "token": "t0"},
        "certificate without key": {"client-certificate": "me.crt"},
        "exec": {"exec": EXEC},
        "exec beside a token": {"exec": EXEC, "token": "t0"},
        "exec beside a certificate": {"exec": EXEC, **data},
        "exec of an old version": {"exec": {**EXEC, "apiVersion": "client.authentication.k8s.io/v1alpha1"}},
        "impersonation": {"token": "t0", **whom},
        "auth provider": {"auth-provider": {"name": "gcp"}},
    }


KINDS = (
    "token",
    "token file",
    "token and file",
    "token and lost file",
    "lost file",
    "password",
    "token and password",
    "certificate",
    "certificate as data",
    "certificate and token",
    "certificate without key",
    "exec",
    "exec beside a token",
    "exec beside a certificate",
    "exec of an old version",
    "impersonation",
    "auth provider",
)
FAIL = {"lost file", "token and password", "certificate without key", "exec of an old version", "auth provider"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_server_sees_the_same_user(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    with EchoServer(tmp_path, authority, clients=authority, optional=True) as server:
        cluster = {"server": server.url, "certificate-authority-data": authority.data}
        user = users(tmp_path, authority)[kind]
        monkeypatch.setenv("KUBECONFIG", str(write(tmp_path / "config", cluster=cluster, user=user)))
        assert agree(server) is (kind not in FAIL)


@pytest.mark.parametrize(
    ("more", "answered"),
    [
        ({"tls-server-name": "kubernetes"}, True),
        ({"tls-server-name": "other"}, False),
        ({}, False),
        ({"certificate-authority-data": "", "insecure-skip-tls-verify": True}, True),
        ({"insecure-skip-tls-verify": True}, False),
        ({"certificate-authority-data": ""}, False),
    ],
)
def test_the_same_servers_are_believed(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], answered: bool
) -> None:
    with EchoServer(tmp_path, authority, "kubernetes") as server:
        cluster = {"server": server.url, "certificate-authority-data": authority.data, **more}
        monkeypatch.setenv("KUBECONFIG", str(write(tmp_path / "config", cluster=cluster, user={"token": "t0"})))
        assert agree(server) is answered


def test_neither_sends_credentials_without_tls(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    with EchoServer(tmp_path, authority, plain=True) as server:
        user = {"token": "t0", "as": "bob"}
        monkeypatch.setenv("KUBECONFIG", str(write(tmp_path / "config", cluster={"server": server.url}, user=user)))
        assert agree(server)


def test_files_are_merged_alike(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    with EchoServer(tmp_path, authority) as server:
        trusted = {"server": server.url, "certificate-authority-data": authority.data}
        first = write(tmp_path / "1", name="a", cluster=trusted, user={"token": "a1"}, current=False)
        second = write(tmp_path / "2", name="b", cluster=trusted, user={"token": "b2"})
        third = write(tmp_path / "3", name="a", cluster={"server": "https://127.0.0.1:1"}, user={"token": "a3"})
        monkeypatch.setenv("KUBECONFIG", os.pathsep.join(["", "/no/such", str(first), str(second), str(third)]))
        assert agree(server)
        assert agree(server, context="a")
        assert not agree(server, context="c")


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_proxies_are_asked_alike(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    proxy = SocksProxy({NAME: "127.0.0.1"}) if kind == "socks5" else ConnectProxy({NAME: "127.0.0.1"})
    with EchoServer(tmp_path, authority, NAME) as server, proxy:
        cluster = {
            "server": f"https://{NAME}:{server.port}",
            "certificate-authority-data": authority.data,
            "proxy-url": f"{kind}://127.0.0.1:{proxy.port}",
        }
        monkeypatch.setenv("NO_PROXY", "*")
        monkeypatch.setenv("KUBECONFIG", str(write(tmp_path / "config", cluster=cluster, user={"token": "t0"})))
        assert agree(server)
    assert proxy.targets == [(NAME, server.port)] * len(proxy.targets)
    assert len(proxy.targets) >= 2


@pytest.mark.parametrize(
    ("no_proxy", "used"),
    [
        ("", True),
        ("dc1.invalid", False),
        (".invalid", False),
        ("*.dc1.invalid", False),
        ("api.dc1.invalid:1", True),
        ("1.invalid", True),
    ],
)
def test_no_proxy_is_read_alike(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch, no_proxy: str, used: bool
) -> None:
    """Without the proxy the name cannot be resolved, so an answer means that the proxy was used."""
    with EchoServer(tmp_path, authority, NAME) as server, ConnectProxy({NAME: "127.0.0.1"}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", no_proxy)
        cluster = {"server": f"https://{NAME}:{server.port}", "certificate-authority-data": authority.data}
        monkeypatch.setenv("KUBECONFIG", str(write(tmp_path / "config", cluster=cluster, user={"token": "t0"})))
        assert agree(server) is used
