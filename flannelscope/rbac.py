"""The manifest of the rights that reading needs, made from the table that the requests are made from."""

from __future__ import annotations

from flannelscope.errors import UsageError
from flannelscope.sources.rights import OPEN_PATHS, RIGHTS, Right

NAME = "flannelscope-read"
SERVICE_ACCOUNT = ("flannelscope", "kube-system")

_PREAMBLE = f"""\
# What flannelscope needs to read a cluster, and nothing else: no Secrets, no writes, ConfigMaps and Leases by name.
#
# Every binding is for ServiceAccount {SERVICE_ACCOUNT[0]} in {SERVICE_ACCOUNT[1]}. For a person, put this in its place:
#   - {{apiGroup: rbac.authorization.k8s.io, kind: User, name: somebody@example.com}}
# A Role needs its namespace: leave out what stands for a namespace that this cluster does not have (kube-flannel
# exists where flannel 0.19 or newer was installed by its manifest). Where flannel's ConfigMap has another name or
# namespace, add it to the Role of that namespace.
"""


def manifest(purpose: str = "read") -> str:
    """YAML of the ServiceAccount, roles and bindings for `purpose`. Raises UsageError for one that there is not."""
    if purpose != "read":
        raise UsageError(f"there are no rights for {purpose!r}", "rbac", "Choose read.")
    documents = [_service_account(), _cluster_role(), _binding("ClusterRole", "")]
    for namespace in sorted({right.namespace for right in RIGHTS if right.namespace}):
        documents += [_role(namespace), _binding("Role", namespace)]
    return _PREAMBLE + "".join(f"---\n{document}" for document in documents)


def _service_account() -> str:
    return f"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {SERVICE_ACCOUNT[0]}\n  namespace: {SERVICE_ACCOUNT[1]}\n"


def _cluster_role() -> str:
    rules = "".join(_rule(right) for right in RIGHTS if not right.namespace)
    paths = f"  - nonResourceURLs: [{_listed(OPEN_PATHS)}]\n    verbs: [get]\n"
    return f"{_header('ClusterRole', '')}rules:\n{rules}{paths}"


def _role(namespace: str) -> str:
    rules = "".join(_rule(right) for right in RIGHTS if right.namespace == namespace)
    return f"{_header('Role', namespace)}rules:\n{rules}"


def _rule(right: Right) -> str:
    names = f"    resourceNames: [{', '.join(right.names)}]\n" if right.names else ""
    return (
        f"  - apiGroups: [{_listed((right.kind.group,))}]\n"
        f"    resources: [{right.kind.resource}]\n{names}"
        f"    verbs: [{', '.join(right.verbs)}]\n"
    )


def _binding(kind: str, namespace: str) -> str:
    name, home = SERVICE_ACCOUNT
    return (
        f"{_header(kind + 'Binding', namespace)}"
        f"roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: {kind}\n  name: {NAME}\n"
        f"subjects:\n  - kind: ServiceAccount\n    name: {name}\n    namespace: {home}\n"
    )


def _header(kind: str, namespace: str) -> str:
    home = f"  namespace: {namespace}\n" if namespace else ""
    return f"apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {NAME}\n{home}"


def _listed(texts: tuple[str, ...]) -> str:
    return ", ".join(f'"{text}"' for text in texts)
