"""Which of the things said is in effect, and what contradicts it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flannelscope.allocator import complete_masks
from flannelscope.cidr import contains, holds, parse, parse_address
from flannelscope.effective import manager, said
from flannelscope.effective.manager import Arguments, Liveness
from flannelscope.effective.said import Said
from flannelscope.effective.values import AddressConfiguration, Allocator, Claim, Sureness
from flannelscope.flannel.discovery import Discovery, discover
from flannelscope.model import Prefix, Snapshot
from flannelscope.text import count


def effective(snapshot: Snapshot, discovery: Discovery | None = None) -> AddressConfiguration:
    """Work out what is in effect from everything that was read. `discovery` saves finding flannel a second time."""
    managers = manager.running(snapshot) or manager.embedded(snapshot)
    deciding, quarrel = _deciding(snapshot, managers)
    clusters = said.of_cluster(snapshot, deciding, managers, discovery or discover(snapshot))
    cluster = next((s for s in clusters if s.prefixes), None)
    masks = said.of_masks(snapshot, deciding, cluster)
    services = said.of_services(snapshot, deciding)
    in_use = _services_in_use(snapshot, services)
    life = manager.liveness(snapshot)
    allocator, reason = _allocator(snapshot, deciding, managers, life)
    declared_or_running = bool(deciding.allocates if deciding else snapshot.declared.cluster_cidrs and not managers)
    claims = (
        *(s.claim(said.CLUSTER, s is cluster) for s in clusters),
        *(s.claim(said.MASK, s is masks[0]) for s in masks),
        *(s.claim(said.SERVICE, s in in_use) for s in services),
        *(_allocates(a, a is deciding) for a in managers),
    )
    return AddressConfiguration(
        cluster_cidrs=cluster.prefixes if cluster else (),
        cluster_cidrs_written=tuple(t for t in cluster.texts if parse(t)) if cluster else (),
        cluster_sure=cluster.sure if cluster else Sureness.ESTIMATE,
        node_masks=_numbers(cluster, masks),
        service_cidrs=_ranges(in_use),
        manager_service_cidrs=_parsed(snapshot.declared.service_cidrs or (deciding.service_cidrs if deciding else ())),
        service_sure=min((s.sure for s in in_use), key=list(Sureness).index, default=Sureness.ESTIMATE),
        allocator=allocator,
        allocator_reason=reason,
        known=declared_or_running and cluster is not None,
        manager_up=life.up,
        manager_reason=life.reason,
        claims=claims,
        contradictions=(
            *quarrel,
            *_of_clusters(clusters, cluster),
            *_of_services(snapshot, services, in_use),
            *_not_cidrs(clusters),
        ),
    )


def _deciding(snapshot: Snapshot, managers: tuple[Arguments, ...]) -> tuple[Arguments | None, tuple[str, ...]]:
    """Whose arguments count: all agree, or the leader's. Where they differ and the leader is not known, nobody's."""
    told = {(a.cluster_cidrs, a.service_cidrs, tuple(sorted(a.masks.items())), a.allocates) for a in managers}
    if len(told) <= 1:
        return (managers[0] if managers else None), ()
    leader = manager.leader(snapshot, managers)
    arguments = "; ".join(f"{a.place}: {_shown(a)}" for a in managers)
    verdict = f"{leader.place} leads, its arguments count" if leader else "which of them leads is not known"
    return leader, (f"The controller managers run with different arguments ({arguments}); {verdict}.",)


def _shown(arguments: Arguments) -> str:
    masks = ",".join(f"/{mask}" for _, mask in sorted(arguments.masks.items())) or "the default mask"
    idle = "" if arguments.allocates else ", not allocating"
    return f"{','.join(arguments.cluster_cidrs) or 'no cluster CIDR'} with {masks}{idle}"


def _allocates(arguments: Arguments, chosen: bool) -> Claim:
    return Claim(said.ALLOCATOR, arguments.why_not or "RangeAllocator", arguments.origin, Sureness.SURE, chosen)


def _allocator(
    snapshot: Snapshot, deciding: Arguments | None, managers: tuple[Arguments, ...], life: Liveness
) -> tuple[Allocator, str]:
    if deciding is not None and not deciding.allocates:
        return Allocator.OFF, f"the controller manager on {deciding.place} hands out no podCIDRs: {deciding.why_not}"
    if deciding is not None and life.up is False:
        return Allocator.DOWN, life.reason
    if deciding is not None:
        return Allocator.ON, f"the arguments of the controller manager on {deciding.place} turn it on"
    if managers:
        return Allocator.UNKNOWN, "the controller managers run with different arguments, and which of them leads is not known"
    if life.up is False:
        return Allocator.DOWN, life.reason
    if snapshot.declared.cluster_cidrs:
        return Allocator.ON, "taken to be on, because a cluster CIDR was given by option"
    return Allocator.UNKNOWN, life.reason


def _numbers(cluster: Said | None, masks: list[Said]) -> tuple[int, ...]:
    given = [int(text) for text in masks[0].texts] if masks else []
    return complete_masks(cluster.prefixes, given) if cluster else tuple(given)


def _services_in_use(snapshot: Snapshot, services: list[Said]) -> list[Said]:
    """An option alone; else all ranges that objects and running programs name; else the hints."""
    if snapshot.declared.service_cidrs:
        return services[:1]
    for sure in (Sureness.SURE, Sureness.HINT):
        found = [s for s in services if s.sure == sure and s.prefixes]
        served = [s for s in found if "controller-manager" not in s.origin.path]
        if found:
            return served or found
    return []


def _ranges(in_use: Iterable[Said]) -> tuple[Prefix, ...]:
    return tuple(dict.fromkeys(prefix for s in in_use for prefix in s.prefixes))


def _parsed(texts: Iterable[str]) -> tuple[Prefix, ...]:
    return tuple(p for p in map(parse, texts) if p is not None)


def _of_clusters(clusters: list[Said], chosen: Said | None) -> Iterator[str]:
    """A Network of flannel's that is larger is no contradiction."""
    for other in clusters if chosen else ():
        if other is chosen or chosen is None or set(other.prefixes) == set(chosen.prefixes):
            continue
        inside = all(any(contains(o, c) for o in other.prefixes) for c in chosen.prefixes)
        if not ("net-conf.json" in other.origin.path and inside):
            yield f"{other.origin.path} says cluster CIDR {other.text}, but {chosen.origin.path} says {chosen.text}."


def _of_services(snapshot: Snapshot, services: list[Said], in_use: list[Said]) -> Iterator[str]:
    ranges = _ranges(in_use)
    named = in_use[0].origin.path if in_use else ""
    for other in services:
        differing = [p for p in other.prefixes if p not in ranges]
        if differing and other not in in_use:
            yield f"{other.origin.path} says service range {other.text}, but {named} says {','.join(s.text for s in in_use)}."
    for text in snapshot.kubernetes_service_ips if ranges else ():
        address = parse_address(text)
        families = {p.family for p in ranges}
        if address is not None and address[0] in families and not any(holds(p, *address) for p in ranges):
            yield f"Service default/kubernetes has the address {text}, which is in no service range that is known."


def _not_cidrs(clusters: list[Said]) -> Iterator[str]:
    for claim in clusters:
        wrong = [text for text in claim.texts if parse(text) is None]
        if wrong:
            yield f"{claim.origin.path} names what is no CIDR ({count(len(wrong), 'entry', 'entries')}: {', '.join(wrong)})."
