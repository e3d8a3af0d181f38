"""The program against an API server that refuses, counts and stalls."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.api_server import Answer, FakeApi, Json, status
from tests.tui.cli import arguments, call, environment

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: fake
contexts: [{{name: fake, context: {{cluster: fake, user: me}}}}]
clusters: [{{name: fake, cluster: {{server: "{url}"}}}}]
users: [{{name: me, user: {{}}}}]
"""
LISTS = {
    "/api/v1/nodes": "NodeList",
    "/api/v1/pods": "PodList",
    "/api/v1/events": "EventList",
    "/apis/apps/v1/daemonsets": "DaemonSetList",
    "/apis/networking.k8s.io/v1/networkpolicies": "NetworkPolicyList",
    "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases": "LeaseList",
    "/apis/networking.k8s.io/v1/servicecidrs": "ServiceCIDRList",
    "/api/v1/namespaces/kube-system/pods": "PodList",
}


class Held(threading.Event):
    """Holds an answer back until it is set; `reached` tells that the server has come to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait, and tell that somebody does."""
        self.reached.set()
        return super().wait(timeout)


def a_node(name: str, cidr: str) -> Json:
    """A Node with a podCIDR."""
    return {"metadata": {"name": name, "uid": name, "resourceVersion": "1"}, "spec": {"podCIDR": cidr, "podCIDRs": [cidr]}}


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """A server with two Nodes that share a podCIDR, and nothing else."""
    with FakeApi() as made:
        for path, kind in LISTS.items():
            made.hold(path, kind, [])
        made.hold("/api/v1/nodes", "NodeList", [a_node("a", "10.244.1.0/24"), a_node("b", "10.244.1.0/24")])
        made.has("/version", {"major": "1", "minor": "34", "gitVersion": "v1.34.4"})
        made.has("/api/v1/namespaces/kube-system", {"metadata": {"name": "kube-system", "uid": "the-cluster"}})
        yield made


def kubeconfig(folder: Path, api: FakeApi) -> str:
    """A kubeconfig for the server."""
    file = folder / "kubeconfig"
    file.write_text(KUBECONFIG.format(url=api.url), "utf-8")
    return str(file)


def forbid(api: FakeApi, path: str, resource: str) -> None:
    """Refuse a list as RBAC does."""
    message = f'{resource} is forbidden: User "me" cannot list resource "{resource}"'
    api.always(path, Answer(403, status(403, "Forbidden", message)))


def test_a_live_cluster_is_judged_and_its_cost_told(tmp_path: Path, api: FakeApi) -> None:
    done = call(
        tmp_path, "check", "--kubeconfig", kubeconfig(tmp_path, api), "--only", "FLN101", "-o", "json", "--fail-on", "info"
    )
    said = json.loads(done.stdout)
    assert done.returncode == 1
    assert "without TLS" in done.stderr
    assert said["cluster"] == {"uid": "the-cluster", "server": api.url, "context": "fake", "version": "v1.34.4", "nodes": 2}
    assert [[s["name"] for s in finding["subjects"]] for finding in said["findings"]] == [["a", "b"]]
    text = call(tmp_path, "nodes", "--kubeconfig", kubeconfig(tmp_path, api))
    assert text.returncode == 0
    assert " requests, " in text.stderr.splitlines()[-1]
    assert {request.method for request in api.requests} <= {"GET", "POST"}


def test_without_the_right_to_list_nodes_nothing_is_judged(tmp_path: Path, api: FakeApi) -> None:
    forbid(api, "/api/v1/nodes", "nodes")
    for command in (("check",), ("nodes",), ("cidr", "free")):
        done = call(tmp_path, *command, "-o", "json", "--kubeconfig", kubeconfig(tmp_path, api))
        assert done.returncode == 3
        said = json.loads(done.stdout)["error"]
        assert "nodes" in said["what"]
        assert "flannelscope rbac read" in said["do"]


def test_a_refused_list_is_said_and_counts_against_coverage(tmp_path: Path, api: FakeApi) -> None:
    forbid(api, "/api/v1/events", "events")
    args = ("check", "--kubeconfig", kubeconfig(tmp_path, api), "--only", "FLN103")
    done = call(tmp_path, *args)
    assert done.returncode == 0
    assert "Not read: events" in done.stdout
    assert call(tmp_path, *args, "--require-coverage", "50").returncode == 4
    coverage = {line["topic"]: line for line in json.loads(call(tmp_path, *args, "-o", "json").stdout)["coverage"]}
    assert coverage["events"]["answered"] == 0
    assert "list" in coverage["events"]["missing"][0]["reason"]


def test_pods_are_read_only_when_wanted(tmp_path: Path, api: FakeApi) -> None:
    call(tmp_path, "nodes", "--pods", "none", "--kubeconfig", kubeconfig(tmp_path, api))
    assert not [request for request in api.asked("/api/v1/pods") if not request.query.get("fieldSelector")]


def test_every_request_is_shown_with_debug_and_logged(tmp_path: Path, api: FakeApi) -> None:
    log = tmp_path / "log"
    done = call(tmp_path, "nodes", "--debug", "--log-file", str(log), "--kubeconfig", kubeconfig(tmp_path, api))
    shown = [line for line in done.stderr.splitlines() if "GET /api/v1/nodes" in line]
    assert len(shown) == len(api.asked("/api/v1/nodes"))
    assert "200" in shown[0]
    assert "GET /api/v1/nodes" in log.read_text("utf-8")


def test_an_interrupt_in_the_middle_of_a_list_ends_at_once(tmp_path: Path, api: FakeApi) -> None:
    held = Held()
    api.next("/api/v1/nodes", Answer(200, {}, wait=held))
    args = arguments("check", "-o", "json", "--timeout", "300", "--kubeconfig", kubeconfig(tmp_path, api))
    with subprocess.Popen(
        args, env=environment(tmp_path), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert held.reached.wait(60)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    held.set()
    assert process.returncode == 130
    assert json.loads(out)["error"]["what"] == "interrupted"
    assert errors.splitlines()[-1] == "flannelscope: interrupted."
    assert "Traceback" not in errors
