"""How flannel is recognised before anything is judged: by image, container name, command; and which ConfigMaps tell of it.

Names of the deployments that exist in the world (upstream v0.10 to v0.28, Canal, RKE, RKE2, kubespray, Windows).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from flannelscope.model import Container, DaemonSet, Pod

CONTAINER_NAME = "kube-flannel"
WELL_KNOWN_CONFIG_MAPS = (
    ("kube-flannel", "kube-flannel-cfg"),
    ("kube-system", "kube-flannel-cfg"),
    ("kube-system", "canal-config"),
)
CLUSTER_CONFIG_MAPS = (("kube-system", "kubeadm-config"), ("kube-system", "kube-proxy"))
_ROOT_CA = "kube-root-ca.crt"

# The last part of a repository: flannel, mirrored-flannel-flannel, mirrored-flannelcni-flannel, hardened-flannel,
# coreos-flannel, flannel-arm64. Not flannel-cni or flannel-cni-plugin: these only copy binaries and configuration.
_IMAGE = re.compile(
    r"(?:^|/)(?:mirrored-)?(?:(?:flannel(?:cni|-io)?|coreos)-)?(?:hardened-)?flannel"
    r"(?:-(?:git|amd64|arm64|arm|ppc64le|s390x|riscv64))?(?:[:@]|$)"
)


def looks_like_flannel(image: str, name: str, command: Sequence[str] = ()) -> bool:
    """Whether a container runs flanneld, by its image, its name, or its command (`command` and `args` together)."""
    if name == CONTAINER_NAME or any(_is_flanneld(word) for word in command):
        return True
    return not name.startswith("install") and _IMAGE.search(image) is not None


@lru_cache(maxsize=4096)
def _looks_like_flannel(image: str, name: str, command: tuple[str, ...]) -> bool:
    """The same, remembered: the pods of a DaemonSet are alike."""
    return looks_like_flannel(image, name, command)


def _is_flanneld(word: str) -> bool:
    return any(part.rpartition("/")[2].removesuffix(".exe") == "flanneld" for part in word.replace("\\", "/").split())


def flannel_container(containers: Iterable[Container]) -> Container | None:
    """The container that runs flanneld: the one of flannel's usual name before one that only looks like it."""
    found = [c for c in containers if _looks_like_flannel(c.image, c.name, (*c.command, *c.args))]
    return next((c for c in found if c.name == CONTAINER_NAME), found[0] if found else None)


def config_map_candidates(daemonsets: Iterable[DaemonSet], pods: Iterable[Pod]) -> tuple[tuple[str, str], ...]:
    """(namespace, name) of the ConfigMaps worth reading, each once: those that flannel mounts, then the well-known ones."""
    mounted = [
        (item.namespace, name)
        for item in daemonsets
        if flannel_container(item.containers) is not None
        for name in item.config_maps
    ]
    mounted += [
        (pod.namespace, name)
        for pod in pods
        if pod.detail is not None and flannel_container(pod.detail.containers) is not None
        for name in pod.detail.config_maps
    ]
    wanted = (*sorted(set(mounted)), *WELL_KNOWN_CONFIG_MAPS, *CLUSTER_CONFIG_MAPS)
    return tuple(dict.fromkeys(item for item in wanted if item[1] != _ROOT_CA))
