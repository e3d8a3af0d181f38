"""Whether a range lies where flannel and kube-proxy expect pods: both have ranges of their own, which nobody keeps in step."""

from __future__ import annotations

from collections.abc import Sequence

from flannelscope.blocks import flannel_networks
from flannelscope.cidr import contains, parse, show
from flannelscope.deletion import once
from flannelscope.effective.hints import KubeProxy, kube_proxy
from flannelscope.facts import Facts
from flannelscope.model import Prefix

BY_CIDR = "ClusterCIDR"


@once
def _kube_proxy(facts: Facts) -> KubeProxy | None:
    return kube_proxy(facts.snapshot)


def proxy_ranges(facts: Facts) -> tuple[Prefix, ...]:
    """The ranges by which kube-proxy tells pods from strangers; empty where it goes by something else, or is not known."""
    proxy = _kube_proxy(facts)
    if proxy is None or proxy.local_mode != BY_CIDR:
        return ()
    return tuple(prefix for prefix in map(parse, proxy.cluster_cidrs) if prefix is not None)


def where(facts: Facts, new: Sequence[Prefix]) -> str:
    """Whether new podCIDRs are inside flannel's Network and kube-proxy's clusterCIDR, as a sentence; "" for none."""
    if not new:
        return ""
    said = (_flannel(facts, new), _proxy(facts, new))
    return f"The new {'podCIDR is' if len(new) == 1 else 'podCIDRs are'} {' and '.join(said)}."


def _flannel(facts: Facts, new: Sequence[Prefix]) -> str:
    networks = flannel_networks(facts)
    if not networks:
        return "not compared with flannel's Network (no net-conf.json was read)"
    if outside := _outside(networks, new):
        return f"outside flannel's Network {_shown(networks)} ({_shown(outside)}): flannel ends there, widen it first"
    if not _compared(networks, new):
        return "not compared with flannel's Network (it has none of this family)"
    return f"inside flannel's Network {_shown(networks)}{_but(networks, new)}"


def _proxy(facts: Facts, new: Sequence[Prefix]) -> str:
    proxy = _kube_proxy(facts)
    if proxy is None:
        return "not compared with kube-proxy's clusterCIDR (its ConfigMap was not read)"
    if proxy.local_mode != BY_CIDR:
        return f"none of kube-proxy's business (detectLocalMode {proxy.local_mode})"
    ranges = proxy_ranges(facts)
    if not _compared(ranges, new):
        return f"none of kube-proxy's business (it has no clusterCIDR{' of this family' if ranges else ''})"
    if outside := _outside(ranges, new):
        return f"outside kube-proxy's clusterCIDR {_shown(ranges)} ({_shown(outside)}): widen it too, see FLN118"
    return f"inside kube-proxy's clusterCIDR {_shown(ranges)}{_but(ranges, new)}"


def _compared(ranges: Sequence[Prefix], new: Sequence[Prefix]) -> list[Prefix]:
    """Those of a family that is served; the others are nobody's matter."""
    families = {prefix.family for prefix in ranges}
    return [prefix for prefix in new if prefix.family in families]


def _outside(ranges: Sequence[Prefix], new: Sequence[Prefix]) -> list[Prefix]:
    """Those that no range of their family holds."""
    return [p for p in _compared(ranges, new) if not any(contains(r, p) for r in ranges)]


def _but(ranges: Sequence[Prefix], new: Sequence[Prefix]) -> str:
    """Which were not compared, "" for none."""
    compared = _compared(ranges, new)
    left = [prefix for prefix in new if prefix not in compared]
    return f" (but for {_shown(left)}: it has no range of that family)" if left else ""


def _shown(prefixes: Sequence[Prefix]) -> str:
    return ", ".join(dict.fromkeys(map(show, prefixes)))
