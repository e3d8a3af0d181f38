"""Releases of flannel and Kubernetes with a fault that is known, as data; what brings each out is judged by FLN312.

Ranges are half-open: the first release with the fault, and the first without it again.
"""

from __future__ import annotations

from collections.abc import Iterable

from flannelscope.flannel.annotations import Announcement
from flannelscope.flannel.versions import Release
from flannelscope.model import Value

_OPEN: Release = (10**6, 0, 0)


class KnownFault(Value, frozen=True, kw_only=True):
    """One fault: `what` happens, brought out by `trigger` (a name that FLN312 knows how to look for), and the `cure`.

    `source` is the issue, pull request or file where it is known from.
    """

    key: str
    since: Release
    until: Release
    what: str
    cure: str
    source: str

    def fits(self, release: Release) -> bool:
        """Whether this release has the fault."""
        return self.since <= release < self.until


DELETION_TIMESTAMP = KnownFault(
    key="deletion-timestamp",
    since=(1, 31, 0),
    until=(1, 31, 4),
    what="the allocator frees the podCIDR of a Node as soon as its deletion is asked for, while a finalizer still keeps the "
    "Node and its pods: the next Node to join gets the same block",
    cure="update the controller manager to 1.31.4 or later",
    source="kubernetes issue 127792, fixed by 128305 and 128806",
)
NON_LOCAL_PUBLIC_IP = KnownFault(
    key="non-local-public-ip",
    since=(0, 27, 4),
    until=_OPEN,
    what="the VXLAN device takes the announced address for its own: with a --public-ip that is on no interface of the node "
    "(NAT), every packet it sends is lost",
    cure="use the annotation public-ip-overwrite instead of --public-ip: it is announced and never used as a source",
    source="flannel pkg/backend/vxlan/vxlan.go since v0.27.4",
)
PUBLIC_IP_READ_BACK = KnownFault(
    key="public-ip-read-back",
    since=(0, 25, 2),
    until=(0, 25, 3),
    what="flannel takes its own announced public-ip for --public-ip at its next start: with an overwrite that is on no "
    "interface it ends with 'No interface with given IP found'",
    cure="update flannel to v0.25.3 or later before its pods restart",
    source="flannel issue 1978",
)
IFACE_REGEX_BY_ADDRESS = KnownFault(
    key="iface-regex-by-address",
    since=(0, 15, 0),
    until=(0, 17, 0),
    what="an --iface-regex that matches an address picks the last interface of the node with the address of the match: the "
    "device index and the MTU are another card's",
    cure="update flannel to v0.17.0 or later, or match the interface's name",
    source="flannel main.go of v0.15.0 to v0.16.3",
)
WIREGUARD_MTU = KnownFault(
    key="wireguard-mtu",
    since=(0, 18, 0),
    until=(0, 19, 1),
    what="the wireguard device has the MTU of the card without room for its own headers: large packets are fragmented or lost",
    cure="update flannel to v0.19.1 or later",
    source="flannel pull requests 1567 and 1620",
)
LARGE_VNI = KnownFault(
    key="large-vni",
    since=(0, 14, 0),
    until=(0, 24, 0),
    what="a VNI above 65535 does not fit into what these releases announce and decode: peers skip each other",
    cure="use a VNI of at most 65535, or update flannel to v0.24.0 or later",
    source="flannel pkg/backend/vxlan/vxlan.go, VNI uint16 until v0.23.0",
)
FLANNEL_FAULTS = (NON_LOCAL_PUBLIC_IP, PUBLIC_IP_READ_BACK, IFACE_REGEX_BY_ADDRESS, WIREGUARD_MTU, LARGE_VNI)


def incompatibility(oldest: Release, newest: Release, families: frozenset[int], said: Iterable[Announcement]) -> str:
    """Why flannels of these releases do not get on in one network, as far as known; "" when they do."""
    if 6 in families and oldest < (0, 15, 0):
        return "releases before v0.15.0 know no IPv6"
    announced = tuple(said)
    vnis = [item.data.vni for item in announced if item.data.vni is not None]
    if vnis and max(vnis) > 65535 and oldest < (0, 24, 0) <= newest:
        return "releases before v0.24.0 cannot decode a VNI above 65535"
    ports = {item.data.port for item in announced if item.backend_type == "wireguard" and item.data.port is not None}
    if oldest < (0, 26, 6) <= newest and ports - {51820}:
        return "releases before v0.26.6 do not read the wireguard port that a peer announces"
    return ""
