"""One node runs another release of flannel than the rest: an update that stopped half-way."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.faults import SETTLED, Victims, hands
from tests.lab.faults.daemonset_change import CONTAINER, DaemonSetChange
from tests.lab.faults.hands import Cluster
from tests.lab.programs.images import flannel_image
from tests.lab.programs.recipes import OLD_FLANNEL

FORWARD = ("-s 10.244.0.0/16 -j ACCEPT", "-d 10.244.0.0/16 -j ACCEPT")


class VersionSkew(DaemonSetChange):
    """The real 0.14.0: it writes its rules straight into FORWARD and POSTROUTING, and its log has other words."""

    NAME = "version-skew"
    BREAKS = "a node runs another flannel release than the rest"
    FINDINGS = ("FLN306",)
    PATIENCE = SETTLED
    NEEDS = ("old-flannel",)

    def operations(self, container: hands.Object, values: Mapping[str, str]) -> list[hands.Object]:
        return [{"op": "replace", "path": f"{CONTAINER}/image", "value": flannel_image(OLD_FLANNEL)}]

    def shows(self, pod: hands.Object) -> bool:
        return hands.ready(pod)

    def heal(self, lab: Cluster, victims: Victims) -> None:
        """The newer release knows nothing of the rules of the older one: they stay behind after a real update, too."""
        super().heal(lab, victims)
        victim = victims.values["victim"]
        own = hands.pod_cidr(hands.nodes(lab)[victim])
        translated = (
            "-s 10.244.0.0/16 -d 10.244.0.0/16 -j RETURN",
            "-s 10.244.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE --random-fully",
            f"! -s 10.244.0.0/16 -d {own} -j RETURN",
            "! -s 10.244.0.0/16 -d 10.244.0.0/16 -j MASQUERADE --random-fully",
        )
        rules = [f"iptables -D FORWARD {rule}" for rule in FORWARD]
        rules += [f"iptables -t nat -D POSTROUTING {rule}" for rule in translated]
        hands.shell(lab, victim, "\n".join(("set +e", *rules, "true")))
