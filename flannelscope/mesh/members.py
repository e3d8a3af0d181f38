"""What is the same for all observers of one network and family: the peers, their blocks, and what each backend wants for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from flannelscope.cidr import BITS, parse_address, show, show_address
from flannelscope.flannel.expected import Backend, Peer, Wanted, backend_of
from flannelscope.flannel.netconf import NetConf
from flannelscope.lookup import Blocks
from flannelscope.model import Prefix

Plan = list[tuple[int, str, str, str, str, str]]  # number, subnet, gateway, base, MAC, address: what the inner loop compares


class Held:
    """What belongs to somebody, so that it is not stale: podCIDRs as text, their first addresses, announced MACs."""

    def __init__(self, prefixes: Iterable[Prefix], macs: Iterable[str]) -> None:
        """Of all Nodes of the cluster, members or not."""
        known = list(prefixes)
        self.subnets = frozenset(map(show, known))
        self.bases = frozenset(show_address(prefix.family, prefix.base) for prefix in known)
        self.macs = frozenset(mac for mac in macs if mac)


class Members:
    """The members of one network in one family, by number. A Peer of None announces nothing that peers take in."""

    def __init__(
        self, prefix: str, family: int, names: Sequence[str], peers: Mapping[str, Peer | str], conf: NetConf | None
    ) -> None:
        """`names` are all members; `peers` says of each what it announces or why that is not usable."""
        self.prefix = prefix
        self.family = family
        self.names = tuple(names)
        self.number = {name: number for number, name in enumerate(self.names)}
        self.unusable = {name: said for name, said in peers.items() if isinstance(said, str)}
        self.peers = tuple(peer if isinstance(peer := peers[name], Peer) else None for name in self.names)
        self.conf = conf
        self.lengths = frozenset(peer.prefix.length for peer in self.peers if peer is not None)
        self.blocks = Blocks([p.prefix if p else None for p in self.peers], [p.subnet if p else "" for p in self.peers])
        self.by_base = _grouped(self.peers, "base")
        self.by_mac = _grouped(self.peers, "mac")
        self._rows: dict[tuple[str, str], tuple[dict[int, Wanted], Plan]] = {}

    @property
    def network(self) -> Prefix | None:
        """The range of all podCIDRs, as far as net-conf is known."""
        return None if self.conf is None else self.conf.network if self.family == 4 else self.conf.ipv6_network

    @property
    def direct(self) -> bool | None:
        """Whether DirectRouting is on by net-conf; None where that is not known."""
        return None if self.conf is None else bool(self.conf.backend_options.get("directrouting"))

    def backend(self, peer: Peer) -> Backend | str:
        """The backend of a member, or why it is not judged."""
        return backend_of(peer.backend, self.conf)

    def row(self, backend: Backend, device: str) -> tuple[dict[int, Wanted], Plan]:
        """What a node with this backend and tunnel wants, made once for all such nodes."""
        key = backend.name, device
        if key not in self._rows:
            announced = "" if backend.name == "udp" else backend.name
            wanted = {
                number: backend.wanted(peer, device)
                for number, peer in enumerate(self.peers)
                if peer is not None and peer.backend == announced
            }
            plan = [
                (number, w.peer.subnet, w.gateway, w.peer.base, w.mac, w.peer.address) for number, w in wanted.items()
            ]  # fmt: skip
            self._rows[key] = wanted, plan
        return self._rows[key]

    def beside(self, own: Peer) -> set[int]:
        """Those whose entries this node cannot have: itself, its twins, and who shares its gateway."""
        return set(self.by_base.get(own.base, ()))

    def address(self, number: int) -> Prefix | None:
        """A peer's announced address as a Prefix of full length."""
        peer = self.peers[number]
        parsed = parse_address(peer.address) if peer is not None and peer.address else None
        return Prefix(parsed[0], parsed[1], BITS[parsed[0]]) if parsed is not None else None


def _grouped(peers: Sequence[Peer | None], field: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, peer in enumerate(peers):
        if peer is not None and (value := getattr(peer, field)):
            found.setdefault(value, []).append(number)
    return found
