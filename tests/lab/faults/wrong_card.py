"""flannel takes the public card where all others take the private one."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.faults import SETTLED, hands
from tests.lab.faults.daemonset_change import CONTAINER, DaemonSetChange


class WrongCard(DaemonSetChange):
    """Without a rule flannel takes the card of the default route."""

    NAME = "wrong-card"
    BREAKS = "flannel on a node announces the address of another network than its peers"
    FINDINGS = ("FLN309",)
    VARIANTS = ("named", "default-route")
    PATIENCE = SETTLED

    def operations(self, container: hands.Object, values: Mapping[str, str]) -> list[hands.Object]:
        kept = [arg for arg in container["args"] if not arg.startswith("--iface")]
        rule = {"named": ["--iface=eth0"], "default-route": []}[values["variant"]]
        return [{"op": "replace", "path": f"{CONTAINER}/args", "value": [*kept, *rule]}]

    def shows(self, pod: hands.Object) -> bool:
        return hands.ready(pod)
