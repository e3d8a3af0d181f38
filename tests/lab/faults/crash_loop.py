"""flannel ends at every start: it is told to take a card that is not there."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.faults import hands
from tests.lab.faults.daemonset_change import CONTAINER, DaemonSetChange, restarts

RULES = {"name": "--iface=enp0s8", "regex": "--iface-regex=^ens[0-9]+$", "address": "--iface=192.168.77.5"}


class CrashLoop(DaemonSetChange):
    """An --iface rule for the cards of other machines."""

    NAME = "crash-loop"
    BREAKS = "flannel on a node ends at every start, for no card fits its rule"
    FINDINGS = ("FLN301",)
    VARIANTS = tuple(RULES)

    def operations(self, container: hands.Object, values: Mapping[str, str]) -> list[hands.Object]:
        kept = [arg for arg in container["args"] if not arg.startswith("--iface")]
        rule = RULES[values["variant"]]
        return [{"op": "replace", "path": f"{CONTAINER}/args", "value": [*kept, rule]}]

    def shows(self, pod: hands.Object) -> bool:
        return restarts(pod) >= 2
