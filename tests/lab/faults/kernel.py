"""The base of faults in a node's kernel and files: a shell script that breaks it, one that mends it, a proof between them."""

from __future__ import annotations

import ipaddress
import json
from abc import abstractmethod
from collections.abc import Mapping
from random import Random
from typing import ClassVar

from tests.lab.faults import Fault, Victims, hands
from tests.lab.faults.hands import Cluster

Values = Mapping[str, str]


class Kernel(Fault):
    """Runs a script on one victim. CUTS says whose pings to the other one's pod stop: "out", "in", or "" for none."""

    CUTS: ClassVar[str] = "out"
    SIZE: ClassVar[int] = 56  # bytes of the pings that are cut
    FAMILY: ClassVar[int] = 4  # and whether they are IPv4 or IPv6
    PATIENCE: ClassVar[float] = 60.0  # only what stood still for half a minute is judged, in two readings
    RESTART: ClassVar[bool] = False  # whether flannel has to be started anew to heal

    def draw(self, lab: Cluster, random: Random) -> Victims:
        """One victim, one other, and their addresses; `variant` is one of the fault's, `choice` a number to draw more from."""
        real = hands.nodes(lab)
        victim, other = random.sample(sorted(real), 2)
        values = {"victim": victim, "other": other, "choice": str(random.randrange(10**6))}
        values |= _of("", real[victim]) | _of("other_", real[other]) | {"device": hands.device(lab, victim)}
        values |= {"variant": self.pick(random)} if self.VARIANTS else {}
        values["route"] = hands.shell(lab, victim, f"ip route show {values['other_cidr']}").strip()
        if values["other_cidr6"]:
            values["route6"] = hands.shell(lab, victim, f"ip -6 route show {values['other_cidr6']}").strip()
        return Victims(self.named(values), values)

    def named(self, values: Values) -> tuple[str, ...]:
        """The Nodes that the finding names."""
        return (values["victim"],)

    @abstractmethod
    def breaks(self, values: Values) -> str:
        """The script that breaks it."""

    @abstractmethod
    def mends(self, values: Values) -> str:
        """The script that mends it; nothing in it may fail when there is nothing to mend."""

    def effect(self, values: Values) -> str:
        """A shell condition that holds on the victim while it is broken."""
        return "true"

    def inject(self, lab: Cluster, victims: Victims) -> None:
        values = victims.values
        hands.shell(lab, values["victim"], self.breaks(values))
        hands.demand(hands.holds(lab, values["victim"], self.effect(values)), f"on {values['victim']}: {self.effect(values)}")
        if self.CUTS == "out":
            hands.cut(lab, values["victim"], values["other"], self.SIZE, self.FAMILY)
        elif self.CUTS == "in":
            hands.cut(lab, values["other"], values["victim"], self.SIZE, self.FAMILY)

    def heal(self, lab: Cluster, victims: Victims) -> None:
        hands.shell(lab, victims.values["victim"], f"set +e\n{self.mends(victims.values)}\ntrue")
        if self.RESTART:
            hands.restart_flannel(lab, victims.values["victim"])


def _of(prefix: str, node: hands.Object) -> dict[str, str]:
    """A Node's podCIDR, base address, gateway, VtepMAC ("" where its backend has none), announced address, and the podCIDR of
    the other family, "" where it has but one."""
    block = ipaddress.ip_network(hands.pod_cidr(node))
    said = hands.announced(node)
    data = json.loads(said["backend-data"]) or {}
    found = {
        "cidr": str(block), "base": str(block[0]), "gateway": str(block[1]), "mac": str(data.get("VtepMAC", "")),
        "ip": said["public-ip"], "cidr6": next((cidr for cidr in node["spec"]["podCIDRs"] if ":" in cidr), ""),
    }  # fmt: skip
    return {prefix + key: value for key, value in found.items()}
