"""subnet.env says what is not so: the next pod gets an address that nobody routes to this node, or none at all."""

from __future__ import annotations

from tests.lab.faults import EVERY_BACKEND
from tests.lab.faults.kernel import Kernel, Values

FILE = "/run/flannel/subnet.env"
KEPT = "/run/subnet.env.kept"


class SubnetEnvWrong(Kernel):
    """A file restored from a backup, left by a flannel that is gone, or tidied away."""

    NAME = "subnet-env-wrong"
    BREAKS = "a node's subnet.env does not say its podCIDR, its network or its MTU, or is gone"
    FINDINGS = ("FLN410",)
    KINDS = EVERY_BACKEND
    CUTS = ""
    VARIANTS = ("subnet", "network", "mtu", "missing")

    def breaks(self, values: Values) -> str:
        return f"cp -p {FILE} {KEPT}; {_edit(values)}"

    def mends(self, values: Values) -> str:
        return f"mv {KEPT} {FILE}"

    def effect(self, values: Values) -> str:
        return f"! cmp -s {FILE} {KEPT}"


def _edit(values: Values) -> str:
    number = 200 + int(values["choice"]) % 50
    wrong = {"subnet": f"SUBNET=10.244.{number}.1/24", "network": f"NETWORK=10.{number}.0.0/16", "mtu": "MTU=8951"}
    if values["variant"] == "missing":
        return f"rm {FILE}"
    name = wrong[values["variant"]].partition("=")[0]
    return f"sed -i 's|^FLANNEL_{name}=.*|FLANNEL_{wrong[values['variant']]}|' {FILE}"
