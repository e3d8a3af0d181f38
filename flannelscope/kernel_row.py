"""What a node says of itself, as far as it stands in the table of nodes."""

from __future__ import annotations

from hashlib import blake2b

from flannelscope.flannel.names import flannel_container
from flannelscope.flannel.versions import UNKNOWN, pod_version
from flannelscope.model import FlannelProcess, Kernel, Snapshot, Topic
from flannelscope.probes import flannel_process, kernel_version, links
from flannelscope.text import clean
from flannelscope.views import KernelCells

TUNNELS = ("flannel.", "flannel-v6.", "flannel-wg", "flannel0")


def kernel_cells(snapshot: Snapshot, name: str) -> KernelCells | None:
    """The cells of a Node; None where nodes were not looked at."""
    if snapshot.sweep is None or Topic.KERNELS not in snapshot.readings:
        return None
    kernel = snapshot.sweep.kernels.get(name)
    if kernel is None:
        reasons = (gap.reason for gap in snapshot.gaps if gap.topic is Topic.KERNELS and gap.node == name)
        return KernelCells(answered=False, note=clean(next(reasons, "the node was not looked at"), 300))
    version = kernel_version.PROBE.of(kernel)
    processes = flannel_process.PROBE.of(kernel) or ()
    return KernelCells(
        answered=True,
        release=clean(version.release) if version else "",
        flannel_mtu=_mtu(kernel),
        flannel_version=clean(",".join(dict.fromkeys(v for v in (_version(snapshot, p) for p in processes) if v))),
        flannel_arguments=",".join(dict.fromkeys(map(_digest, processes))),
    )


def _version(snapshot: Snapshot, process: FlannelProcess) -> str:
    """flannel's release: /proc tells none, so that of the image of the pod that the process is in; "" where that is not known."""
    if process.version or not process.pod_uid:
        return process.version
    pod = next((pod for pod in snapshot.flannel_pods if pod.uid == process.pod_uid), None)
    container = flannel_container(pod.detail.containers) if pod is not None and pod.detail is not None else None
    told = pod_version(pod, container.name) if pod is not None and container is not None else UNKNOWN
    return "" if told == UNKNOWN else told


def _mtu(kernel: Kernel) -> int | None:
    """Of flannel's tunnel, None where there is none."""
    return next((link.mtu for link in links.PROBE.of(kernel) or () if link.name.startswith(TUNNELS)), None)


def _digest(process: FlannelProcess) -> str:
    """Eight digits, the same for the same arguments in any order: nodes that differ are seen at once."""
    return blake2b("\0".join(sorted(process.argv[1:])).encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
