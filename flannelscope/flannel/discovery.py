"""Where and how flannel is installed: by image, labels, ConfigMap, annotations; upstream, Canal, k3s, RKE2, on the host."""

from __future__ import annotations

from flannelscope.flannel.netconf import NetConf
from flannelscope.model import ConfigMap, DaemonSet, Pod, Snapshot, Value


class Installation(Value, frozen=True, kw_only=True):
    """One flannel. `kind` is upstream, canal, k3s, rke2, host or other; `container` names flannel's container in its pods.

    `pods` are flannel's pods of this installation, `prefix` its annotation prefix, `covered` the Nodes it is meant to run on.
    """

    kind: str
    namespace: str = ""
    name: str = ""
    container: str = "kube-flannel"
    daemonset: DaemonSet | None = None
    pods: tuple[Pod, ...] = ()
    config_map: ConfigMap | None = None
    net_conf: NetConf | None = None
    prefix: str = ""
    version: str = ""
    covered: frozenset[str] = frozenset()
    os: str = "linux"


class Discovery(Value, frozen=True, kw_only=True):
    """All installations. `families` is what their net-conf enables (None when none could be read);
    `covered` are the Nodes on which a flannel DaemonSet is meant to run a pod."""

    installations: tuple[Installation, ...] = ()
    families: frozenset[int] | None = None
    covered: frozenset[str] = frozenset()
    etcd_mode: bool = False


def discover(snapshot: Snapshot) -> Discovery:
    """Find every flannel of the cluster."""
    return Discovery()
