"""What stands in files of a node: flannel's subnet.env, CNI configuration, leases of host-local; and what runs there.

Facts of a Kernel by the name of their probe: subnet_env is a SubnetEnv, cni a Cni, host_local a tuple of IpamLease,
flannel_process a tuple of FlannelProcess, containers a tuple of NodeContainer; sysctls is a mapping of text by path below
/proc/sys (net/ipv4/ip_forward, net/ipv4/conf/flannel.1/rp_filter): device names hold dots, so slashes part the words.
"""

from __future__ import annotations

from collections.abc import Mapping

from flannelscope.model.base import Value


class SubnetEnv(Value, frozen=True, kw_only=True):
    """The file flanneld writes for its CNI plugin. `values` by key (FLANNEL_SUBNET, …); not `present`: there is no such file."""

    path: str
    present: bool = True
    values: Mapping[str, str] = {}
    modified: float | None = None  # seconds since the epoch


class CniFile(Value, frozen=True):
    """A file in the directory of CNI configurations, in the order in which the runtime reads them."""

    name: str
    content: str


class Cni(Value, frozen=True, kw_only=True):
    """CNI's configurations (*.conf, *.conflist, *.json, sorted as runtimes do) and the names of its plugins.

    `bin_dirs` maps each directory of plugins to the executable files in it; one that does not exist is absent.
    """

    conf_dir: str
    files: tuple[CniFile, ...] = ()
    bin_dirs: Mapping[str, tuple[str, ...]] = {}


class IpamLease(Value, frozen=True):
    """An address that host-local gave away: `network` is its directory's name, `container` the sandbox's id."""

    network: str
    address: str
    container: str
    interface: str = ""
    modified: float | None = None  # seconds since the epoch


class FlannelProcess(Value, frozen=True, kw_only=True):
    """A flanneld that runs. `version` is "" where its program does not tell, `pod_uid` "" outside a pod."""

    pid: int
    argv: tuple[str, ...]
    started: float | None = None
    version: str = ""
    cgroup: str = ""
    pod_uid: str = ""
    state: str = ""  # as ps(1) has it: S, T (stopped), D, Z, …


class NodeContainer(Value, frozen=True, kw_only=True):
    """A container or sandbox that runs, found by its cgroup. `netns` is the inode of its network namespace."""

    pod_uid: str
    container: str  # its id
    pids: tuple[int, ...]
    netns: int | None = None
