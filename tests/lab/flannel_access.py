"""What a lab lets one do with flannel and with the probe pods."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any

from tests.lab.places import Places
from tests.lab.processes import LabFailed, wait_until
from tests.lab.settings import Settings

Object = dict[str, Any]
FIRST_WORDS = "CLI flags config"  # in the first line that flannel logs, of whatever version
PROBES = "app in (probe, light-probe)"


class FlannelAccess(ABC):
    """A part of the class Lab."""

    settings: Settings
    places: Places

    @property
    @abstractmethod
    def light(self) -> tuple[str, ...]: ...

    @abstractmethod
    def kubectl(self, *args: str, stdin: str = "", seconds: float = 300.0) -> str: ...

    @abstractmethod
    def get(self, path: str) -> Object: ...

    @abstractmethod
    def inside(self, where: str, *argv: str, stdin: str = "", check: bool = True) -> str: ...

    def flannel_ready(self, seconds: int = 120) -> None:
        """Wait until flannel runs on every Node that its DaemonSet covers."""
        kind = self.settings.kind
        wait = ["rollout", "status", f"daemonset/{kind.daemonset}", f"--timeout={seconds}s"]
        self.kubectl("-n", kind.namespace, *wait, seconds=seconds + 10)

    def flannel_pod(self, node: str) -> str:
        """The name of flannel's pod on a full node; raises LabFailed when there is none."""
        names = [pod["metadata"]["name"] for pod in self._flannel_pods() if pod["spec"].get("nodeName") == node]
        if not names:
            raise LabFailed(f"no pod of flannel is on {node}")
        return str(names[0])

    def flannel_log(self, node: str) -> str:
        """What flannel on a node has logged since it was last started."""
        if node in self.light:
            whole = (self.places.logs / node / "flanneld.log").read_text(errors="replace")
            return whole[max(0, whole.rfind(FIRST_WORDS)) :]
        kind = self.settings.kind
        return self.kubectl("-n", kind.namespace, "logs", self.flannel_pod(node), "-c", kind.container)

    def restart_flannel(self, *nodes: str) -> None:
        """Delete flannel's pods on full nodes (all, when none is named) and wait until new ones are ready."""
        pods = [pod for pod in self._flannel_pods() if not nodes or pod["spec"].get("nodeName") in nodes]
        if not pods:
            raise LabFailed(f"no pod of flannel is on {', '.join(nodes)}")
        old = {pod["metadata"]["uid"] for pod in pods}
        names = [pod["metadata"]["name"] for pod in pods]
        self.kubectl("-n", self.settings.kind.namespace, "delete", "pod", "--grace-period=1", *names)
        wait_until(
            lambda: self._replaced(old, {pod["spec"]["nodeName"] for pod in pods}), "flannel's pods are new and ready", 120
        )

    def _replaced(self, old: set[str], nodes: set[str]) -> bool:
        now = [pod for pod in self._flannel_pods() if pod["metadata"]["uid"] not in old]
        return nodes <= {pod["spec"].get("nodeName") for pod in now if _ready(pod)}

    def _flannel_pods(self) -> list[Object]:
        kind = self.settings.kind
        selector = ",".join(f"{key}={value}" for key, value in kind.labels.items())
        items: list[Object] = self.get(f"/api/v1/namespaces/{kind.namespace}/pods?labelSelector={_quoted(selector)}")["items"]
        return items

    def probes(self) -> list[Object]:
        """The probe pods, one on each node."""
        items: list[Object] = self.get(f"/api/v1/namespaces/default/pods?labelSelector={_quoted(PROBES)}")["items"]
        return items

    def probe_pods(self) -> dict[str, str]:
        """Address of the probe pod on each node that has one; "" while it has none."""
        return {pod["spec"]["nodeName"]: pod["status"].get("podIP", "") for pod in self.probes() if pod["spec"].get("nodeName")}

    def ping(self, from_node: str, address: str, size: int = 56, count: int = 1) -> bool:
        """Whether an address answers a node itself: one lost packet of `count` is an answer missing."""
        said = self.inside(from_node, "ping", "-n", "-c", str(count), "-W", "1", "-s", str(size), address, check=False)
        return f" {count} received" in said

    def reached(self, from_node: str, address: str, seconds: float = 10.0) -> bool:
        """Whether an address answers a node within so many seconds, however often it did not before."""
        end = time.monotonic() + seconds
        while not self.ping(from_node, address):
            if time.monotonic() > end:
                return False
        return True


def _quoted(selector: str) -> str:
    from urllib.parse import quote

    return quote(selector)


def _ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
