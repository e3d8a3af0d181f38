"""subnet.env names another subnet: the next pod gets an address that nobody routes to this node."""

from __future__ import annotations

from tests.lab.faults import EVERY_BACKEND
from tests.lab.faults.kernel import Kernel, Values


class SubnetEnvWrong(Kernel):
    """A file restored from a backup, or left by a flannel that is gone."""

    NAME = "subnet-env-wrong"
    BREAKS = "a node's subnet.env does not say its podCIDR"
    FINDINGS = ("FLN410",)
    KINDS = EVERY_BACKEND
    CUTS = ""

    def breaks(self, values: Values) -> str:
        former = f"10.244.{200 + int(values['choice']) % 50}.1/24"
        return f"sed -i 's|^FLANNEL_SUBNET=.*|FLANNEL_SUBNET={former}|' /run/flannel/subnet.env"

    def mends(self, values: Values) -> str:
        return f"sed -i 's|^FLANNEL_SUBNET=.*|FLANNEL_SUBNET={values['gateway']}/24|' /run/flannel/subnet.env"

    def effect(self, values: Values) -> str:
        return f"! grep -qF SUBNET={values['gateway']}/24 /run/flannel/subnet.env"
