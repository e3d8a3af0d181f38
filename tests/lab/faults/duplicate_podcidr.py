"""Two members hold one podCIDR: the whole cluster sends the packets for both to whichever was announced last."""

from __future__ import annotations

from functools import partial
from random import Random

from tests.lab.faults import EVERY_BACKEND, Fault, Victims, bare, hands
from tests.lab.faults.hands import Cluster


class DuplicatePodCidr(Fault):
    """A Node appears with the podCIDR of another. Healing it is itself an incident: peers drop the survivor's entries."""

    NAME = "duplicate-podcidr"
    BREAKS = "a second Node announces the podCIDR of a living one, and peers follow the later announcement"
    FINDINGS = ("FLN101",)
    KINDS = EVERY_BACKEND

    def draw(self, lab: Cluster, random: Random) -> Victims:
        real = hands.nodes(lab)
        victim, observer = random.sample(sorted(real), 2)
        both = [*real[victim]["spec"]["podCIDRs"], ""]
        values = {**bare.drawn(random), "victim": victim, "observer": observer, "cidr": both[0], "cidr6": both[1]}
        return Victims((victim, values["bare"]), values)

    def inject(self, lab: Cluster, victims: Victims) -> None:
        bare.create(lab, victims.values, victims.values["cidr"])
        hands.cut(lab, victims.values["observer"], victims.values["victim"])

    def heal(self, lab: Cluster, victims: Victims) -> None:
        self.forget(lab, victims)
        bare.touch(lab, victims.values["victim"])

    def forget(self, lab: Cluster, victims: Victims) -> None:
        """Delete the twin, and wait until every peer has dropped what both share."""
        lab.delete_nodes([victims.values["bare"]])
        base = victims.values["cidr"].partition("/")[0]
        gone = f"! ip route show {victims.values['cidr']} | grep -q . && ! ip neigh show {base} | grep -q {victims.values['mac']}"
        for peer in sorted(set(hands.nodes(lab)) - {victims.values["victim"]}):
            hands.wait_until(partial(hands.holds, lab, peer, gone), f"{peer} dropped the entries of the twins", 60)
