"""Another CNI configuration sorts before flannel's: new pods get their addresses from it."""

from __future__ import annotations

from tests.lab.faults import EVERY_BACKEND
from tests.lab.faults.kernel import Kernel, Values


class CniConfFirst(Kernel):
    """Left by a network plugin that was tried and taken away, or by a package of the container runtime."""

    NAME = "cni-conf-first"
    BREAKS = "a CNI configuration that is not flannel's comes first on a node"
    FINDINGS = ("FLN416",)
    KINDS = EVERY_BACKEND
    CUTS = ""
    VARIANTS = ("05-other", "00-podman-bridge", "10-aaa")

    def breaks(self, values: Values) -> str:
        return f"""cat > /etc/cni/net.d/{_name(values)} <<'END'
{{"cniVersion": "0.3.1", "name": "other", "plugins": [{{"type": "bridge", "bridge": "other0", "isGateway": true,
  "ipam": {{"type": "host-local", "subnet": "10.88.0.0/16"}}}}]}}
END"""

    def mends(self, values: Values) -> str:
        return f"rm -f /etc/cni/net.d/{_name(values)}"

    def effect(self, values: Values) -> str:
        return f"test $(ls /etc/cni/net.d | head -1) = {_name(values)}"


def _name(values: Values) -> str:
    return f"{values['variant']}.conflist"
