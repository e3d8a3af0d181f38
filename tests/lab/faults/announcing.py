"""The base of faults that change what a Node announces: whoever writes annotations by hand, or from a saved object."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from random import Random

from tests.lab.faults import Fault, Victims, hands
from tests.lab.faults.hands import Cluster


class Announcing(Fault):
    """Writes annotations of one Node, waits for what that does to pings, and writes the former ones back."""

    CUTS = True  # whether peers that run now stop reaching the Node's pods

    def draw(self, lab: Cluster, random: Random) -> Victims:
        """One victim and one other, with what the victim announces now."""
        real = hands.nodes(lab)
        victim, other = random.sample(sorted(real), 2)
        changed = self.announce(random, real[victim], real[other])
        before = hands.announced(real[victim])
        values = {
            "victim": victim, "other": other, "new": json.dumps(dict(changed)),
            "old": json.dumps({key: before.get(key) for key in changed}),
        }  # fmt: skip
        return Victims(self.named(victim, other), values)

    @abstractmethod
    def announce(self, random: Random, victim: hands.Object, other: hands.Object) -> Mapping[str, str | None]:
        """The annotations to write; None takes one away."""

    def named(self, victim: str, other: str) -> tuple[str, ...]:
        """The Nodes that the finding names."""
        return (victim,)

    def inject(self, lab: Cluster, victims: Victims) -> None:
        hands.annotate(lab, victims.values["victim"], json.loads(victims.values["new"]))
        if self.CUTS:
            hands.cut(lab, victims.values["other"], victims.values["victim"])

    def heal(self, lab: Cluster, victims: Victims) -> None:
        hands.annotate(lab, victims.values["victim"], json.loads(victims.values["old"]))
