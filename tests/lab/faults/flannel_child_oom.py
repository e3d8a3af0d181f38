"""The kernel kills the iptables that flannel calls, for it is larger than what flannel's limit leaves; flanneld lives on."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.faults import Victims, hands
from tests.lab.faults.daemonset_change import CONTAINER, DaemonSetChange
from tests.lab.faults.hands import Cluster, wait_until

# iptables reads all of a chain that the kernel begins with, about one kilobyte a rule. It is the one killed only when it has more
# pages than flanneld, whose 46 MB are mostly of its file and cost the limit nothing: hence a limit well above that.
LIMIT = 80  # MiB
RULES = 90_000
MARK = "lab exception"
FILL = f"""seq -f '-A POSTROUTING -d 192.0.2.%.0f/32 -m comment --comment "{MARK}" -j RETURN' 1 250 > /run/rules
{{ echo '*nat'; for turn in $(seq {RULES // 250}); do cat /run/rules; done; echo COMMIT; }} | iptables-restore --noflush
rm /run/rules"""
EMPTY = f"iptables-save -t nat | grep -v '{MARK}' | iptables-restore -T nat"


class FlannelChildOom(DaemonSetChange):
    """A limit that is right for flanneld, on a node where somebody wrote a rule for each of many thousand addresses."""

    NAME = "flannel-child-oom"
    BREAKS = "the kernel kills flannel's iptables on a node, so that nobody sets its rules again; flanneld runs on"
    FINDINGS = ("FLN303",)

    def operations(self, container: hands.Object, values: Mapping[str, str]) -> list[hands.Object]:
        memory = {"memory": f"{LIMIT}Mi"}
        return [{"op": "replace", "path": f"{CONTAINER}/resources", "value": {"requests": memory, "limits": memory}}]

    def shows(self, pod: hands.Object) -> bool:
        return hands.ready(pod)

    def inject(self, lab: Cluster, victims: Victims) -> None:
        """Rules come once the limit is there; at most twelve resyncs of flannel, five seconds each, are awaited."""
        super().inject(lab, victims)
        victim = victims.values["victim"]
        hands.shell(lab, victim, FILL)
        wait_until(lambda: _killed(lab, victim) == "iptables", f"the kernel kills flannel's iptables on {victim}", 60)
        restarted = hands.flannel_pods(lab)[victim]["status"]["containerStatuses"][0]["restartCount"]
        hands.demand(restarted == 0, "flanneld was killed as well")

    def heal(self, lab: Cluster, victims: Victims) -> None:
        hands.shell(lab, victims.values["victim"], EMPTY)
        super().heal(lab, victims)


def _killed(lab: Cluster, node: str) -> str:
    """The program of the last kernel line about a kill in flannel's cgroup there; all nodes share one kernel log."""
    uid = hands.flannel_pods(lab)[node]["metadata"]["uid"]
    return hands.shell(lab, node, f"dmesg | grep -F /pod{uid}/ | sed -n 's/.*task=\\([^,]*\\),.*/\\1/p' | tail -1").strip()
