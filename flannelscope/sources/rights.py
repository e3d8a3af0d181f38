"""Everything that is asked of the API server, as one table: paths are made from it, and so is the RBAC manifest.

Preferred versions first. A kind of Kubernetes 1.19 to 1.37 that only some versions have lists all of them.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from flannelscope.errors import ReadFailed
from flannelscope.flannel.names import CLUSTER_CONFIG_MAPS, WELL_KNOWN_CONFIG_MAPS
from flannelscope.model import Value
from flannelscope.text import clean

# Kubernetes, "Object Names and IDs": DNS names, here with capitals and underscores. Nothing in them is ever encoded in a path.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")


class Kind(Value, frozen=True, kw_only=True):
    """A resource of the API: its group ("" for core), its versions, preferred first, and its plural name."""

    resource: str
    group: str = ""
    versions: tuple[str, ...] = ("v1",)

    def path(self, namespace: str = "", name: str = "", version: str = "") -> str:
        """The path of a list, or of one object. Raises ReadFailed for a name that no object of the API can have."""
        for text in (namespace, name):
            if text and not _NAME.fullmatch(text):
                raise ReadFailed(f"{clean(text, 80)!r} cannot be the name of an object, so it is not asked for.", self.resource)
        base = f"/apis/{self.group}" if self.group else "/api"
        parts = [base, version or self.versions[0]]
        parts += ["namespaces", namespace] if namespace else []
        parts += [self.resource, *([name] if name else [])]
        return "/".join(parts)


NODES = Kind(resource="nodes")
PODS = Kind(resource="pods")
EVENTS = Kind(resource="events")
SERVICES = Kind(resource="services")
CONFIG_MAPS = Kind(resource="configmaps")
NAMESPACES = Kind(resource="namespaces")
DAEMON_SETS = Kind(resource="daemonsets", group="apps")
LEASES = Kind(resource="leases", group="coordination.k8s.io")
NETWORK_POLICIES = Kind(resource="networkpolicies", group="networking.k8s.io")
SERVICE_CIDRS = Kind(resource="servicecidrs", group="networking.k8s.io", versions=("v1", "v1beta1", "v1alpha1"))

KUBE_SYSTEM = "kube-system"
NODE_LEASES = "kube-node-lease"
MANAGER_LEASE = "kube-controller-manager"
VERSION_PATH = "/version"


def discovery_path(kind: Kind, version: str) -> str:
    """Where the server tells which kinds a version of a group has (granted to everybody by system:discovery)."""
    return f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"


class Right(Value, frozen=True, kw_only=True):
    """Leave to do `verbs` on a kind: in one `namespace` ("" for the whole cluster), on `names` only (empty for all)."""

    kind: Kind
    verbs: tuple[str, ...]
    namespace: str = ""
    names: tuple[str, ...] = ()


def _config_maps() -> tuple[Right, ...]:
    by_namespace: dict[str, list[str]] = {}
    for namespace, name in (*CLUSTER_CONFIG_MAPS, *WELL_KNOWN_CONFIG_MAPS):
        by_namespace.setdefault(namespace, []).append(name)
    return tuple(
        Right(kind=CONFIG_MAPS, verbs=("get",), namespace=namespace, names=tuple(sorted(set(names))))
        for namespace, names in sorted(by_namespace.items())
    )


RIGHTS: tuple[Right, ...] = (
    Right(kind=NODES, verbs=("get", "list", "watch")),
    Right(kind=PODS, verbs=("list", "watch")),
    Right(kind=EVENTS, verbs=("list", "watch")),
    Right(kind=DAEMON_SETS, verbs=("list", "watch")),
    Right(kind=NETWORK_POLICIES, verbs=("list",)),
    Right(kind=SERVICE_CIDRS, verbs=("list",)),
    Right(kind=NAMESPACES, verbs=("get",), names=(KUBE_SYSTEM,)),
    Right(kind=LEASES, verbs=("list",), namespace=NODE_LEASES),
    Right(kind=LEASES, verbs=("get",), namespace=KUBE_SYSTEM, names=(MANAGER_LEASE,)),
    Right(kind=SERVICES, verbs=("get",), namespace="default", names=("kubernetes",)),
    *_config_maps(),
)
OPEN_PATHS = (VERSION_PATH, "/apis/networking.k8s.io/*")  # every authenticated user has these by system:discovery


class Target(Value, frozen=True, kw_only=True):
    """What a path of the API names. `resource` is "" for a path that is no resource (/version, discovery)."""

    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    name: str = ""
    subresource: str = ""


_RESOURCE_PATH = re.compile(r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>v[0-9a-z]+)/(?P<rest>.+)")


def target(path: str) -> Target:
    """Take a path of the API server (without query) apart."""
    found = _RESOURCE_PATH.fullmatch(path.rstrip("/"))
    if found is None:
        return Target()
    parts = [unquote(part) for part in found["rest"].split("/")]
    if parts[0] == "watch":
        parts = parts[1:]
    namespace = ""
    if len(parts) > 2 and parts[0] == "namespaces" and parts[2] not in ("status", "finalize"):
        namespace, parts = parts[1], parts[2:]
    parts += [""] * (2 - len(parts))
    return Target(
        group=found["group"] or "",
        version=found["version"],
        namespace=namespace,
        resource=parts[0],
        name=parts[1],
        subresource="/".join(parts[2:]),
    )


def verb_of(asked: Target, watching: bool) -> str:
    """The RBAC verb of a GET."""
    if watching:
        return "watch"
    return "get" if asked.name else "list"


def covered(asked: Target, verb: str) -> bool:
    """Whether the table grants `verb` on what a path names."""
    return any(_grants(right, asked, verb) for right in RIGHTS)


def _grants(right: Right, asked: Target, verb: str) -> bool:
    return (
        (right.kind.group, right.kind.resource) == (asked.group, asked.resource)
        and not asked.subresource
        and verb in right.verbs
        and right.namespace in ("", asked.namespace)
        and (not right.names or asked.name in right.names)
    )


_OPEN = frozenset(
    ("/api", "/apis", VERSION_PATH, *(discovery_path(right.kind, version) for right in RIGHTS for version in right.kind.versions))
)


def is_ours(path: str, watching: bool) -> bool:
    """Whether a GET of `path` is one that this table makes, written as Kind.path writes it.

    One way of writing only: %2f, "..", "//" and the like are then no question of who decodes what. ConfigMaps may have any
    name in any namespace, as flannel's pods mount what they like; they are read one by one, never listed.
    """
    if path in _OPEN:
        return True
    asked = target(path)
    kinds = (right.kind for right in RIGHTS)
    kind = next((kind for kind in kinds if (kind.group, kind.resource) == (asked.group, asked.resource)), None)
    if kind is None or asked.subresource or asked.version not in kind.versions:
        return False
    verb = verb_of(asked, watching)
    by_name = kind is CONFIG_MAPS and verb == "get" and bool(asked.namespace)
    try:
        return path == kind.path(asked.namespace, asked.name, asked.version) and (by_name or covered(asked, verb))
    except ReadFailed:
        return False
