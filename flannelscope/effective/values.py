"""What is said of the address configuration, by whom, and how far that can be trusted."""

from __future__ import annotations

from enum import StrEnum

from flannelscope.model import Origin, Prefix, Snapshot, Topic, Value


class Sureness(StrEnum):
    """How far a claim can be trusted: `sure` (running arguments, options), `hint` (may be stale), `estimate` (inferred)."""

    SURE = "sure"
    HINT = "hint"
    ESTIMATE = "estimate"


class Allocator(StrEnum):
    """The podCIDR allocator: on, off, down (seen to be down), or unknown (not visible)."""

    ON = "on"
    OFF = "off"
    DOWN = "down"
    UNKNOWN = "unknown"


class Claim(Value, frozen=True):
    """What one source says of one setting. `value` as written there; `chosen` when it is the one in effect."""

    setting: str  # cluster-cidr, node-cidr-mask-size, service-cidr, allocator
    value: str
    origin: Origin
    sure: Sureness
    chosen: bool = False


class AddressConfiguration(Value, frozen=True, kw_only=True):
    """What is in effect. Lists run by index of --cluster-cidr; empty where nothing is known.

    `known` is "allocator known" of the catalogue: running arguments (or an option, or node-args) say allocate-node-cidrs
    with the RangeAllocator. `cluster_sure` tells whether cluster_cidrs come from such a source or are a hint or estimate.
    """

    cluster_cidrs: tuple[Prefix, ...] = ()
    cluster_cidrs_written: tuple[str, ...] = ()
    cluster_sure: Sureness = Sureness.ESTIMATE
    node_masks: tuple[int, ...] = ()
    service_cidrs: tuple[Prefix, ...] = ()  # ServiceCIDR objects, flags, options: all ranges Services may use
    manager_service_cidrs: tuple[Prefix, ...] = ()  # what the controller manager leaves out of its pool
    service_sure: Sureness = Sureness.ESTIMATE
    allocator: Allocator = Allocator.UNKNOWN
    allocator_reason: str = ""
    known: bool = False
    manager_up: bool | None = None  # True and False only where that is seen
    manager_reason: str = ""
    claims: tuple[Claim, ...] = ()
    contradictions: tuple[str, ...] = ()


def origin(snapshot: Snapshot, path: str, topic: Topic) -> Origin:
    """Where and when something of this topic was read."""
    reading = snapshot.readings.get(topic)
    return Origin(snapshot.source, path, reading.at if reading else None)
