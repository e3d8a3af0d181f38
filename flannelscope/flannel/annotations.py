"""What flanneld announces of its node: the annotations it writes on the Node object.

Keys and formats: flannel v0.10 to v0.28, pkg/subnet/kube/annotations.go and kube.go. A custom --kube-annotation-prefix
makes a second, separate network; a prefix with a slash gets "-" appended (`example.com/fl` gives `example.com/fl-backend-type`).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from flannelscope.cidr import parse_address, show_address
from flannelscope.model import Node, Value

DEFAULT_PREFIX = "flannel.alpha.coreos.com/"
GATE = "kube-subnet-manager"
KEYS = (
    GATE,
    "backend-type",
    "backend-data",
    "backend-v6-data",
    "public-ip",
    "public-ipv6",
    "public-ip-overwrite",
    "public-ipv6-overwrite",
    "node-public-ip",
    "node-public-ipv6",
)


class BackendData(Value, frozen=True, kw_only=True):
    """backend-data decoded for its type. `absent` for `null` and "" (host-gw, ipip, udp), `broken` for anything else unreadable."""

    vni: int | None = None
    vtep_mac: str = ""
    public_key: str = ""
    port: int | None = None
    gbp: bool | None = None
    absent: bool = False
    broken: str = ""


class Announcement(Value, frozen=True, kw_only=True):
    """What one Node announces under one prefix. Addresses are canonical, "" where absent or 0.0.0.0; `raw_*` as written."""

    node: str
    prefix: str
    member: bool  # kube-subnet-manager is "true"
    backend_type: str = ""
    data: BackendData = BackendData(absent=True)
    v6_data: BackendData = BackendData(absent=True)
    public_ip: str = ""
    public_ipv6: str = ""
    raw_public_ip: str | None = None
    raw_public_ipv6: str | None = None
    raw_data: str | None = None
    raw_v6_data: str | None = None
    overwrite: str = ""
    overwrite_v6: str = ""
    node_public_ip: str = ""
    node_public_ipv6: str = ""


class _Vxlan(msgspec.Struct):
    VNI: int | None = None
    VtepMAC: str = ""
    Port: int | None = None
    GBP: bool | None = None


class _Wireguard(msgspec.Struct):
    PublicKey: str = ""
    Port: int | None = None


def prefixes(node: Node) -> tuple[str, ...]:
    """The annotation prefixes under which this Node carries a gate annotation, sorted."""
    return tuple(sorted(k.removesuffix(GATE) for k in node.annotations if k.endswith(GATE)))


def announcements(node: Node) -> tuple[Announcement, ...]:
    """Every announcement of a Node, one per prefix."""
    return tuple(read(node, prefix) for prefix in prefixes(node))


def read(node: Node, prefix: str = DEFAULT_PREFIX) -> Announcement:
    """What `node` announces under `prefix`; all absent where it carries nothing."""
    said = node.annotations
    backend = said.get(prefix + "backend-type", "")
    return Announcement(
        node=node.name,
        prefix=prefix,
        member=said.get(prefix + GATE) == "true",
        backend_type=backend,
        data=backend_data(backend, said.get(prefix + "backend-data")),
        v6_data=backend_data(backend, said.get(prefix + "backend-v6-data")),
        public_ip=_address(said, prefix + "public-ip"),
        public_ipv6=_address(said, prefix + "public-ipv6"),
        raw_public_ip=said.get(prefix + "public-ip"),
        raw_public_ipv6=said.get(prefix + "public-ipv6"),
        raw_data=said.get(prefix + "backend-data"),
        raw_v6_data=said.get(prefix + "backend-v6-data"),
        overwrite=_address(said, prefix + "public-ip-overwrite"),
        overwrite_v6=_address(said, prefix + "public-ipv6-overwrite"),
        node_public_ip=_address(said, prefix + "node-public-ip"),
        node_public_ipv6=_address(said, prefix + "node-public-ipv6"),
    )


def _address(said: Mapping[str, str], key: str) -> str:
    parsed = parse_address(said.get(key, "").strip())
    return show_address(*parsed) if parsed is not None and parsed[1] != 0 else ""


def backend_data(backend: str, text: str | None) -> BackendData:
    """Decode one backend-data annotation as peers of that backend would."""
    if text is None or text.strip() in ("", "null", '""'):
        return BackendData(absent=True)
    try:
        if backend == "wireguard":
            wireguard = msgspec.json.decode(text, type=_Wireguard)
            return BackendData(public_key=wireguard.PublicKey, port=wireguard.Port)
        if backend == "vxlan":
            vxlan = msgspec.json.decode(text, type=_Vxlan)
            return BackendData(vni=vxlan.VNI, vtep_mac=vxlan.VtepMAC.lower(), port=vxlan.Port, gbp=vxlan.GBP)
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return BackendData(broken=str(error))
    return BackendData()
