"""Proxies: when one is used, as Go's httpproxy decides, and real connections through real proxies on loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from flannelscope.errors import NoCluster
from flannelscope.sources.kubeconfig import load
from flannelscope.sources.proxy import choose, proxied
from tests.engine.kubeconfigs import isolate, settings, write
from tests.fakes.connect_proxy import ConnectProxy
from tests.fakes.echo_server import EchoServer
from tests.fakes.pki import Authority
from tests.fakes.socks_proxy import SocksProxy

NAME = "api.dc1.invalid"  # RFC 6761: no resolver knows it, so only a proxy that is asked by name can reach it


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolate(monkeypatch, tmp_path)


@pytest.mark.parametrize(
    ("host", "no_proxy", "used"),
    [
        ("10.0.0.1", "", True),
        ("localhost", "", False),
        ("127.8.0.1", "", False),
        ("::1", "", False),
        ("10.0.0.1", "*", False),
        ("10.0.0.1", "10.0.0.0/8", False),
        ("11.0.0.1", "10.0.0.0/8", True),
        ("fd00::1", "fd00::/8", False),
        ("10.0.0.1", "10.0.0.1", False),
        ("10.0.0.1", "10.0.0.1:6443", False),
        ("10.0.0.1", "10.0.0.1:443", True),
        ("fd00::1", "[fd00::1]:6443", False),
        ("api.example.com", "example.com", False),
        ("example.com", "example.com", False),
        ("badexample.com", "example.com", True),
        ("api.example.com", ".example.com", False),
        ("example.com", ".example.com", True),
        ("api.example.com", "*.example.com", False),
        ("API.example.com", "a, Example.COM ,b", False),
        ("api.example.com", "example.com:443", True),
        ("api.example.com", "example.com:6443", False),
        ("api.example.com", "10.0.0.0/99,:6443,,nonsense/", True),
    ],
)
def test_no_proxy_follows_go(host: str, no_proxy: str, used: bool) -> None:
    assert proxied(host, 6443, no_proxy) is used


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ({"https_proxy": "http://p:3128"}, "http://p:3128"),
        ({"HTTPS_PROXY": "http://upper:1", "https_proxy": "http://lower:2"}, "http://upper:1"),
        ({"HTTPS_PROXY": "p:3128"}, "http://p:3128"),
        ({"HTTPS_PROXY": "p"}, "http://p:80"),
        ({"HTTPS_PROXY": "https://p"}, "https://p:443"),
        ({"HTTPS_PROXY": "socks5://[fd00::9]"}, "socks5://[fd00::9]:1080"),
        ({"HTTP_PROXY": "http://p:1", "ALL_PROXY": "http://p:2"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, None),
    ],
)
def test_the_environment_is_read_as_go_reads_it(environ: dict[str, str], shown: str | None) -> None:
    proxy = choose("https://10.0.0.1:6443", "", environ)
    assert (proxy and proxy.shown) == shown


def test_a_proxy_url_is_used_even_for_what_no_proxy_excepts() -> None:
    proxy = choose("https://127.0.0.1:6443", "http://p:3128", {"NO_PROXY": "*"})
    assert proxy is not None
    assert proxy.shown == "http://p:3128"


@pytest.mark.parametrize("url", ["ftp://p:21", "socks4://p:1080", "http://", "p:3128", "http://p:port"])
def test_a_proxy_url_that_cannot_be_used_is_said(url: str) -> None:
    with pytest.raises(NoCluster, match="proxy") as caught:
        choose("https://10.0.0.1:6443", url, {})
    assert "socks5" in caught.value.do


def test_socks_resolves_names_at_the_proxy_and_sends_its_password(tmp_path: Path) -> None:
    authority = Authority()
    with EchoServer(tmp_path, authority, NAME) as server, SocksProxy({NAME: "127.0.0.1"}, login=("op", "p@ss:w")) as proxy:
        cluster = {
            "server": f"https://{NAME}:{server.port}",
            "certificate-authority-data": authority.data,
            "proxy-url": f"socks5://op:p%40ss%3Aw@127.0.0.1:{proxy.port}",
        }
        access = load(settings(write(tmp_path / "config", cluster=cluster, user={"token": "t0"})))
        answer = access.pool_manager().request("GET", access.server + "/version", headers=access.request_headers(), timeout=5)
        access.close()
    assert answer.status == 200
    assert proxy.targets == [(NAME, server.port)]
    assert proxy.kinds == [3]
    assert server.asked[0].all("Authorization") == ["Bearer t0"]


def test_an_http_proxy_tunnels_and_never_sees_our_credentials(tmp_path: Path) -> None:
    authority = Authority()
    with EchoServer(tmp_path, authority, NAME) as server, ConnectProxy({NAME: "127.0.0.1"}) as proxy:
        cluster = {
            "server": f"https://{NAME}:{server.port}",
            "certificate-authority-data": authority.data,
            "proxy-url": f"http://op:secret@127.0.0.1:{proxy.port}",
        }
        access = load(settings(write(tmp_path / "config", cluster=cluster, user={"token": "t0", "as": "bob"})))
        answer = access.pool_manager().request("GET", access.server + "/version", headers=access.request_headers(), timeout=5)
        access.close()
    assert answer.status == 200
    told = "\n".join(proxy.told[0])
    assert "Proxy-Authorization: Basic b3A6c2VjcmV0" in told
    assert "Bearer" not in told
    assert "Impersonate" not in told
    assert server.asked[0].all("Proxy-Authorization") == []


def test_the_proxy_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority()
    with EchoServer(tmp_path, authority, NAME) as server, ConnectProxy({NAME: "127.0.0.1"}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
        cluster = {"server": f"https://{NAME}:{server.port}", "certificate-authority-data": authority.data}
        access = load(settings(write(tmp_path / "config", cluster=cluster)))
        assert access.pool_manager().request("GET", access.server, timeout=5).status == 200
        access.close()
    assert proxy.targets == [(NAME, server.port)]


def test_the_official_clients_configuration_carries_no_password_of_the_proxy(tmp_path: Path) -> None:
    path = write(tmp_path / "config", cluster={"proxy-url": "http://op:hush-hush@10.9.9.9:3128"})
    configuration = load(settings(path)).configuration
    assert configuration.proxy == "http://10.9.9.9:3128"
    assert "hush-hush" not in repr(vars(configuration))


def test_repeated_headers_are_not_joined_by_a_plain_proxy(tmp_path: Path) -> None:
    """urllib3 makes one header of several where an HTTP proxy forwards: that would be another group."""
    user = {"as": "bob", "as-groups": ["one", "two"]}
    path = write(tmp_path / "config", cluster={"server": "http://10.0.0.1:8080", "proxy-url": "http://10.9.9.9:3128"}, user=user)
    with pytest.raises(NoCluster, match="groups cannot be impersonated"):
        load(settings(path))
