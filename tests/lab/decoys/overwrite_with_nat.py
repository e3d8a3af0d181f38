"""A node behind NAT: it announces an address that is on none of its cards, and peers reach it there."""

from __future__ import annotations

from random import Random

from tests.lab.decoys import Decoy
from tests.lab.faults import SETTLED, Victims, hands
from tests.lab.faults.hands import Cluster, demand, wait_until


class OverwriteWithNat(Decoy):
    """public-ip-overwrite says the outer address. The card answers for it by translation, and has it not."""

    NAME = "overwrite-with-nat"
    BREAKS = "a Node's public-ip is an overwrite that is none of its addresses"
    PATIENCE = SETTLED

    def draw(self, lab: Cluster, random: Random) -> Victims:
        victim, other = random.sample(sorted(hands.nodes(lab)), 2)
        outer = f"172.30.7.{random.randrange(1, 255)}"
        inner = hands.announced(hands.nodes(lab)[victim])["public-ip"]
        values = {"victim": victim, "other": other, "outer": outer, "inner": inner, "device": hands.device(lab, victim)}
        return Victims((), values)

    def inject(self, lab: Cluster, victims: Victims) -> None:
        victim, outer = victims.values["victim"], victims.values["outer"]
        hands.shell(lab, victim, "\n".join(f"{verb} {rule}" for verb, rule in _translation("add", "-A", victims)))
        hands.annotate(lab, victim, {"public-ip-overwrite": outer})
        hands.restart_flannel(lab, victim)
        wait_until(lambda: hands.announced(hands.nodes(lab)[victim])["public-ip"] == outer, "the outer address is announced")
        demand(hands.reaches(lab, victims.values["other"], victim), "peers do not reach it by the outer address")

    def heal(self, lab: Cluster, victims: Victims) -> None:
        victim = victims.values["victim"]
        hands.annotate(lab, victim, {"public-ip-overwrite": None})
        hands.restart_flannel(lab, victim)
        wait_until(lambda: "public-ip-overwrite" not in hands.announced(hands.nodes(lab)[victim]), "the overwrite is gone")
        lines = "\n".join(f"{verb} {rule}" for verb, rule in _translation("del", "-D", victims))
        hands.shell(lab, victim, f"set +e\n{lines}\ntrue")


def _translation(verb: str, letter: str, victims: Victims) -> list[tuple[str, str]]:
    """The card answers ARP for the outer address, and what comes for it is given the inner one before routing."""
    outer, inner, device = (victims.values[name] for name in ("outer", "inner", "device"))
    return [
        (f"ip neigh {verb}", f"proxy {outer} dev {device}"),
        (f"iptables -t nat {letter}", f"PREROUTING -d {outer} -j DNAT --to-destination {inner}"),
        (f"ip route {verb}", f"{outer}/32 dev lo"),
    ]
