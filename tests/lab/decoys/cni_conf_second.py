"""A second CNI configuration that sorts after flannel's: the runtime never reads it."""

from __future__ import annotations

from tests.lab.decoys import Decoy
from tests.lab.faults.kernel import Kernel, Values


class CniConfSecond(Kernel, Decoy):
    """Left by a container engine's package."""

    NAME = "cni-conf-second"
    BREAKS = "an unused CNI configuration after flannel's"
    FINDINGS = ()
    CUTS = ""

    def breaks(self, values: Values) -> str:
        return """cat > /etc/cni/net.d/87-podman-bridge.conflist <<'END'
{"cniVersion": "0.4.0", "name": "podman", "plugins": [{"type": "bridge", "bridge": "cni-podman0", "isGateway": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.0.0/16"}]]}}]}
END"""

    def mends(self, values: Values) -> str:
        return "rm -f /etc/cni/net.d/87-podman-bridge.conflist"
