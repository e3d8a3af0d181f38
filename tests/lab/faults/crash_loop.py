"""flannel ends at every start: it is told to take a card that is not there."""

from __future__ import annotations

from tests.lab.faults import hands
from tests.lab.faults.daemonset_change import CONTAINER, DaemonSetChange, restarts


class CrashLoop(DaemonSetChange):
    """An --iface rule for the cards of other machines."""

    NAME = "crash-loop"
    BREAKS = "flannel on a node ends at every start, for no card fits its rule"
    FINDINGS = ("FLN301",)

    def operations(self, container: hands.Object, choice: int) -> list[hands.Object]:
        kept = [arg for arg in container["args"] if not arg.startswith("--iface")]
        rule = ("--iface=enp0s8", "--iface-regex=^ens[0-9]+$", "--iface=192.168.77.5")[choice % 3]
        return [{"op": "replace", "path": f"{CONTAINER}/args", "value": [*kept, rule]}]

    def shows(self, pod: hands.Object) -> bool:
        return restarts(pod) >= 2
