"""Kubeconfig: which file, context and entry are used (as kubectl does), and what the API server then sees of us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from flannelscope.errors import NoCluster, WrongKubeconfig
from flannelscope.session import Settings
from flannelscope.sources.credentials import TokenFile
from flannelscope.sources.kubeconfig import load
from tests.engine.kubeconfigs import isolate, settings, write
from tests.fakes.echo_server import Asked, EchoServer
from tests.fakes.pki import Authority


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolate(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def trusting(server: EchoServer, authority: Authority, **more: Any) -> dict[str, Any]:
    """The cluster entry for a server."""
    return {"server": server.url, "certificate-authority-data": authority.data, **more}


def ask(path: Path, server: EchoServer, where: str = "/version") -> Asked:
    """One request with the access of this kubeconfig, and how the server saw it."""
    access = load(settings(path))
    access.pool_manager().request("GET", access.server + where, headers=access.request_headers(), timeout=5)
    access.close()
    return server.asked[-1]


# --- which files -----------------------------------------------------------------------------------------------------


def test_the_default_is_in_the_home_directory(tmp_path: Path) -> None:
    write(tmp_path / ".kube" / "config", name="home")
    assert load(Settings()).context == "home"


def test_the_variable_comes_before_the_default_and_the_option_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / ".kube" / "config", name="home")
    monkeypatch.setenv("KUBECONFIG", str(write(tmp_path / "variable", name="variable")))
    assert load(Settings()).context == "variable"
    assert load(settings(write(tmp_path / "option", name="option"))).context == "option"


def test_files_are_merged_the_first_wins_by_name_with_the_whole_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write(tmp_path / "1", name="dc1", cluster={"server": "https://first:6443"}, current=False)
    second = write(tmp_path / "2", name="dc2", user={"token": "t2"})
    other = {"server": "https://third:6443", "tls-server-name": "x"}
    third = write(tmp_path / "3", name="dc1", cluster=other, user={"token": "t3"})
    missing = tmp_path / "missing"
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(["", str(first), str(missing), str(first), str(second), str(third)]))
    assert load(Settings()).context == "dc2"
    access = load(Settings(context="dc1"))
    assert access.server == "https://first:6443"
    assert access.authorize() == {}
    assert access.configuration.tls_server_name is None


def test_json_is_a_kubeconfig_too_and_nulls_mean_the_default(tmp_path: Path) -> None:
    path = write(tmp_path / "config", user={"token": "t"})
    data = yaml.safe_load(path.read_text())
    data["contexts"][0]["context"]["namespace"] = None
    data["users"][0]["user"]["as-groups"] = None
    data["preferences"] = None
    path.write_text(json.dumps(data))
    assert load(settings(path)).authorize() == {"Authorization": "Bearer t"}


def test_reading_does_not_load_the_kubernetes_package(tmp_path: Path) -> None:
    """It takes longer to import than a large kubeconfig takes to read."""
    write(tmp_path / "config", user={"token": "t"})
    code = (
        "import sys; from flannelscope.session import Settings; from flannelscope.sources.kubeconfig import load;"
        "a = load(Settings(kubeconfig=(sys.argv[1],))); a.authorize(); before = 'kubernetes' in sys.modules;"
        "a.configuration; sys.exit(before or 'kubernetes' not in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "config")], check=True)


# A billion laughs: each line holds the one before it twice.
LAUGHS = b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (n, n, n - 1, n - 1) for n in b"bcdefghijklmnopqrstuvwxyz")


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"clusters: [", r"not YAML near line \d"),
        (b"\tserver: x", r"not YAML near line 1"),
        (b"\x00\x01\x02", "not YAML"),
        (b"\xff\xfe\xff", "not YAML"),
        (b"[" * 5000, "not YAML"),
        (b"just text", "not a kubeconfig"),
        (b"kind: Pod\nmetadata: {}", "not a kubeconfig"),
        (b"clusters: {a: b}", r"is wrong: .*\$\.clusters"),
        (b"users: [{name: a, user: {token: 123}}]", r"is wrong: Expected `str`, got `int`.*token"),
        (b"users: [{user: {}}]", r"is wrong: .*name"),
        (b"users: [{name: a}, {name: a}]", "two user entries named a"),
        (b"", "no context"),
        (b"&a {clusters: *a, x: *a}", "repeats itself"),
        (LAUGHS, "repeats itself"),
        (b"&a [*a]", "not a kubeconfig"),
    ],
)
def test_a_file_that_is_no_kubeconfig_is_said(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "config"
    path.write_bytes(content)
    with pytest.raises(WrongKubeconfig, match=says) as caught:
        load(settings(path))
    assert str(path) in caught.value.where


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "config")
    path.chmod(0)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)  # root may read every file
    try:
        with pytest.raises(WrongKubeconfig, match="Permission denied"):
            load(settings(path))
    finally:
        os.seteuid(before)


def test_a_folder_and_a_missing_file_are_said(tmp_path: Path) -> None:
    with pytest.raises(WrongKubeconfig, match="Is a directory"):
        load(settings(tmp_path))
    with pytest.raises(WrongKubeconfig, match="does not exist"):
        load(settings(tmp_path / "missing"))
    with pytest.raises(WrongKubeconfig, match="no kubeconfig was found") as caught:
        load(Settings())
    assert "--demo" in caught.value.do


def test_an_unknown_context_lists_those_there_are_near_ones_first(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, name=name) for name in ("aachen", "berlin", "prod-east", "prod-west")]
    with pytest.raises(WrongKubeconfig, match="no context named prod-eas") as caught:
        load(settings(*paths, context="prod-eas"))
    assert caught.value.do == "Choose by --context: prod-east, prod-west, aachen, berlin."
    with pytest.raises(WrongKubeconfig, match="no current context"):
        load(settings(write(tmp_path / "config", current=False)))


@pytest.mark.parametrize(
    ("cluster", "user", "says"),
    [
        ({"server": ""}, {}, "no server"),
        ({"server": "ftp://x"}, {}, "URL cannot be used"),
        ({"server": "https://:6443"}, {}, "URL cannot be used"),
        ({"server": "https://x:port"}, {}, "URL cannot be used"),
        ({"server": "https://op:pw@x:6443"}, {}, "URL holds a user"),
        ({"certificate-authority-data": "%%%"}, {}, "certificate-authority-data is not base64"),
        ({"certificate-authority-data": "aGVsbG8="}, {}, "no certificate in PEM"),
        ({"certificate-authority": "missing.crt"}, {}, "certificate-authority cannot be read: No such file"),
        ({}, {"client-certificate-data": "aGVsbG8="}, "no client key"),
        ({}, {"client-certificate-data": "aGVsbG8=", "client-key-data": "aGVsbG8="}, "client certificate cannot be read as PEM"),
        ({}, {"client-certificate": "missing.crt", "client-key": "k"}, "client-certificate cannot be read"),
        ({}, {"token": "t", "username": "u", "password": "p"}, "both a token and a password"),
        ({}, {"token": "line\x01break"}, "not YAML|characters that no token has"),
        ({}, {"auth-provider": {"name": "gcp"}}, "removed in 1.26"),
        ({}, {"as-groups": ["system:masters"]}, "without a user"),
        ({}, {"as": "a\nb"}, "control characters"),
    ],
)
def test_wrong_entries_are_said(tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], says: str) -> None:
    with pytest.raises(NoCluster, match=says):
        load(settings(write(tmp_path / "config", cluster=cluster, user=user)))


def test_a_context_that_names_nothing_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "config")
    whole = path.read_text()
    path.write_text(whole.replace("cluster: dc1\n    user", "cluster: gone\n    user"))
    with pytest.raises(WrongKubeconfig, match="names the cluster gone, which is not there"):
        load(settings(path))
    path.write_text(whole.replace("    user: dc1", "    user: gone"))
    with pytest.raises(WrongKubeconfig, match="names the user gone, which is not there"):
        load(settings(path))


def test_verifying_and_not_verifying_at_once_is_refused(tmp_path: Path, authority: Authority) -> None:
    cluster = {"insecure-skip-tls-verify": True, "certificate-authority-data": authority.data}
    with pytest.raises(WrongKubeconfig, match="both a certificate authority and insecure"):
        load(settings(write(tmp_path / "config", cluster=cluster)))


# --- client certificates ---------------------------------------------------------------------------------------------


def test_a_client_certificate_given_as_data_leaves_no_file(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    pair = authority.issue("operator")
    user = {"client-certificate-data": pair.certificate_data, "client-key-data": pair.key_data}
    with EchoServer(tmp_path, authority, clients=authority) as server:
        assert ask(write(tmp_path / "config", cluster=trusting(server, authority), user=user), server).client == "operator"
    assert list((tmp_path / "temporary").iterdir()) == []


def test_paths_are_relative_to_their_own_file(tmp_path: Path, authority: Authority) -> None:
    folder = tmp_path / "pki"
    folder.mkdir()
    pair = authority.issue("operator")
    (folder / "ca.crt").write_bytes(authority.pem)
    (folder / "me.crt").write_bytes(pair.certificate)
    (folder / "me.key").write_bytes(pair.key)
    with EchoServer(tmp_path, authority, clients=authority) as server:
        cluster = {"server": server.url, "certificate-authority": "ca.crt"}
        user = {"client-certificate": "me.crt", "client-key": "./me.key"}
        assert ask(write(folder / "config", cluster=cluster, user=user), server).client == "operator"


def test_a_renewed_certificate_file_is_used_after_a_refusal(tmp_path: Path, authority: Authority) -> None:
    """The kubelet's certificate is renewed in place while the console runs."""
    with EchoServer(tmp_path, authority, clients=authority) as server:
        user = {"client-certificate": "me.crt", "client-key": "me.key"}
        path = write(tmp_path / "config", cluster=trusting(server, authority), user=user)
        access = None
        for name in ("before", "after"):
            pair = authority.issue(name)
            (tmp_path / "me.crt").write_bytes(pair.certificate)
            (tmp_path / "me.key").write_bytes(pair.key)
            access = access or load(settings(path))
            access.rejected()
            access.pool_manager().request("GET", server.url, headers=access.request_headers(), timeout=5)
        (tmp_path / "me.key").write_bytes(authority.issue("half written").key)
        assert access is not None
        access.rejected()
        access.pool_manager().request("GET", server.url, headers=access.request_headers(), timeout=5)
        access.close()
    assert [asked.client for asked in server.asked] == ["before", "after", "after"]


@pytest.mark.parametrize(
    ("begins", "ends", "says"),
    [(-30, -1, r"expired at 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"), (1, 30, "valid only from")],
)
def test_a_certificate_out_of_its_time_is_said_before_any_request(
    tmp_path: Path, authority: Authority, begins: float, ends: float, says: str
) -> None:
    pair = authority.issue("operator", begins=begins, ends=ends)
    user = {"client-certificate-data": pair.certificate_data, "client-key-data": pair.key_data}
    with pytest.raises(NoCluster, match=says) as caught:
        load(settings(write(tmp_path / "config", user=user)))
    assert caught.value.do
    assert caught.value.exit_code == 3  # the configuration is right, and yet the cluster cannot be read


def test_a_certificate_that_ends_within_a_week_is_warned_about(tmp_path: Path, authority: Authority) -> None:
    soon, late = authority.issue("operator", ends=5), authority.issue("operator", ends=9)
    for pair, warned in ((soon, True), (late, False)):
        user = {"client-certificate-data": pair.certificate_data, "client-key-data": pair.key_data}
        warnings = load(settings(write(tmp_path / "config", user=user))).warnings
        assert any("expires at" in warning for warning in warnings) is warned


def test_a_key_that_is_not_the_certificates_or_needs_a_passphrase_is_said(tmp_path: Path, authority: Authority) -> None:
    pair, other, locked = authority.issue("a"), authority.issue("b"), authority.issue("c", password=b"open sesame")
    for certificate, key, says in ((pair, other, "does not belong"), (locked, locked, "passphrase")):
        user = {"client-certificate-data": certificate.certificate_data, "client-key-data": key.key_data}
        with pytest.raises(NoCluster, match=says):
            load(settings(write(tmp_path / "config", user=user)))


# --- TLS -------------------------------------------------------------------------------------------------------------


def test_the_servers_name_is_checked_and_may_be_given(tmp_path: Path, authority: Authority) -> None:
    with EchoServer(tmp_path, authority, "kubernetes") as server:
        with pytest.raises(urllib3.exceptions.SSLError, match=r"not valid for '127\.0\.0\.1'"):
            ask(write(tmp_path / "config", cluster=trusting(server, authority)), server)
        named = trusting(server, authority, **{"tls-server-name": "kubernetes"})
        assert ask(write(tmp_path / "config", cluster=named), server).path == "/version"


def test_a_stranger_is_not_believed(tmp_path: Path, authority: Authority) -> None:
    with EchoServer(tmp_path, Authority("stranger")) as server, pytest.raises(urllib3.exceptions.SSLError, match="verify failed"):
        ask(write(tmp_path / "config", cluster=trusting(server, authority)), server)


def test_insecure_is_a_warning(tmp_path: Path) -> None:
    with EchoServer(tmp_path, Authority("stranger")) as server:
        path = write(tmp_path / "config", cluster={"server": server.url, "insecure-skip-tls-verify": True}, user={"token": "t"})
        assert ask(path, server).all("Authorization") == ["Bearer t"]
        access = load(settings(path))
    assert "insecure-skip-tls-verify" in access.warnings[0]
    assert access.configuration.verify_ssl is False


def test_no_credentials_are_sent_without_tls(tmp_path: Path, authority: Authority) -> None:
    with EchoServer(tmp_path, authority, plain=True) as server:
        path = write(tmp_path / "config", cluster={"server": server.url}, user={"token": "t"})
        assert ask(path, server).all("Authorization") == []
        assert "without TLS" in load(settings(path)).warnings[0]


def test_a_redirect_is_not_followed(tmp_path: Path, authority: Authority) -> None:
    with EchoServer(tmp_path, authority) as server:
        path = write(tmp_path / "config", cluster=trusting(server, authority), user={"token": "t"})
        assert ask(path, server, "/elsewhere").path == "/elsewhere"
        assert len(server.asked) == 1


# --- who we are ------------------------------------------------------------------------------------------------------


def test_user_and_password_are_basic_authentication(tmp_path: Path, authority: Authority) -> None:
    with EchoServer(tmp_path, authority) as server:
        path = write(tmp_path / "config", cluster=trusting(server, authority), user={"username": "op", "password": "pä:ss"})
        assert ask(path, server).all("Authorization") == ["Basic b3A6cMOkOnNz"]


def test_a_token_file_wins_over_a_token_and_is_read_again(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / "token").write_text("from-file\n")
    with EchoServer(tmp_path, authority) as server:
        user = {"token": "inline", "tokenFile": "token"}
        path = write(tmp_path / "config", cluster=trusting(server, authority), user=user)
        assert ask(path, server).all("Authorization") == ["Bearer from-file"]
        (tmp_path / "token").unlink()
        assert ask(path, server).all("Authorization") == ["Bearer inline"]


def test_a_token_file_is_read_once_a_minute_and_its_last_good_content_lasts(tmp_path: Path) -> None:
    now = 0.0
    file = tmp_path / "token"
    token = TokenFile(file, clock=lambda: now)
    with pytest.raises(NoCluster, match="cannot be read: No such file"):
        token.current()
    seen = []
    for moment, content in ((0.0, "a"), (59.0, "b"), (61.0, "c"), (122.0, ""), (183.0, "d")):
        now = moment
        file.write_text(content)
        seen.append(token.current().headers["Authorization"])
    assert seen == ["Bearer a", "Bearer a", "Bearer c", "Bearer c", "Bearer d"]


def test_impersonation_reaches_the_server_group_by_group(tmp_path: Path, authority: Authority) -> None:
    user = {
        "token": "t",
        "as": "jürgen",
        "as-uid": "4711",
        "as-groups": ["network", "on-call"],
        "as-user-extra": {"example.com/scopes": ["view", "list"], "Team": ["x"]},
    }
    with EchoServer(tmp_path, authority) as server:
        path = write(tmp_path / "config", cluster=trusting(server, authority), user=user)
        asked = ask(path, server)
        assert load(settings(path)).acting_as == "jürgen"
    assert [name.encode("latin-1").decode() for name in asked.all("Impersonate-User")] == ["jürgen"]
    assert asked.all("Impersonate-Uid") == ["4711"]
    assert asked.all("Impersonate-Group") == ["network", "on-call"]
    assert asked.all("Impersonate-Extra-example.com%2Fscopes") == ["view", "list"]
    assert asked.all("Impersonate-Extra-Team") == ["x"]


def test_the_official_client_sends_all_of_it(tmp_path: Path, authority: Authority) -> None:
    """The way a transport uses an Access: its connections inside the official client."""
    from kubernetes.client import ApiClient

    pair = authority.issue("operator")
    user = {
        "client-certificate-data": pair.certificate_data,
        "client-key-data": pair.key_data,
        "as": "bob",
        "as-groups": ["one", "two"],
    }
    with EchoServer(tmp_path, authority, clients=authority) as server:
        access = load(settings(write(tmp_path / "config", cluster=trusting(server, authority), user=user)))
        client: Any = ApiClient(access.configuration)
        client.rest_client.pool_manager = access.pool_manager()
        answer = client.rest_client.request("GET", f"{access.server}/api", headers=access.request_headers(), _request_timeout=5)
        access.close()
    assert answer.status == 200
    assert server.asked[0].client == "operator"
    assert server.asked[0].all("Impersonate-Group") == ["one", "two"]


def test_nobody_is_a_warning(tmp_path: Path) -> None:
    assert "anonymous" in load(settings(write(tmp_path / "config"))).warnings[0]


def test_compression_may_be_disabled(tmp_path: Path) -> None:
    assert load(settings(write(tmp_path / "config"))).compression
    assert not load(settings(write(tmp_path / "config", cluster={"disable-compression": True}))).compression


@pytest.mark.parametrize(
    ("server", "shown"),
    [
        ("https://rancher.example.com/k8s/clusters/c-1/", "https://rancher.example.com/k8s/clusters/c-1"),
        ("https://[fd00::1]:6443", "https://[fd00::1]:6443"),
        ("https://x:6443?a=b", "https://x:6443"),
        ("10.0.0.1:8080", "http://10.0.0.1:8080"),
    ],
)
def test_the_servers_url_keeps_its_path(tmp_path: Path, server: str, shown: str) -> None:
    access = load(settings(write(tmp_path / "config", cluster={"server": server}, user={"token": "t"})))
    assert access.server == shown
    assert access.configuration.host == shown


# --- inside a pod ----------------------------------------------------------------------------------------------------


def test_inside_a_pod_the_service_account_is_used(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("pod-token")
    (folder / "ca.crt").write_bytes(authority.pem)
    with EchoServer(tmp_path, authority) as server:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
        access = load(Settings())
        assert access.context == "in-cluster"
        access.pool_manager().request("GET", access.server, headers=access.request_headers(), timeout=5)
        access.close()
    assert server.asked[0].all("Authorization") == ["Bearer pod-token"]
    write(tmp_path / ".kube" / "config", name="home")
    assert load(Settings()).context == "home"
    with pytest.raises(WrongKubeconfig, match="no context named other"):
        load(Settings(context="other"))
