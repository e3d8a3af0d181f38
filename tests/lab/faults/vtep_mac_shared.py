"""Two Nodes announce one VtepMAC: machines cloned from one image look like that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random

from tests.lab.faults import SETTLED, Victims, bare, hands
from tests.lab.faults.announcing import Announcing
from tests.lab.faults.hands import Cluster, wait_until


class VtepMacShared(Announcing):
    """A Node announces the MAC of another: peers keep one FDB entry for both."""

    NAME = "vtep-mac-shared"
    BREAKS = "two Nodes announce one VtepMAC, and peers keep a single entry for both"
    FINDINGS = ("FLN205",)
    PATIENCE = SETTLED

    def announce(self, random: Random, victim: hands.Object, other: hands.Object) -> Mapping[str, str | None]:
        return {"backend-data": hands.announced(other)["backend-data"]}

    def named(self, victim: str, other: str) -> tuple[str, ...]:
        return (victim, other)

    def inject(self, lab: Cluster, victims: Victims) -> None:
        """The clone's device has the MAC, as it has on a machine made from an image, and flannel announces it at its start."""
        victim, mac = victims.values["victim"], _mac(victims.values["new"])
        hands.shell(lab, victim, f"ip link set flannel.1 address {mac}")
        hands.restart_flannel(lab, victim)
        wait_until(lambda: mac in hands.announced(hands.nodes(lab)[victim])["backend-data"], f"{victim} announces {mac}", 60)

    def heal(self, lab: Cluster, victims: Victims) -> None:
        """The entry of the MAC still leads to the victim on every peer, and stands on the other node itself."""
        victim, other = victims.values["victim"], victims.values["other"]
        hands.shell(lab, victim, f"ip link set flannel.1 address {_mac(victims.values['old'])}")
        super().heal(lab, victims)
        hands.restart_flannel(lab, victim)
        hands.shell(lab, other, f"bridge fdb del {_mac(victims.values['new'])} dev flannel.1 || true")
        bare.touch(lab, other)


def _mac(announced: str) -> str:
    return str(json.loads(json.loads(announced)["backend-data"])["VtepMAC"])
