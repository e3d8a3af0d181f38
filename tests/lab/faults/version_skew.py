"""One node runs another release of flannel than the rest: an update that stopped half-way."""

from __future__ import annotations

from tests.lab.faults import SETTLED, Victims, hands
from tests.lab.faults.daemonset_change import CONTAINER, DaemonSetChange
from tests.lab.faults.hands import Cluster

RELEASES = ("v0.27.4", "v0.26.7", "v0.25.7")


class VersionSkew(DaemonSetChange):
    """Where no other release was built, the image is the same under another name: the API shows no more than that."""

    NAME = "version-skew"
    BREAKS = "a node runs another flannel release than the rest"
    FINDINGS = ("FLN306",)
    PATIENCE = SETTLED

    def inject(self, lab: Cluster, victims: Victims) -> None:
        image = hands.flannel_template(lab)["spec"]["containers"][0]["image"]
        other = _other(image, int(victims.values["choice"]))
        known = hands.shell(lab, victims.values["victim"], "ctr -n k8s.io images ls -q").split()
        if other not in known:
            hands.shell(lab, victims.values["victim"], f"ctr -n k8s.io images tag {image} {other}")
        super().inject(lab, victims)

    def operations(self, container: hands.Object, choice: int) -> list[hands.Object]:
        return [{"op": "replace", "path": f"{CONTAINER}/image", "value": _other(container["image"], choice)}]

    def shows(self, pod: hands.Object) -> bool:
        return hands.ready(pod)


def _other(image: str, choice: int) -> str:
    return f"{image.rpartition(':')[0]}:{RELEASES[choice % len(RELEASES)]}"
