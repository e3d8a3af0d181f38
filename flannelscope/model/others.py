"""The other objects of the API: settings, signs of life, events, ranges of Services."""

from __future__ import annotations

from collections.abc import Mapping

from flannelscope.model.base import Value


class ConfigMap(Value, frozen=True):
    """A ConfigMap read by name. `written` is the newest time in its managedFields."""

    namespace: str
    name: str
    data: Mapping[str, str]
    created: float | None = None
    written: float | None = None


class Lease(Value, frozen=True):
    """A coordination Lease: of a kubelet, or of the controller manager."""

    namespace: str
    name: str
    holder: str = ""
    renewed: float | None = None
    duration: int | None = None


class Event(Value, frozen=True, kw_only=True):
    """An Event about a Node or a Pod."""

    reason: str
    type: str = "Normal"
    kind: str = ""
    namespace: str = ""
    name: str = ""  # of the object it is about
    uid: str = ""
    message: str = ""
    component: str = ""
    count: int = 1
    first: float | None = None
    last: float | None = None


class ServiceCidr(Value, frozen=True):
    """A ServiceCIDR object (networking.k8s.io): the ranges Services take their addresses from."""

    name: str
    cidrs: tuple[str, ...]
