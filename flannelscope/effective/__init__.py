"""The effective address configuration: cluster CIDRs, node masks, service CIDRs, the allocator; each with where it was read.

Trust order (reference nodeipam.md section 4): options, the controller manager's running arguments, k3s and RKE2 node-args;
then hints (kubeadm-config, kube-proxy, net-conf); last, inference from the Nodes, said to be inference.
"""

from flannelscope.effective.decide import effective
from flannelscope.effective.values import AddressConfiguration, Allocator, Claim, Sureness

__all__ = ["AddressConfiguration", "Allocator", "Claim", "Sureness", "effective"]
