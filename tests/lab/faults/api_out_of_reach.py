"""flannel on one node does not reach the API server any more, and runs on with what it knows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import Random

from tests.lab.faults import SETTLED, Victims, bare, hands
from tests.lab.faults.daemonset_change import CONTAINER, DaemonSetChange
from tests.lab.faults.hands import Cluster, wait_until

SERVICE = "10.96.0.1"
API = "172.30.0.10:6443"
TRANSLATE = f"OUTPUT -p tcp -d {SERVICE} --dport 443 -j DNAT --to-destination {API}"
LOST = [f"{chain} -m conntrack --ctorigdst {SERVICE} -j DROP" for chain in ("INPUT", "OUTPUT")]


class ApiOutOfReach(DaemonSetChange):
    """Pods reach the API by the address of its Service, which the node translates; a kubelet does not. A firewall on the node
    drops what belongs to that address: the kubelet reports that all is well, while flannel hears of no Node any more."""

    NAME = "api-out-of-reach"
    BREAKS = "flannel on a node does not reach the API server, and learns of no Node that joins or leaves"
    FINDINGS = ("FLN310",)
    PATIENCE = SETTLED

    def draw(self, lab: Cluster, random: Random) -> Victims:
        drawn = super().draw(lab, random)
        return Victims(drawn.nodes, {**drawn.values, **bare.drawn(random), "cidr": f"10.244.{random.randrange(100, 200)}.0/24"})

    def operations(self, container: hands.Object, values: Mapping[str, str]) -> list[hands.Object]:
        changed = {"KUBERNETES_SERVICE_HOST": SERVICE, "KUBERNETES_SERVICE_PORT": "443"}
        env = [{**entry, "value": changed[entry["name"]]} if entry["name"] in changed else entry for entry in container["env"]]
        return [{"op": "replace", "path": f"{CONTAINER}/env", "value": env}]

    def shows(self, pod: hands.Object) -> bool:
        return hands.ready(pod)

    def inject(self, lab: Cluster, victims: Victims) -> None:
        victim = victims.values["victim"]
        hands.shell(lab, victim, f"iptables -t nat -A {TRANSLATE}")
        super().inject(lab, victims)
        wait_until(lambda: "Running backend" in lab.flannel_log(victim), f"flannel on {victim} knows its peers", 60)
        hands.shell(lab, victim, "\n".join(f"iptables -A {rule}" for rule in LOST))
        self._show_deaf(lab, victims)
        wait_until(lambda: "reflector.go" in lab.flannel_log(victim), f"flannel on {victim} says so", 180)

    def _show_deaf(self, lab: Cluster, victims: Victims) -> None:
        """A Node joins, all others learn of it, and it leaves again."""
        victim, cidr = victims.values["victim"], victims.values["cidr"]
        knows = f"ip route show {cidr} | grep -q ."
        others = sorted(set(hands.nodes(lab)) - {victim})
        bare.create(lab, victims.values, cidr)
        for other in others:
            wait_until(partial(hands.holds, lab, other, knows), f"{other} learns of a Node", 30)
        hands.demand(not hands.holds(lab, victim, knows), f"{victim} learns of a Node")
        lab.delete_nodes([victims.values["bare"]])
        for other in others:
            wait_until(partial(hands.holds, lab, other, f"! {knows}"), f"{other} forgets the Node", 30)

    def heal(self, lab: Cluster, victims: Victims) -> None:
        """The translation stays until no flannel needs it."""
        victim = victims.values["victim"]
        lab.delete_nodes([victims.values["bare"]])
        hands.shell(lab, victim, "\n".join(f"iptables -D {rule} || true" for rule in LOST))
        super().heal(lab, victims)
        hands.shell(lab, victim, f"iptables -t nat -D {TRANSLATE} || true")
