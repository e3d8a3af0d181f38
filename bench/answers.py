"""What 300 healthy nodes would say: the answers recorded on a real node (tests/data/probes), with each node's own values in
the six probes that grow with the cluster. And the Nodes that the API would show beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from flannelscope.model import Node
from tests.engine.builders import announced, node

DATA = Path(__file__).resolve().parents[1] / "tests/data/probes"
NONCE = "b" * 32
RECORDED = "10.244.2."  # the podCIDR of the node that was recorded, without its last octet


class Answer(NamedTuple):
    """An answer of the script, as a transport hands it on."""

    node: str
    at: float
    origin: str
    output: bytes
    error: str = ""
    cut: bool = False


class Fleet:
    """`size` nodes of a vxlan network, each with a podCIDR, a VtepMAC and an address of its own."""

    def __init__(self, size: int) -> None:
        self.places = range(size)
        self.recorded = {
            folder.name: next(f for name in ("vxlan.json", "vxlan.out") if (f := folder / name).exists()).read_text()
            for folder in sorted(DATA.iterdir())
            if folder.is_dir()
        }
        self.links: list[dict[str, Any]] = json.loads(self.recorded["links"])

    def base(self, place: int) -> str:
        """The first address of a node's podCIDR."""
        return f"10.{244 + place // 256}.{place % 256}.0"

    def mac(self, place: int) -> str:
        """Its VtepMAC."""
        return f"02:00:00:00:{place // 256:02x}:{place % 256:02x}"

    def address(self, place: int) -> str:
        """Its own address."""
        return f"172.30.{1 + place // 200}.{1 + place % 200}"

    def nodes(self) -> list[Node]:
        """The Nodes as flanneld announces them."""
        return [
            announced(
                replace(node(f"w{place:03}", f"{self.base(place)}/24", ip=self.address(place)), created=1.0), mac=self.mac(place)
            )
            for place in self.places
        ]

    def answers(self, at: float) -> Iterator[Answer]:
        """One of each node."""
        for place in self.places:
            yield Answer(f"w{place:03}", at, f"ssh ops@{self.address(place)}", self._answer(place))

    def _answer(self, place: int) -> bytes:
        own = self.base(place).removesuffix("0")
        told = {name: text.replace(RECORDED, own) for name, text in self.recorded.items()} | self._growing(place)
        parts = [f"\n{NONCE} ^ 0\n"]
        parts += [f"\n{NONCE} + {name} 0\n{text}\n{NONCE} = 0\n" for name, text in told.items()]
        return "".join((*parts, f"\n{NONCE} !\n\n\n{NONCE} .\n")).encode()

    def _growing(self, place: int) -> dict[str, str]:
        peers = [peer for peer in self.places if peer != place]
        direct = [
            {"dst": "default", "gateway": "198.18.0.1", "dev": "eth0", "flags": []},
            {
                "dst": "172.30.0.0/16",
                "dev": "eth1",
                "protocol": "kernel",
                "scope": "link",
                "prefsrc": self.address(place),
                "flags": [],
            },
            {"dst": f"{self.base(place)}/24", "dev": "cni0", "protocol": "kernel", "scope": "link", "flags": []},
        ]
        routes = [
            {"dst": f"{self.base(peer)}/24", "gateway": self.base(peer), "dev": "flannel.1", "flags": ["onlink"]}
            for peer in peers
        ]
        neighbours = [
            {"dst": self.base(peer), "dev": "flannel.1", "lladdr": self.mac(peer), "state": ["PERMANENT"]} for peer in peers
        ]
        fdb = [
            {"mac": self.mac(peer), "ifname": "flannel.1", "dst": self.address(peer), "flags": ["self"], "state": "permanent"}
            for peer in peers
        ]
        return {
            "links": json.dumps(self._links(place), separators=(",", ":")),
            "addresses": json.dumps(self._addresses(place), separators=(",", ":")),
            "routes": f"== ip -j -4 route show table all\n{json.dumps([*direct, *routes], separators=(',', ':'))}\n\n== exit 0\n"
            "== ip -j -6 route show table all\n[]\n\n== exit 0\n",
            "neighbours": json.dumps(neighbours, separators=(",", ":")),
            "fdb": json.dumps(fdb, separators=(",", ":")),
        }

    def _links(self, place: int) -> list[dict[str, Any]]:
        return [self._own(link, place) if link["ifname"] == "flannel.1" else link for link in self.links]

    def _own(self, link: dict[str, Any], place: int) -> dict[str, Any]:
        info = link["linkinfo"]
        data = {**info["info_data"], "local": self.address(place)}
        return {**link, "address": self.mac(place), "linkinfo": {**info, "info_data": data}}

    def _addresses(self, place: int) -> list[dict[str, Any]]:
        def of(index: int, name: str, address: str, length: int) -> dict[str, Any]:
            info = [{"family": "inet", "local": address, "prefixlen": length, "scope": "global"}]
            return {"ifindex": index, "ifname": name, "flags": ["UP", "LOWER_UP"], "mtu": 1500, "addr_info": info}

        gateway = f"{self.base(place).rpartition('.')[0]}.1"
        return [of(3, "eth1", self.address(place), 16), of(4, "flannel.1", self.base(place), 32), of(5, "cni0", gateway, 24)]
