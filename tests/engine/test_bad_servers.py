"""Whatever stands at the other end: a clear sentence with what to do, soon, and no traceback."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flannelscope.collect import collect
from flannelscope.errors import CannotRead
from flannelscope.model import Snapshot
from flannelscope.sources.tls import Tls
from tests.engine.api_objects import source
from tests.fakes.api_server import Answer, FakeApi
from tests.fakes.pki import Authority


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def serving(folder: Path, authority: Authority, *hosts: str, begins: float = -1, ends: float = 365) -> ssl.SSLContext:
    """A server's context with a certificate for these names and days."""
    pair = authority.issue("api", *hosts, begins=begins, ends=ends)
    (folder / "server.pem").write_bytes(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def said(url: str, tls: Tls | None = None, timeout: float = 2.0) -> str:
    """What is said when this server is read: the error's sentences."""
    with source(url, timeout=timeout, tls=tls) as made:
        with pytest.raises(CannotRead) as caught:
            list(collect(made, Snapshot(), threading.Event()))
        assert caught.value.where or url in str(caught.value)
        return str(caught.value)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections for sure: bound, never listened on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_nobody_listens(closed_port: int) -> None:
    assert "Nobody listens there" in said(f"https://127.0.0.1:{closed_port}")


def test_a_name_that_does_not_resolve() -> None:
    assert "name of the API server cannot be resolved" in said("https://no-such-host.invalid:6443")


def test_a_server_that_accepts_and_says_nothing() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        text = said(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
    assert "longer to answer than the time limit" in text
    assert "--timeout" in text


def test_a_server_that_does_not_speak_tls(authority: Authority) -> None:
    with FakeApi() as api:
        text = said(api.url.replace("http:", "https:"), Tls(authorities=authority.pem))
    assert "TLS with the API server failed" in text


def test_a_tls_server_spoken_to_without_tls(tmp_path: Path, authority: Authority) -> None:
    with FakeApi(serving(tmp_path, authority, "127.0.0.1")) as api:
        assert said(api.url.replace("https:", "http:"), timeout=0.3)


def test_a_certificate_of_another_cluster(tmp_path: Path, authority: Authority) -> None:
    with FakeApi(serving(tmp_path, authority, "127.0.0.1")) as api:
        text = said(api.url, Tls(authorities=Authority("other").pem))
    assert "cannot be trusted" in text
    assert "certificate-authority" in text


def test_a_certificate_for_another_name(tmp_path: Path, authority: Authority) -> None:
    with FakeApi(serving(tmp_path, authority, "k8s.example.com")) as api:
        text = said(api.url, Tls(authorities=authority.pem))
        assert "is for another name" in text
        assert "tls-server-name" in text
        api.has("/version", {"gitVersion": "v1.34.4"})
        with source(api, tls=Tls(authorities=authority.pem, server_name="k8s.example.com")) as made:
            events = collect(made, Snapshot(), threading.Event())
            assert getattr(next(events), "status", None) == 200
            events.close()  # type: ignore[attr-defined] # it is a generator


def test_an_expired_certificate(tmp_path: Path, authority: Authority) -> None:
    with FakeApi(serving(tmp_path, authority, "127.0.0.1", begins=-20, ends=-10)) as api:
        assert "has expired" in said(api.url, Tls(authorities=authority.pem))


def test_a_certificate_of_tomorrow(tmp_path: Path, authority: Authority) -> None:
    with FakeApi(serving(tmp_path, authority, "127.0.0.1", begins=2)) as api:
        assert "not yet valid" in said(api.url, Tls(authorities=authority.pem))


def test_credentials_that_are_not_accepted() -> None:
    with FakeApi() as api:
        api.always("/version", Answer(401))
        text = said(api.url)
    assert "does not accept these credentials (401)" in text
    assert "Log in again" in text


def test_a_login_page() -> None:
    with FakeApi() as api:
        api.always("/version", Answer(302, headers={"Location": "https://login.example.com/"}))
        assert "login page" in said(api.url)
        api.always("/version", Answer(body=b"<!doctype html><title>Sign in\x1b[31m</title>"))
        text = said(api.url)
    assert "not what an API server sends" in text
    assert "\x1b" not in text


def test_something_else_than_an_api_server() -> None:
    with FakeApi() as api:
        assert "This is no Kubernetes API server" in said(api.url)


def test_a_server_that_hangs_up() -> None:
    with socket.socket() as rude:
        rude.bind(("127.0.0.1", 0))
        rude.listen()
        ended = threading.Event()

        def hang_up() -> None:
            while not ended.is_set():
                connection, _ = rude.accept()
                connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        port = rude.getsockname()[1]
        text = said(f"http://127.0.0.1:{port}", timeout=0.2)
        ended.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join(10)
    assert "was cut" in text or "reset" in text


def test_an_unreachable_server_is_not_waited_for(closed_port: int) -> None:
    with source(f"https://127.0.0.1:{closed_port}") as made:
        events = collect(made, Snapshot(), threading.Event())
        assert getattr(next(events), "status", None) == 0
        with pytest.raises(CannotRead):
            next(events)
