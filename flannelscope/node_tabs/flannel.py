"""Flannel: the process with its arguments, what it wrote for its CNI plugin, and what the runtime makes of it."""

from __future__ import annotations

from collections.abc import Iterable

from flannelscope.facts import Facts
from flannelscope.model import Cni, FlannelProcess, IpamLease, Kernel, SubnetEnv
from flannelscope.moments import utc
from flannelscope.node_tabs import line, listed, tab
from flannelscope.node_views import Line, TableView


@tab(5, "Flannel")
def flannel(facts: Facts, kernel: Kernel) -> Iterable[TableView]:
    """From the process to the addresses it leads to."""
    yield listed(kernel, "flannel_process", "flanneld", ("pid", "since", "arguments"), _processes, none="none runs")
    yield listed(kernel, "subnet_env", "subnet.env", ("name", "value"), _subnet_env, none="there is no such file")
    yield listed(kernel, "cni", "CNI", ("file or folder", "what stands there"), _cni)
    yield listed(kernel, "host_local", "addresses given away (host-local)", ("address", "network", "container", "since"), _leases)


def _at(seconds: float | None) -> str:
    return utc(seconds, "%Y-%m-%d %H:%M:%SZ") if seconds else ""


def _processes(found: tuple[FlannelProcess, ...]) -> Iterable[Line]:
    for process in found:
        role = "bad" if process.state in ("Z", "T", "D") else ""
        yield line(process.pid, _at(process.started), " ".join(process.argv), role=role)


def _subnet_env(found: SubnetEnv) -> Iterable[Line]:
    if found.present:
        yield line(found.path, f"written {_at(found.modified)}" if found.modified else "", role="muted")
        for name, value in found.values.items():
            yield line(name, value)


def _cni(found: Cni) -> Iterable[Line]:
    for place, file in enumerate(found.files):
        used = "used: the first of them" if place == 0 else "not used"
        yield line(f"{found.conf_dir}/{file.name}", used, role="" if place == 0 else "muted")
    for folder, names in found.bin_dirs.items():
        yield line(folder, " ".join(names))


def _leases(found: tuple[IpamLease, ...]) -> Iterable[Line]:
    for lease in found:
        yield line(lease.address, lease.network, lease.container[:12], _at(lease.modified))
