"""Which backend a node's announcement is of, and which are not judged."""

from __future__ import annotations

from functools import lru_cache

from flannelscope.flannel.expected.routed import HostGw, Ipip
from flannelscope.flannel.expected.values import Backend
from flannelscope.flannel.expected.vxlan import Vxlan
from flannelscope.flannel.expected.whole import Udp, Wireguard
from flannelscope.flannel.netconf import NetConf

NOT_JUDGED = "what its backend ({}) sets in the kernel is not judged"


def backend_of(announced: str, conf: NetConf | None) -> Backend | str:
    """The backend that a node announces, or why it is not judged: udp and alloc announce none, net-conf tells them apart."""
    vni = conf.vni if conf is not None else 1
    port = conf.backend_options.get("port") if conf is not None else None
    known = _made(announced, conf.backend if conf is not None else "", vni, port if isinstance(port, int) else None)
    return known if known is not None else NOT_JUDGED.format(announced or "udp or alloc, it does not say which")


@lru_cache(maxsize=64)
def _made(announced: str, configured: str, vni: int, port: int | None) -> Backend | None:
    if announced == "vxlan":
        return Vxlan(vni, port)
    if announced == "" and configured == "udp":
        return Udp()
    simple: dict[str, type[HostGw | Wireguard]] = {"host-gw": HostGw, "ipip": Ipip, "wireguard": Wireguard}
    return simple[announced]() if announced in simple else None
