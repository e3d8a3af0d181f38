"""What the kernel of a flannel node should hold, from what its peers announce: one file a family of backends.

Sources: flannel v0.12 to v0.28, pkg/backend/{vxlan,hostgw,ipip,wireguard,udp} and route_network.go. What a node needs for a
peer depends on the peer and on the node's device alone, so that all nodes share one `Wanted` per peer.
"""

from __future__ import annotations

from flannelscope.flannel.expected.choose import NOT_JUDGED, backend_of
from flannelscope.flannel.expected.peers import Peer, peer_of
from flannelscope.flannel.expected.values import Backend, Device, Wanted

__all__ = ["NOT_JUDGED", "Backend", "Device", "Peer", "Wanted", "backend_of", "peer_of"]
