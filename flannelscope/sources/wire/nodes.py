"""Nodes."""

from __future__ import annotations

from flannelscope.sources.wire.base import Condition, FullMeta, Wire


class Taint(Wire):
    key: str = ""
    value: str | None = None
    effect: str = ""


class NodeSpec(Wire):
    podCIDR: str | None = None
    podCIDRs: list[str] | None = None
    providerID: str | None = None
    unschedulable: bool | None = None
    taints: list[Taint] | None = None


class Address(Wire):
    type: str = ""
    address: str = ""


class Capacity(Wire):
    pods: str | int | None = None


class NodeInfo(Wire):
    operatingSystem: str | None = None
    architecture: str | None = None
    kubeletVersion: str | None = None
    containerRuntimeVersion: str | None = None
    machineID: str | None = None
    bootID: str | None = None


class NodeStatus(Wire):
    capacity: Capacity | None = None
    allocatable: Capacity | None = None
    conditions: list[Condition] | None = None
    addresses: list[Address] | None = None
    nodeInfo: NodeInfo | None = None


class Node(Wire):
    metadata: FullMeta
    spec: NodeSpec
    status: NodeStatus | None = None
