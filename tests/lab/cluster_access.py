"""What a lab lets one do through the Kubernetes API, and with the control plane itself."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.lab import control_plane
from tests.lab.api import once
from tests.lab.places import Places
from tests.lab.processes import LabFailed, Result, wait_until
from tests.lab.programs.shelf import program
from tests.lab.settings import Settings

Object = dict[str, Any]


class ClusterAccess(ABC):
    """A part of the class Lab."""

    settings: Settings
    places: Places

    @property
    @abstractmethod
    def admin(self) -> Path: ...

    @abstractmethod
    def bastion(
        self, *argv: str, stdin: str = "", environment: Mapping[str, str] | None = None, seconds: float = 120.0
    ) -> Result: ...

    @abstractmethod
    def flannelscope(
        self, *args: str, kubeconfig: Path | None = None, stdin: str = "", environment: Mapping[str, str] | None = None,
        seconds: float = 120.0,
    ) -> Result: ...  # fmt: skip

    def check(self, *args: str, kubeconfig: Path | None = None) -> Object:
        """The report of `flannelscope check -o json`, and its exit code under "exit"."""
        result = self.flannelscope("check", "-o", "json", *args, kubeconfig=kubeconfig)
        if result.returncode not in (0, 1):
            raise LabFailed(f"exit {result.returncode}: {result.stdout}{result.stderr}")
        report: Object = json.loads(result.stdout)
        return report | {"exit": result.returncode}

    def kubeconfig_with(self, token: str) -> Path:
        """A kubeconfig that is the admin's but for who asks: the holder of this token."""
        admin = json.loads(self.admin.read_text())
        admin["users"] = [{"name": "admin", "user": {"token": token}}]
        path = self.places.home / "operator.conf"
        path.touch(mode=0o600)
        path.write_text(json.dumps(admin))
        return path

    def kubectl(self, *args: str, stdin: str = "", seconds: float = 300.0) -> str:
        """kubectl as admin, in the bastion; raises LabFailed when it fails."""
        argv = [str(program("kubectl")), "--kubeconfig", str(self.admin), *args]
        result = self.bastion(*argv, stdin=stdin, seconds=seconds)
        if result.returncode:
            raise LabFailed(f"$ kubectl {' '.join(args)}\nexit {result.returncode}: {result.stdout}{result.stderr}".rstrip())
        return result.stdout

    def get(self, path: str) -> Object:
        """GET a path of the API server as admin."""
        answer: Object = json.loads(once(self.places, path))
        return answer

    def create(self, *objects: Object) -> None:
        """Create objects, in one list."""
        self.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def apply(self, *objects: Object) -> None:
        """Create objects or change them to what is given, in one list."""
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def patch(self, kind: str, name: str, patch: Object, namespace: str = "", subresource: str = "") -> None:
        """Merge into an object; an entry that is None is taken away."""
        where = ["-n", namespace] if namespace else []
        part = [f"--subresource={subresource}"] if subresource else []
        self.kubectl(*where, "patch", kind, name, *part, "--type=merge", "-p", json.dumps(patch))

    def create_and_await(self, nodes: Sequence[Object]) -> list[str]:
        """Create Nodes one after the other; their podCIDRs, in this order, once the allocator gave them all."""
        names = [node["metadata"]["name"] for node in nodes]
        self.create(*nodes)
        wait_until(lambda: all(self.pod_cidrs().get(name) for name in names), f"podCIDRs for {', '.join(names)}")
        held = self.pod_cidrs()
        return [held[name] for name in names]

    def pod_cidrs(self) -> dict[str, str]:
        """The podCIDR of every Node, the control plane's too; "" where it has none."""
        return {node["metadata"]["name"]: node["spec"].get("podCIDR", "") for node in self.get("/api/v1/nodes")["items"]}

    def delete_nodes(self, names: Sequence[str]) -> None:
        """Delete Nodes and what DaemonSets put there; those that are gone already are no error.

        The DaemonSet controller does not look again when a Node goes: a write to the DaemonSets makes it.
        """
        if not names:
            return
        self.kubectl("delete", "node", "--ignore-not-found", "--wait=true", *names)
        there = [pod["metadata"] for pod in self.get("/api/v1/pods")["items"] if pod["spec"].get("nodeName") in set(names)]
        for namespace in {pod["namespace"] for pod in there}:
            pods = [pod["name"] for pod in there if pod["namespace"] == namespace]
            self.kubectl("-n", namespace, "delete", "pod", "--ignore-not-found", "--force", "--grace-period=0", *pods)
        for namespace in (self.settings.kind.namespace, "default"):
            mark = f"lab.local/looked={time.time()}"
            self.kubectl("-n", namespace, "annotate", "--overwrite", "daemonset", "--all", mark)

    def manager_flags(self) -> dict[str, str]:
        """The controller manager's flags about addresses and the like, as they are now."""
        return control_plane.manager_flags(self.places, self.settings)

    def controller_manager(self, **flags: str | None) -> None:
        """Restart the controller manager with these flags (underscores for hyphens) changed; None takes one away.

        Back when it runs, or has run and failed, and its mirror pod shows what it was given.
        """
        changed = {name.replace("_", "-"): value for name, value in flags.items()}
        starts = control_plane.restart_manager(self.places, self.settings, changed)
        if not self.settings.kind.managed:
            wait_until(lambda: self._shown(control_plane.MANAGER, starts), "the controller manager's mirror pod is the new one")

    def _shown(self, component: str, starts: int) -> bool:
        path = f"/api/v1/namespaces/kube-system/pods?labelSelector=component%3D{component}"
        pods = self.get(path)["items"]
        return [pod["metadata"]["annotations"].get(control_plane.STARTS) for pod in pods] == [str(starts)]

    def manager_log(self) -> str:
        """All that controller managers of this lab have logged."""
        return control_plane.log(self.places, control_plane.MANAGER)

    def stop_api_server(self) -> None:
        """End the API server at once; it stays away until `start_api_server`."""
        control_plane.stop_api_server(self.places)

    def start_api_server(self) -> None:
        """Start it again with the arguments that it had; wait until it answers."""
        control_plane.start_api_server(self.places, self.settings)
