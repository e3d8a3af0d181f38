"""flannel is killed for its memory: the limit is too small for what a cluster of this size needs."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.faults import hands
from tests.lab.faults.daemonset_change import CONTAINER, DaemonSetChange, restarts


class FlannelOom(DaemonSetChange):
    """With some megabytes the kernel kills flanneld, or a child of it, at every start."""

    NAME = "flannel-oom"
    BREAKS = "the kernel kills flannel on a node, for its limit is too small"
    FINDINGS = ("FLN302",)

    def operations(self, container: hands.Object, values: Mapping[str, str]) -> list[hands.Object]:
        memory = {"memory": f"{7 + int(values['choice']) % 2}Mi"}
        return [{"op": "replace", "path": f"{CONTAINER}/resources", "value": {"requests": memory, "limits": memory}}]

    def shows(self, pod: hands.Object) -> bool:
        ended = [status.get("lastState", {}).get("terminated", {}) for status in pod["status"].get("containerStatuses", [])]
        return restarts(pod) >= 2 and any(state.get("exitCode") in (137, 2, 1) for state in ended)
