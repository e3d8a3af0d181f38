"""What flanneld announces of its node: the annotations it writes on the Node object.

Keys and formats: flannel v0.10 to v0.28, pkg/subnet/kube/annotations.go and kube.go. A custom --kube-annotation-prefix
makes a second, separate network; a prefix with a slash gets "-" appended (`example.com/fl` gives `example.com/fl-backend-type`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

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

_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}")


class BackendData(Value, frozen=True, kw_only=True):
    """backend-data decoded for its type. `absent` for `null` and "" (host-gw, ipip, udp), `broken` for what is unreadable."""

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


class _Vxlan(msgspec.Struct, rename=str.lower):
    VNI: int | None = None
    VtepMAC: str = ""
    Port: int | None = None
    GBP: bool | None = None


class _Wireguard(msgspec.Struct, rename=str.lower):
    PublicKey: str = ""
    Port: int | None = None


def prefixes(node: Node) -> tuple[str, ...]:
    """The annotation prefixes under which this Node carries a gate annotation, sorted."""
    return _prefixes(tuple(node.annotations))


@lru_cache(maxsize=4096)
def _prefixes(keys: tuple[str, ...]) -> tuple[str, ...]:
    # The Nodes of a cluster carry the same few sets of keys: thousands of Nodes are then one look-up each.
    return tuple(sorted(k.removesuffix(GATE) for k in keys if k.endswith(("/" + GATE, "-" + GATE))))


def gates(node: Node) -> tuple[str, ...]:
    """The annotation prefixes under which this Node is a member."""
    return tuple(prefix for prefix in prefixes(node) if node.annotations[prefix + GATE] == "true")


def normal_prefix(flag: str) -> str:
    """The prefix that flanneld makes of --kube-annotation-prefix: it always ends in "/" or "-"."""
    if "/" not in flag:
        return flag + "/"
    return flag if flag.endswith(("/", "-")) else flag + "-"


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
    """Decode one backend-data annotation as peers of that backend would: keys match whatever their case."""
    if text is None or text.strip() in ("", "null", '""'):
        return BackendData(absent=True)
    if backend not in ("vxlan", "wireguard"):
        return BackendData()  # the other backends never look into it
    try:
        written = msgspec.json.decode(text)
        folded = {key.lower(): value for key, value in written.items()} if isinstance(written, dict) else written
        if backend == "wireguard":
            wireguard = msgspec.convert(folded, _Wireguard)
            return BackendData(public_key=wireguard.PublicKey, port=wireguard.Port)
        vxlan = msgspec.convert(folded, _Vxlan)
        return BackendData(vni=vxlan.VNI, vtep_mac=_mac(vxlan.VtepMAC), port=vxlan.Port, gbp=vxlan.GBP)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return BackendData(broken=str(error))


def _mac(text: str) -> str:
    """Six octets in the forms that Go's net.ParseMAC takes, as aa:bb:cc:dd:ee:ff; "" stays "". Raises ValueError."""
    if not text:
        return ""
    digits = text.lower()
    if not _MAC.fullmatch(digits):
        raise ValueError(f"VtepMAC {text[:40]!r} is no MAC address")
    digits = re.sub(r"[:.-]", "", digits)
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))
