"""What a node's packet filters do with a packet: iptables of both flavours and nftables, walked as the kernel walks them.

A rule matches a packet surely, surely not, or perhaps: what a match of iptables or nft means is not always known here (an
ipset's members, a rate limit), and nothing is claimed of what is only perhaps. netfilter: a verdict of accept ends one base
chain only, that of drop ends all (nftables wiki, "Configuring chains"; iptables(8)).
"""

from __future__ import annotations

from flannelscope.firewall.packet import Packet as Packet
from flannelscope.firewall.rules import BaseChain as BaseChain
from flannelscope.firewall.tables import base_chains as base_chains
from flannelscope.firewall.walk import Drop as Drop
from flannelscope.firewall.walk import Outcome as Outcome
from flannelscope.firewall.walk import walk as walk
