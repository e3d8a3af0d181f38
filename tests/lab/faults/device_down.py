"""flannel's device is down: with it went its routes and its neighbours."""

from __future__ import annotations

from tests.lab.faults import SETTLED
from tests.lab.faults.kernel import Kernel, Values


class DeviceDown(Kernel):
    """`ip link set flannel.1 down`, as network managers do that do not know the device."""

    NAME = "device-down"
    BREAKS = "a node's flannel.1 is down"
    FINDINGS = ("FLN406",)
    PATIENCE = SETTLED  # a flannel that has just started may still be making its device
    RESTART = True

    def breaks(self, values: Values) -> str:
        return "ip link set flannel.1 down"

    def mends(self, values: Values) -> str:
        return "ip link set flannel.1 up"
