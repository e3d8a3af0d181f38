"""Docker beside flannel: its bridge, its chains, and FORWARD with policy DROP; and a NodePort's rules."""

from __future__ import annotations

from tests.lab.decoys import Decoy
from tests.lab.faults.kernel import Kernel, Values


class DockerRules(Kernel, Decoy):
    """flannel's own ACCEPT stands in the same table, so pods reach each other."""

    NAME = "docker-rules"
    BREAKS = "policy DROP and foreign rules on a node where pods reach each other"
    FINDINGS = ()
    CUTS = ""

    def breaks(self, values: Values) -> str:
        return """ip link add docker0 type bridge
ip addr add 172.17.0.1/16 dev docker0
iptables -P FORWARD DROP
iptables -N DOCKER
iptables -A FORWARD -o docker0 -j DOCKER
iptables -t nat -N NODEPORTS
iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j NODEPORTS
iptables -t nat -A NODEPORTS -p tcp --dport 30080 -j REDIRECT --to-ports 10250"""

    def mends(self, values: Values) -> str:
        return """iptables -P FORWARD ACCEPT
iptables -D FORWARD -o docker0 -j DOCKER
iptables -X DOCKER
iptables -t nat -D PREROUTING -m addrtype --dst-type LOCAL -j NODEPORTS
iptables -t nat -F NODEPORTS
iptables -t nat -X NODEPORTS
ip link del docker0"""
