"""A pod with a port of its host: portmap's rules appear in the nat table."""

from __future__ import annotations

from random import Random

from tests.lab.decoys import Decoy
from tests.lab.faults import Victims, hands
from tests.lab.faults.hands import Cluster, wait_until
from tests.lab.objects import pod_running


class HostPortPod(Decoy):
    """It runs, and is gone afterwards, with portmap's rules."""

    NAME = "host-port-pod"
    BREAKS = "a pod has a hostPort"

    def draw(self, lab: Cluster, random: Random) -> Victims:
        victim = random.choice(sorted(hands.nodes(lab)))
        values = {"victim": victim, "pod": f"port-{random.randrange(1000):03d}", "port": str(random.randrange(31000, 32000))}
        return Victims((), values)

    def inject(self, lab: Cluster, victims: Victims) -> None:
        name, port = victims.values["pod"], int(victims.values["port"])
        pod = pod_running(name, victims.values["victim"], ["/bin/sleep", "9999"])
        pod["spec"]["containers"][0]["ports"] = [{"containerPort": 8080, "hostPort": port}]
        lab.create(pod)
        wait_until(lambda: hands.ready(lab.get(f"/api/v1/namespaces/default/pods/{name}")), "the pod runs")
        hands.demand(hands.holds(lab, victims.values["victim"], f"iptables -t nat -S | grep -q {port}"), "portmap set no rule")

    def heal(self, lab: Cluster, victims: Victims) -> None:
        """portmap's empty chains stay for good."""
        lab.kubectl("delete", "pod", "--ignore-not-found", "--grace-period=1", victims.values["pod"])
        script = (
            "iptables-save -t nat | grep -o ':CNI-[^ ]*' | tr -d : | while read c; do iptables -t nat -S | grep -- \"-j $c\" |"
        )
        undo = f"{script} sed 's/^-A/iptables -t nat -D/' | sh; done"
        chains = "for c in $(iptables-save -t nat | grep -o '^:CNI-[^ ]*' | tr -d :)"
        flush = f"{chains}; do iptables -t nat -F $c; done; {chains}; do iptables -t nat -X $c; done"
        hands.shell(lab, victims.values["victim"], f"set +e\n{undo}\n{flush}\ntrue")
