"""A real Kubernetes and flannel cluster in network namespaces of this machine, and how a test speaks to it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl", "flanneld", "flannel")
TOOLS = (
    *("etcd", "containerd", "ctr", "runc", "sshd", "ssh-keygen", "openssl"),
    *("iptables", "nft", "ip", "bridge", "nsenter", "unshare", "busybox"),
)
DEFAULT_FLAGS = {"cluster-cidr": "10.244.0.0/16", "node-cidr-mask-size": "24"}

Object = dict[str, Any]
Result = subprocess.CompletedProcess[str]


class LabFailed(Exception):
    """The lab itself did not do what a test needs; the message is the output of what was run."""


def script() -> Path:
    """The program that builds and runs the lab: FLANNELSCOPE_LAB, or where it lies beside the repository."""
    return Path(os.environ.get("FLANNELSCOPE_LAB", REPOSITORY.parent / "shared/lab/lab.py"))


def built() -> Path:
    """Where the lab's programs were built: LAB_HOME, or its usual place."""
    return Path(os.environ.get("LAB_HOME", Path.home() / ".cache/lab"))


def running() -> bool:
    """Whether a lab's namespaces are there; their names are fixed, so there can be one lab on a machine."""
    return Path("/run/netns/fs-cp").exists()


def missing() -> str:
    """Why no lab can be had here, or nothing."""
    if os.geteuid() != 0:
        return "the lab needs root"
    if not script().is_file():
        return f"there is no {script()}; FLANNELSCOPE_LAB names the lab's program"
    programs = [name for name in PROGRAMS if not (built() / "bin" / name).is_file()]
    if programs:
        return f"{', '.join(programs)} not in {built() / 'bin'}: run {script()} build"
    tools = [name for name in TOOLS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    if tools:
        return f"not installed: {', '.join(tools)}"
    if not Path("/sys/fs/cgroup/cpuset/cpuset.cpus").exists():
        return "the lab needs cgroup v1 at /sys/fs/cgroup"
    return ""


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Come back as soon as `condition` holds; raises LabFailed with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise LabFailed(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.2)


class Lab:
    """A lab that is up. `home` holds its state: certificates, logs, the nodes' directories."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.admin = home / "pki/admin.conf"
        self._api_server: list[str] = []

    def run(self, verb: str, *args: str, seconds: float = 300.0) -> Result:
        """One verb of the lab's program; raises LabFailed when it fails."""
        environment = {**os.environ, "LAB_HOME": str(self.home), "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        argv = [sys.executable, str(script()), verb, *args]
        return _checked(argv, subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=seconds))

    def bastion(
        self, *argv: str, stdin: str = "", environment: Mapping[str, str] | None = None, seconds: float = 120.0
    ) -> Result:
        """Run a program in the bastion's network namespace, whatever its exit code."""
        whole = {**os.environ, **(environment or {})}
        return subprocess.run(self.in_bastion(*argv), input=stdin, env=whole, capture_output=True, text=True, timeout=seconds)

    def in_bastion(self, *argv: str) -> list[str]:
        """The command line that runs a program in the bastion."""
        return ["ip", "netns", "exec", "fs-bastion", *argv]

    def flannelscope(self, *args: str, kubeconfig: Path | None = None, **kwargs: Any) -> Result:
        """Run the installed program in the bastion, with nothing of this machine's own configuration."""
        home = self.home / "operator"
        home.mkdir(exist_ok=True)
        environment = {"HOME": str(home), "KUBECONFIG": str(kubeconfig or self.admin), "NO_COLOR": "1"}
        return self.bastion(str(Path(sys.executable).with_name("flannelscope")), *args, environment=environment, **kwargs)

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
        path = self.home / "operator.conf"
        path.touch(mode=0o600)
        path.write_text(json.dumps(admin))
        return path

    def kubectl(self, *args: str, stdin: str = "") -> str:
        """kubectl as admin, in the bastion; raises LabFailed when it fails."""
        argv = [str(self.home / "bin/kubectl"), "--kubeconfig", str(self.admin), *args]
        return _checked(argv, self.bastion(*argv, stdin=stdin)).stdout

    def get(self, path: str) -> Object:
        """GET a path of the API server as admin."""
        answer: Object = json.loads(self.kubectl("get", "--raw", path))
        return answer

    def create(self, *objects: Object) -> None:
        """Create objects, in one list."""
        self.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def create_and_await(self, nodes: Sequence[Object]) -> list[str]:
        """Create Nodes one after the other; their podCIDRs, in this order, once the allocator gave them all."""
        names = [node["metadata"]["name"] for node in nodes]
        self.create(*nodes)
        wait_until(lambda: all(self.pod_cidrs().get(name) for name in names), f"podCIDRs for {', '.join(names)}")
        held = self.pod_cidrs()
        return [held[name] for name in names]

    def patch_status(self, kind: str, name: str, status: Object, namespace: str = "default") -> None:
        """Merge into an object's status."""
        patch = json.dumps({"status": status})
        self.kubectl("-n", namespace, "patch", kind, name, "--subresource=status", "--type=merge", "-p", patch)

    def pod_cidrs(self) -> dict[str, str]:
        """The podCIDR of every Node, "" where it has none."""
        return {node["metadata"]["name"]: node["spec"].get("podCIDR", "") for node in self.get("/api/v1/nodes")["items"]}

    def controller_manager(self, **flags: str) -> None:
        """Restart the controller manager with these flags (underscores for hyphens) changed."""
        self.run("kcm", *(f"{name.replace('_', '-')}={value}" for name, value in flags.items()))

    def inside(self, node: str, *argv: str) -> str:
        """Run a program in all of a node's namespaces."""
        return self.run("exec", node, *argv).stdout

    def stop_api_server(self) -> None:
        """End the API server at once: asked politely, it first waits a minute for its watchers to leave."""
        process = int((self.home / "pids/apiserver").read_text())
        self._api_server = Path(f"/proc/{process}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
        os.kill(process, signal.SIGKILL)
        wait_until(lambda: _ended(process), "the API server has ended")

    def start_api_server(self) -> None:
        """Start it again with the arguments that it had, as a process that the lab's `down` ends; wait until it answers."""
        background = 'log=$1; shift; setsid "$@" </dev/null >>"$log" 2>&1 & echo $!'
        program = ["ip", "netns", "exec", "fs-cp", *self._api_server]
        argv = ["sh", "-c", background, "sh", str(self.home / "logs/apiserver.log"), *program]
        started = _checked(argv, subprocess.run(argv, capture_output=True, text=True, timeout=30))
        (self.home / "pids/apiserver").write_text(started.stdout.strip())
        wait_until(self._ready, "the API server is ready again")

    def _ready(self) -> bool:
        argv = [str(self.home / "bin/kubectl"), "--kubeconfig", str(self.admin), "get", "--raw", "/readyz"]
        return self.bastion(*argv).stdout == "ok"

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
        for namespace in ("kube-flannel", "default"):
            mark = f"lab.local/looked={time.time()}"
            self.kubectl("-n", namespace, "annotate", "--overwrite", "daemonset", "--all", mark)

    def flannel_ready(self) -> None:
        """Wait until flannel runs on every Node that it covers."""
        self.kubectl("-n", "kube-flannel", "rollout", "status", "ds/kube-flannel-ds", "--timeout=120s")


def _ended(process: int) -> bool:
    """Whether a process is gone, or only waits to be reaped."""
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def _checked(argv: Sequence[str], result: Result) -> Result:
    if result.returncode:
        raise LabFailed(f"$ {' '.join(argv)}\n{result.stdout}{result.stderr}")
    return result


@contextmanager
def brought_up(nodes: int, home: Path) -> Iterator[Lab]:
    """A lab with as many nodes, all its own: brought up, and taken down whatever happens.

    A lock tells a lab in use from what a killed run left behind: that is taken down first. The lab of somebody else is
    left alone (LabFailed).
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabFailed(f"another test run uses the lab in {home}") from None
        lab = Lab(home)
        if running() and not any((home / "pids").glob("*")):
            raise LabFailed("a lab that is not of these tests is up; end it, or test on it with FLANNELSCOPE_LAB_ATTACH=1")
        try:
            lab.run("down")
            (home / "bin").unlink(missing_ok=True)
            (home / "bin").symlink_to(built() / "bin")
            lab.run("up", str(nodes))
            yield lab
        finally:
            lab.run("down")
