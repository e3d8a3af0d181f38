"""What all objects share: metadata, who wrote which fields, lists."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec
from msgspec import Raw, field

T = TypeVar("T")


class Wire(msgspec.Struct, gc=False):
    """The base: plain data that lives as long as a page."""


class Owner(Wire):
    kind: str = ""
    name: str = ""
    controller: bool | None = None


class WrittenSpec(Wire):
    podCIDR: Raw = field(default=Raw(), name="f:podCIDR")
    podCIDRs: Raw = field(default=Raw(), name="f:podCIDRs")


class WrittenMeta(Wire):
    annotations: Raw = field(default=Raw(), name="f:annotations")


class Fields(Wire):
    """fieldsV1: of all that somebody wrote, where podCIDRs and annotations would stand."""

    spec: WrittenSpec | None = field(default=None, name="f:spec")
    metadata: WrittenMeta | None = field(default=None, name="f:metadata")


class Managed(Wire):
    manager: str | None = None
    operation: str | None = None
    time: str | None = None
    fieldsV1: Fields | None = None


class Meta(Wire):
    name: str
    namespace: str | None = None
    uid: str | None = None
    resourceVersion: str | None = None
    creationTimestamp: str | None = None
    deletionTimestamp: str | None = None


class FullMeta(Meta):
    """With labels and annotations."""

    generation: int | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    finalizers: list[str] | None = None
    managedFields: list[Managed] | None = None


class Condition(Wire):
    type: str = ""
    status: str | None = None
    reason: str | None = None
    message: str | None = None
    lastTransitionTime: str | None = None


class Named(Wire):
    """Any object, only who it is."""

    metadata: Meta


class Items(Wire, Generic[T]):
    """A list of any kind."""

    items: list[T] | None = None


class Version(Wire):
    major: str | None = None
    minor: str | None = None
    gitVersion: str | None = None
