"""net-conf.json, read as flanneld reads it (pkg/subnet/config.go): keys match case-insensitively, defaults are the code's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flannelscope.model import Prefix, Value


class NetConf(Value, frozen=True, kw_only=True):
    """A parsed net-conf. `problems` say what would fail or mislead at the next start; `backend` is lower-cased, "udp" when absent."""

    network: Prefix | None = None
    ipv6_network: Prefix | None = None
    network_written: str = ""
    ipv6_network_written: str = ""
    enable_ipv4: bool = True
    enable_ipv6: bool = False
    enable_nftables: bool = False
    backend: str = "udp"
    backend_options: Mapping[str, Any] = {}  # keys lower-cased
    problems: tuple[str, ...] = ()


def parse_net_conf(text: str) -> NetConf:
    """Parse net-conf.json; what is wrong with it stands in `problems`, nothing is raised."""
    return NetConf()
