"""The door lets through what the table of rights makes, in its one way of writing, to one server: nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flannelscope.errors import ReadFailed, WriteRefused
from flannelscope.sources.door import Door
from flannelscope.sources.rights import CONFIG_MAPS, PODS, RIGHTS, Right, discovery_path

SERVER = "https://k8s.test:6443"
RANCHER = "https://rancher.test/k8s/clusters/c-1"
SUMMARY = "/api/v1/nodes/w1/proxy/stats/summary"


def passes(path: str, server: str = SERVER, *, nodes_proxy: bool = False) -> bool:
    """Whether GET of this path goes through the door of `server`."""
    try:
        Door(server, nodes_proxy=nodes_proxy).check("GET", server + path)
    except WriteRefused:
        return False
    return True


def reads(right: Right) -> list[str]:
    """Paths, with query, that use a right: in each version of the kind."""
    paths = []
    for version in right.kind.versions:
        if "get" in right.verbs:
            paths += [right.kind.path(right.namespace, name, version) for name in right.names or ("w-1.example.com",)]
        if "list" in right.verbs:
            paths.append(right.kind.path(right.namespace, version=version) + "?limit=500&continue=eyJ2IjoiLyJ9")
        if "watch" in right.verbs:
            paths.append(right.kind.path(right.namespace, version=version) + "?watch=1")
    return paths


@pytest.mark.parametrize("server", [SERVER, RANCHER, RANCHER + "/"])
def test_every_read_of_the_table_passes(server: str) -> None:
    paths = [path for right in RIGHTS for path in reads(right)]
    assert len(paths) > 15
    assert [path for path in paths if not passes(path, server.rstrip("/"))] == []


@pytest.mark.parametrize(
    "path",
    [
        "/version",
        "/api",
        "/apis",
        discovery_path(RIGHTS[0].kind, "v1"),
        "/apis/networking.k8s.io/v1beta1",
        PODS.path("kube-flannel") + "?labelSelector=app%3Dflannel",
        CONFIG_MAPS.path("flannel", "a-name-of-somebodys-choice"),
    ],
)
def test_what_else_is_read_passes(path: str) -> None:
    assert passes(path)


@pytest.mark.parametrize(
    "path",
    [
        # Secrets, in every disguise
        "/api/v1/secrets",
        "/api/v1/namespaces/kube-system/secrets",
        "/api/v1/namespaces/kube-system/secrets/admin",
        "/api/v1/watch/secrets",
        "/api/v1/namespaces/x/%73ecrets/a",
        "/api/v1/namespaces/kube-system%2fsecrets",
        "/api/v1/namespaces/kube-system%2Fsecrets",
        "/api/v1/namespaces/x/configmaps/..%2fsecrets%2fadmin",
        "/api/v1/namespaces/x/configmaps/%2e%2e/secrets/admin",
        "/api/v1/namespaces/x/configmaps/a%5c..%5csecrets",
        "/api/v1/nodes/../secrets",
        "/api/v1/nodes;/../secrets",
        "/api/v1/nodes%00/secrets",
        "/api/v1/nodes\\..\\secrets",
        "/api/v1/nodes%252f..%252fsecrets",
        # a known path, written in another way
        "//api/v1/nodes",
        "/api//v1/nodes",
        "/api/v1/nodes/",
        "/api/v1/./nodes",
        "/api/v1/%6eodes",
        "/api/v1/watch/nodes",
        "/API/v1/nodes",
        "/api/v1/nodes\n",
        "/api/v1/no\tdes",
        "/api/v1/nodes#/../secrets",
        "/api/v1/nodes/w1 ",
        "/api/v1/nodes/w\u0131",
        # channels into machines, pods and services
        "/api/v1/namespaces/x/pods/p/exec?command=rm",
        "/api/v1/namespaces/x/pods/p/%65xec",
        "/api/v1/namespaces/x/pods/p/attach",
        "/api/v1/namespaces/x/pods/p/portforward",
        "/api/v1/namespaces/x/pods/p/proxy/shutdown",
        "/api/v1/namespaces/x/pods/p/log",
        "/api/v1/namespaces/default/services/kubernetes/proxy",
        "/api/v1/namespaces/default/services/kubernetes:443/proxy/admin",
        "/api/v1/proxy/nodes/w1",
        "/apis/subresources.kubevirt.io/v1/namespaces/x/virtualmachineinstances/vm/console",
        "/apis/subresources.kubevirt.io/v1/namespaces/x/virtualmachineinstances/vm/vnc",
        SUMMARY,
        # what is nobody's right, or more of it than the right gives
        "/",
        "",
        "/metrics",
        "/logs/kube-apiserver.log",
        "/debug/pprof/profile",
        "/openapi/v2",
        "/apis/metrics.k8s.io/v1beta1/nodes",
        "/apis/example.com/v1/nodes",
        "/api/v2/nodes",
        "/apis/apps/v1beta1/daemonsets",
        "/api/v1/configmaps",
        "/api/v1/namespaces/kube-system/configmaps",
        "/api/v1/namespaces/kube-system/configmaps/kube-proxy?watch=1",
        "/api/v1/namespaces",
        "/api/v1/namespaces/default",
        "/api/v1/namespaces/kube-system/status",
        "/api/v1/namespaces/default/services",
        "/api/v1/nodes/w1/status",
        "/apis/networking.k8s.io/v1/networkpolicies?limit=1&%77atch=true",
        "/apis/coordination.k8s.io/v1/leases",
    ],
)
@pytest.mark.parametrize("server", [SERVER, RANCHER])
def test_what_is_not_in_the_table_does_not_pass(server: str, path: str) -> None:
    assert not passes(path, server)


@pytest.mark.parametrize(
    "path", ["", "2/api/v1/nodes", "2", "%2fapi/v1/nodes", "/../c-2/api/v1/nodes", "/%2e%2e/c-2/api/v1/nodes", "-x/version"]
)
def test_another_cluster_behind_the_same_front_is_another_server(path: str) -> None:
    assert passes("/api/v1/nodes", RANCHER)
    with pytest.raises(WriteRefused):
        Door(RANCHER).check("GET", RANCHER + path)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nodes/w1/proxy",
        "/api/v1/nodes/w1/proxy/run/default/pod/app",
        "/api/v1/nodes/w1/proxy/exec/default/pod/app?command=rm",
        "/api/v1/nodes/w1/proxy/stats/summary/../../exec",
        "/api/v1/nodes/w1/proxy/stats/summary?only_cpu_and_memory=true",
        "/api/v1/nodes/../proxy/stats/summary",
        "/api/v1/namespaces/x/pods/p/proxy/stats/summary",
    ],
)
def test_of_a_kubelet_only_the_summary_is_read_and_only_when_allowed(path: str) -> None:
    assert passes(SUMMARY, nodes_proxy=True)
    assert not passes(path, nodes_proxy=True)


@given(st.text())
def test_no_text_after_a_known_path_makes_it_another(text: str) -> None:
    """Whatever passes is the list of pods of a namespace, or one Node: a name and nothing more."""
    for path in (f"/api/v1/namespaces/{text}/pods", f"/api/v1/nodes/{text}"):
        if passes(path):
            assert text.isascii()
            assert not set(text) & set("/%\\;#")


@pytest.mark.parametrize("name", ["..", ".", "a/b", "..%2fsecrets", "a\nb", "\u202e", "-a", "a" * 254])
def test_a_path_is_not_made_of_what_can_be_no_name(name: str) -> None:
    with pytest.raises(ReadFailed, match="cannot be the name of an object"):
        CONFIG_MAPS.path("kube-flannel", name)
    with pytest.raises(ReadFailed):
        CONFIG_MAPS.path(name, "kube-flannel-cfg")
