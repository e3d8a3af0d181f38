"""The controller manager gave a block free that living Nodes hold parts of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import ClassVar

from tests.lab.faults import Fault, Victims, bare
from tests.lab.faults.hands import Cluster, wait_until
from tests.lab.lab import DEFAULT_FLAGS
from tests.lab.objects import bare_node
from tests.lab.processes import run
from tests.lab.programs.shelf import program
from tests.lab.settings import CONTROL_PLANE

USED = re.compile(r"^node_ipam_controller_cidrset_usage_cidrs\{[^}]*\} ([\d.e+-]+)$", re.MULTILINE)


class AllocatorForgotBlock(Fault):
    """The node mask was made smaller, and all Nodes of before share one block of the new size, which has one mark for all of
    them. One of them is deleted, and the mark with it; it comes back when a kubelet writes its Node's status next."""

    NAME = "allocator-forgot-block"
    BREAKS = "a Node with a /24 was deleted, and with it the wide block was freed in which others hold theirs"
    FINDINGS: ClassVar[tuple[str, ...]] = ("FLN104", "FLN119")
    ALSO: ClassVar[tuple[str, ...]] = ("FLN110",)  # where the wider range is not in flannel's Network yet
    VARIANTS = ("16-of-12", "20-of-16")
    PAIRS = False

    def draw(self, lab: Cluster, random: Random) -> Victims:
        """A Node without a machine that is there from before, and flags for the time after; all that is left has its /24."""
        cluster, mask = {"16-of-12": ("10.240.0.0/12", "16"), "20-of-16": ("10.244.0.0/16", "20")}[self.pick(random)]
        values = {**bare.drawn(random), "cidr": "10.244.15.0/24", "cluster": cluster, "mask": mask}
        return Victims(tuple(sorted(lab.pod_cidrs())), values)

    def inject(self, lab: Cluster, victims: Victims) -> None:
        lab.create(bare_node(victims.values["bare"], victims.values["cidr"]))
        lab.controller_manager(cluster_cidr=victims.values["cluster"], node_cidr_mask_size=victims.values["mask"])
        wait_until(lambda: used(lab) > 0, "the allocator marked the block of those who are there", 60)
        self.free(lab, victims)

    def free(self, lab: Cluster, victims: Victims) -> None:
        """Delete the Node; raises LabFailed unless the mark goes with it."""
        lab.kubectl("delete", "node", victims.values["bare"])
        wait_until(lambda: used(lab) == 0, "the allocator freed the block of all", 30)

    def ranges(self, victims: Victims) -> tuple[str, ...]:
        return ("--cluster-cidr", victims.values["cluster"], "--node-cidr-mask-size", victims.values["mask"])

    def heal(self, lab: Cluster, victims: Victims) -> None:
        """The start of a controller manager marks all that Nodes hold."""
        lab.delete_nodes([victims.values["bare"]])
        lab.controller_manager(**flags(DEFAULT_FLAGS))


def flags(told: Mapping[str, str]) -> dict[str, str]:
    """Flags as the lab's controller manager takes them."""
    return {name.replace("-", "_"): value for name, value in told.items()}


def used(lab: Cluster) -> float:
    """The share of its blocks that the allocator believes to be in use; -1 where it does not say (it is just starting)."""
    keys = [f"--client-certificate={lab.places.pki}/admin.crt", f"--client-key={lab.places.pki}/admin.key"]
    asking = [str(program("kubectl")), "--server=https://127.0.0.1:10257", "--insecure-skip-tls-verify", *keys]
    there = ["ip", "netns", "exec", lab.places.network(CONTROL_PLANE)]
    said = USED.search(run([*there, *asking, "get", "--raw", "/metrics"]).stdout)
    return float(said.group(1)) if said else -1.0
