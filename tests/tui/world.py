"""A world for the console without an engine: views as the engine would send them, and an engine that says what a test says."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from textual.pilot import Pilot

from flannelscope import wire
from flannelscope.events import RequestDone
from flannelscope.session import Settings
from flannelscope.views import CoverageLine, EvidenceLine, FindingView, NodeRow, Overview, SettingLine, UnknownLine
from tui.app import FlannelScope
from tui.engine import Tell

NOON = 1795317164.0  # 2026-11-22 03:12:44Z
UTF8 = {"LANG": "C.UTF-8", "TERM": "xterm-256color", "COLORTERM": "truecolor"}


class SaidEngine:
    """An engine that says what a test makes it say, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[wire.Request] = []
        self.starts = 0
        self.closed = threading.Event()
        self._tell: Tell | None = None
        self._ended: tuple[str, str] | None = None
        self._over = threading.Event()

    def start(self) -> None:
        """Count it."""
        self.starts += 1
        self._over = threading.Event()

    def ask(self, request: wire.Request) -> None:
        """Remember it."""
        self.asked.append(request)

    def listen(self, tell: Tell) -> tuple[str, str] | None:
        """Until the test lets it end."""
        self._tell = tell
        self._over.wait()
        ended, self._ended = self._ended, None
        return ended

    def die(self, how: str, said: str) -> None:
        """End as a process that was killed."""
        self._ended = (how, said)
        self._over.set()

    def close(self) -> None:
        """End as asked."""
        self.closed.set()
        self._over.set()

    @property
    def heard(self) -> bool:
        """Whether anybody listens yet."""
        return self._tell is not None

    def say(self, *events: wire.Event) -> None:
        """Tell the app."""
        assert self._tell is not None
        self._tell(events)


def node(name: str, cidr: str = "10.244.1.0/24", **fields: Any) -> NodeRow:
    """A node row; healthy unless said otherwise."""
    given: dict[str, Any] = {
        "glyph": ".",
        "ready": "yes",
        "pod_cidrs": (cidr,) if cidr else (),
        "marks": ("",) if cidr else (),
        "sort_cidr": cidr,
        "internal_ips": ("10.20.1.1",),
        "public_ips": ("10.20.1.1",),
        "backend": "vxlan",
        "vni": 1,
        "vtep_mac": "86:60:a4:2c:61:4d",
        "flannel_state": "running",
        "flannel_restarts": 0,
        "flannel_version": "v0.28.10",
        "pods_with_ip": 20,
        "pod_capacity": 110,
        "created": NOON - 210 * 86400,
        "note": "looked at: nothing found",
    }
    return NodeRow(name=name, **{**given, **fields})


def finding(code: str = "FLN101", *nodes: str, severity: int = 3, **fields: Any) -> FindingView:
    """A finding about nodes."""
    given: dict[str, Any] = {
        "slug": "duplicate-podcidr",
        "summary": f"{' and '.join(nodes)} hold the same podCIDR: traffic to one of them goes to the other.",
        "why": "Every other node keeps only one route for both.",
        "evidence": (
            EvidenceLine("podCIDR of w031", "10.244.31.0/24", "Node w031, spec.podCIDRs[0]", "kubectl get node w031 -o yaml"),
        ),
        "remedy": "Give one of them another podCIDR.",
        "commands": ("kubectl drain w231 --ignore-daemonsets", "kubectl delete node w231"),
        "caution": "Deleting one twin removes the route of the other on every peer.",
        "undo": "Create the Node again from its saved manifest.",
    }
    subjects = tuple(("Node", "", name) for name in nodes)
    key = f"{code}:{'+'.join(nodes)}"
    return FindingView(key=key, code=code, severity=severity, subjects=subjects, nodes=nodes, **{**given, **fields})


SOURCES = (
    EvidenceLine("in effect", "10.244.0.0/12", "Pod kube-controller-manager-cp1", "kubectl get pod manager-cp1 -o yaml"),
    EvidenceLine("also said", "10.244.0.0/16", "ConfigMap kubeadm-config networking.podSubnet", "kubectl get cm kubeadm-config"),
)


def overview(**fields: Any) -> Overview:
    """The answer about a small cluster."""
    given: dict[str, Any] = {
        "verdict": "2 nodes share one podCIDR: traffic to a pod of one of them may go to the other.",
        "context": "prod-cn-1",
        "version": "v1.34.4",
        "nodes": 5,
        "taken": NOON,
        "complete": True,
        "unknown": (UnknownLine("FLN112", (), "pods: forbidden"),),
        "coverage": (
            CoverageLine(topic="nodes", asked=5, answered=5, at=NOON),
            CoverageLine(topic="pods", asked=1, answered=0, missing=(("", "pods is forbidden: list"),)),
        ),
        "configuration": (
            SettingLine("cluster-cidr", "10.240.0.0/12 (written 10.244.0.0/12)", SOURCES[0].origin, "yes", SOURCES),
            SettingLine("node-cidr-mask-size", "/24", "Pod kube-controller-manager-cp1", "yes"),
            SettingLine("service-cidr", "unknown", "", "unknown"),
        ),
        "flannel": ("upstream · v0.28.10 · vxlan · kube-flannel/kube-flannel-ds",),
    }
    return Overview(**{**given, **fields})


TWINS = finding("FLN101", "w031", "w231")
NODES = (
    node("w031", "10.244.31.0/24", glyph="x", marks=("=",), codes=("FLN101",), note="FLN101: shares 10.244.31.0/24 with w231"),
    node("w231", "10.244.31.0/24", glyph="x", marks=("=",), codes=("FLN101",), note="FLN101: shares 10.244.31.0/24 with w031"),
    node("w9", "10.244.9.0/24", internal_ips=("10.20.1.9",)),
    node("w10", "10.244.10.0/24", internal_ips=("10.20.1.10",)),
    node("w120", "", glyph="?", ready="unknown", note="its kubelet is silent"),
)
REQUESTS = (
    RequestDone(method="GET", path="/api/v1/nodes?limit=500", status=200, received=45_000, seconds=0.21, at=NOON),
    RequestDone(method="GET", path="/api/v1/pods?limit=500", status=403, received=300, seconds=0.02, at=NOON + 1),
)


def reading(
    *,
    run: int = 1,
    rows: Iterable[NodeRow] = NODES,
    findings: Iterable[FindingView] = (TWINS,),
    answer: Overview | None = None,
) -> tuple[wire.Event, ...]:
    """All that an engine says of one whole reading."""
    findings = tuple(findings)
    return (
        wire.Hello(run=0, process=1),
        wire.Progressed(run=run, topic="nodes", read=5, done=True, requests=2, received=45_300),
        wire.Requested(run=run, requests=REQUESTS),
        wire.Rows(run=run, rows=tuple(rows), first=True, last=True),
        wire.Findings(run=run, findings=findings),
        wire.Judged(run=run, overview=answer or overview(), keys=tuple(f.key for f in findings)),
        wire.Finished(run=run, seconds=0.3),
        wire.WatchStates(run=run, states={"nodes": ("watching", "")}),
    )


def console(engine: SaidEngine | None = None, **fields: Any) -> FlannelScope:
    """The app over an engine of the test, in a terminal with UTF-8 and all colours, at a time that stands still."""
    given: dict[str, Any] = {"engine": engine or SaidEngine(), "environment": UTF8, "now": lambda: NOON + 60}
    return FlannelScope(Settings(context="prod-cn-1"), **{**given, **fields})


async def told(pilot: Pilot[int], engine: SaidEngine, *events: wire.Event) -> None:
    """Have the engine say something and wait until it is drawn."""
    while not engine.heard:  # the app listens in a thread of its own, which may start late on a busy machine
        await pilot.pause()
    engine.say(*events)
    await pilot.pause()


def shown(app: FlannelScope) -> str:
    """The text on the screen, as painted."""
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())
