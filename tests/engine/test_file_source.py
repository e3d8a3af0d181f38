"""What was saved with kubectl is read like a cluster; what is not in the file was not looked at, and a bad file is said so."""

from __future__ import annotations

import io
import json
import re
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flannelscope.collect import collect
from flannelscope.errors import UsageError
from flannelscope.events import GapFound, Grown
from flannelscope.judge import judge
from flannelscope.model import Snapshot, Topic
from flannelscope.session import Settings, open_source
from flannelscope.sources.file import FileSource, contents
from flannelscope.sources.project.common import seconds

HEARTBEAT = "2026-11-20T08:15:30Z"


def node(name: str, *pod_cidrs: str, **metadata: Any) -> dict[str, Any]:
    """A Node as kubectl writes it."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "uid": f"uid-{name}", "creationTimestamp": "2026-05-01T00:00:00Z", **metadata},
        "spec": {"podCIDR": pod_cidrs[0], "podCIDRs": list(pod_cidrs)} if pod_cidrs else {},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "10.20.0.1"}, {"type": "Hostname", "address": name}],
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "lastHeartbeatTime": HEARTBEAT,
                    "lastTransitionTime": "2026-05-01T00:01:00Z",
                }
            ],
        },
    }


def listed(*items: dict[str, Any], kind: str = "List") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "items": list(items), "metadata": {"resourceVersion": ""}}


TWO = (node("w1", "10.244.1.0/24"), node("w2", "10.244.2.0/24"))
WITHOUT_KIND = tuple({key: value for key, value in item.items() if key not in ("kind", "apiVersion")} for item in TWO)
FORMS = {
    "a List": json.dumps(listed(*TWO)),
    "a List, indented as kubectl does": json.dumps(listed(*TWO), indent=4) + "\n",
    "a NodeList of the API, whose items have no kind": json.dumps(listed(*WITHOUT_KIND, kind="NodeList")),
    "a List within a List": json.dumps(listed(listed(*TWO))),
    "a List as YAML": yaml.safe_dump(listed(*TWO)),
    "several YAML documents": "---\n".join(["# saved before the change\n", *(yaml.safe_dump(item) for item in TWO), "\n"]),
    "a byte order mark before JSON": "\ufeff" + json.dumps(listed(*TWO)),
    "a byte order mark before YAML": "\ufeff" + yaml.safe_dump(listed(*TWO)),
}


def saved(directory: Path, text: str | bytes) -> FileSource:
    path = directory / "nodes"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return FileSource(str(path))


def read(source: FileSource) -> Snapshot:
    snapshot = Snapshot()
    for event in collect(source, snapshot, threading.Event()):
        if isinstance(event, Grown):
            snapshot = event.snapshot
        elif isinstance(event, GapFound):
            snapshot = replace(snapshot, gaps=(*snapshot.gaps, event.gap))
    return snapshot


@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_which_kubectl_saves_nodes_is_read(form: str, tmp_path: Path) -> None:
    snapshot = read(saved(tmp_path, FORMS[form]))
    assert [(n.name, n.pod_cidrs, n.internal_ips) for n in snapshot.nodes] == [
        ("w1", ("10.244.1.0/24",), ("10.20.0.1",)),
        ("w2", ("10.244.2.0/24",), ("10.20.0.1",)),
    ]
    assert snapshot.source == "file"
    assert snapshot.readings[Topic.NODES].source == "file"
    assert (snapshot.readings[Topic.NODES].asked, snapshot.readings[Topic.NODES].answered) == (2, 2)


@pytest.mark.parametrize("text", [json.dumps(TWO[0]), yaml.safe_dump(TWO[0])], ids=["json", "yaml"])
def test_a_single_node_is_read(text: str, tmp_path: Path) -> None:
    assert [n.name for n in read(saved(tmp_path, text)).nodes] == ["w1"]


def test_what_powershell_saves_is_read(tmp_path: Path) -> None:
    snapshot = read(saved(tmp_path, json.dumps(listed(*TWO), indent=4).encode("utf-16")))
    assert [n.name for n in snapshot.nodes] == ["w1", "w2"]
    assert snapshot.taken == seconds(HEARTBEAT)


def test_a_dash_is_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(listed(*TWO)).encode())))
    source = open_source(Settings(from_file="-"))
    assert isinstance(source, FileSource)
    assert [n.name for n in read(source).nodes] == ["w1", "w2"]


def test_the_time_of_a_file_is_its_newest_heartbeat_so_that_ages_are_those_of_when_it_was_saved(tmp_path: Path) -> None:
    assert read(saved(tmp_path, json.dumps(listed(*TWO)))).taken == seconds(HEARTBEAT)
    unquoted = re.sub(r"'(\d{4}-[^']*Z)'", r"\1", yaml.safe_dump(listed(*TWO)))  # as people write it
    assert f"lastHeartbeatTime: {HEARTBEAT}\n" in unquoted
    snapshot = read(saved(tmp_path, unquoted))
    assert snapshot.taken == seconds(HEARTBEAT)
    assert snapshot.nodes[0].created == seconds("2026-05-01T00:00:00Z")


def test_podcidrs_are_kept_as_they_are_written(tmp_path: Path) -> None:
    odd = listed(node("w1", "banana"), node("w2", "10.244.2.0/24", "10.244.3.0/24"), node("w3"))
    snapshot = read(saved(tmp_path, json.dumps(odd)))
    assert [n.pod_cidrs for n in snapshot.nodes] == [("banana",), ("10.244.2.0/24", "10.244.3.0/24"), ()]


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump], ids=["json", "yaml"])
def test_a_node_that_is_none_becomes_a_gap_and_costs_nothing_else(write: Any, tmp_path: Path) -> None:
    broken = {"kind": "Node", "metadata": {"name": "w\x1b[2J9"}}
    snapshot = read(saved(tmp_path, write(listed(TWO[0], broken, TWO[1]))))
    assert [n.name for n in snapshot.nodes] == ["w1", "w2"]
    assert [(gap.topic, gap.node) for gap in snapshot.gaps] == [(Topic.NODES, "w\x1b[2J9")]
    assert "spec" in snapshot.gaps[0].reason
    assert "\x1b" not in snapshot.gaps[0].reason
    assert (snapshot.readings[Topic.NODES].asked, snapshot.readings[Topic.NODES].answered) == (3, 2)


def test_what_else_is_in_the_file_is_taken_and_secrets_are_not(tmp_path: Path) -> None:
    flannel = {"name": "kube-flannel", "image": "ghcr.io/flannel-io/flannel:v0.28.10", "command": ["/opt/bin/flanneld"]}
    volume = {"name": "flannel-cfg", "configMap": {"name": "kube-flannel-cfg"}}
    template = {"containers": [flannel], "volumes": [volume], "hostNetwork": True}
    place = {"namespace": "kube-flannel"}
    everything = listed(
        *TWO,
        {
            "kind": "Pod",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"nodeName": "w1"},
            "status": {"podIP": "10.244.1.5"},
        },
        {"kind": "Pod", "metadata": {"name": "kube-flannel-ds-x", **place}, "spec": {"nodeName": "w1", **template}},
        {"kind": "DaemonSet", "metadata": {"name": "kube-flannel-ds", **place}, "spec": {"template": {"spec": template}}},
        {"kind": "ConfigMap", "metadata": {"name": "kube-flannel-cfg", **place}, "data": {"net-conf.json": "{}"}},
        {"kind": "ConfigMap", "metadata": {"name": "app-settings", "namespace": "shop"}, "data": {"key": "value"}},
        {"kind": "Secret", "metadata": {"name": "tls", "namespace": "shop"}, "data": {"tls.key": "c2VjcmV0"}},
    )
    source = saved(tmp_path, json.dumps(everything))
    assert source.topics() == (Topic.NODES, Topic.DAEMONSETS, Topic.FLANNEL_PODS, Topic.CONFIGURATION, Topic.PODS)
    snapshot = read(source)
    assert [p.name for p in snapshot.pods] == ["web", "kube-flannel-ds-x"]
    assert [p.name for p in snapshot.flannel_pods] == ["kube-flannel-ds-x"]
    assert [c.name for c in snapshot.config_maps] == ["kube-flannel-cfg"]
    assert snapshot.daemonsets[0].config_maps == ("kube-flannel-cfg",)


def test_what_is_not_in_the_file_was_not_looked_at(tmp_path: Path) -> None:
    """Pods of one namespace, none of them flannel's: no word about missing flannel pods."""
    web = {"kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"nodeName": "w1"}}
    snapshot = read(saved(tmp_path, json.dumps(listed(*TWO, web))))
    assert set(snapshot.readings) == {Topic.NODES, Topic.PODS}
    assert not snapshot.has(Topic.FLANNEL_PODS)
    twins = listed(node("w1", "10.244.1.0/24"), node("w2", "10.244.1.0/24"))
    judgement = judge(read(saved(tmp_path, json.dumps(twins))))
    assert "FLN101" in {finding.code for finding in judgement.findings}
    assert "FLN112" in {unknown.code for unknown in judgement.unknown}


BAD = {
    "empty": (b" \n\n", "empty", ""),
    "cut off": (json.dumps(listed(*TWO), indent=4)[:-40].encode(), "ends in the middle", "line 76"),
    "not JSON": (b'{"kind": "List",\n "items": [\n  {"kind": Node}\n]}', "not JSON", "line 3"),
    "two JSON documents": (json.dumps(TWO[0]).encode() + b"\n" + json.dumps(TWO[1]).encode(), "not JSON", "line 2"),
    "not YAML": (b"kind: List\nitems:\n- kind: Node\n  metadata: {name: w1\n", "neither JSON nor YAML", "line 5"),
    "a table": (b"NAME   STATUS   ROLES\nw1     Ready    <none>\n", "is no object", ""),
    "binary": (bytes(range(1, 256)) * 4, "neither JSON nor YAML", ""),
    "JSON that is no object": (b"[1, 2]", "a list", ""),
    "an empty list": (b'{"kind": "List", "items": []}', "no Node in this file, but an empty list", ""),
    "other objects": (b'{"kind": "Service", "metadata": {"name": "x"}}', "no Node in this file, but Service", ""),
    "aliases": (b"a: &a [x, x]\nb: &b [*a, *a]\n", "aliases", "line 2"),
    "nested too deeply": (b'{"items":[' * 100_000, "", ""),
    "a key that is a list": (b"? [a, b]\n: c\n", "unhashable key", "line 1"),
    "a key that is nothing": (b"kind: Node\nnull: c\n", "no object of Kubernetes", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_wrong_use_and_says_where_and_what_to_do(case: str, tmp_path: Path) -> None:
    text, what, line = BAD[case]
    with pytest.raises(UsageError) as raised:
        read(saved(tmp_path, text))
    error = raised.value
    assert what in error.what
    assert error.where.startswith(str(tmp_path / "nodes"))
    assert error.where.endswith(line)
    assert "kubectl get nodes -o json" in error.do
    assert error.exit_code == 2


@pytest.mark.parametrize("path", ["nowhere/nodes.json", "."])
def test_a_file_that_cannot_be_read_is_wrong_use(path: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        FileSource(str(tmp_path / path)).topics()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file of which a piece was lost, or overwritten by any bytes."""
    text = FORMS[draw(st.sampled_from(sorted(FORMS)))].encode()
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 40)))
    return text[:start] + draw(st.binary(max_size=12)) + text[end:]


@given(damaged())
def test_a_damaged_file_is_read_as_far_as_it_can_be_or_refused_in_plain_words(text: bytes) -> None:
    try:
        found = contents(text, "nodes.json")
    except UsageError as error:
        assert "\x1b" not in error.what
        return
    assert found.values.get("Node") or found.odd
