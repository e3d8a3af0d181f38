"""net-conf.json in the ConfigMap is wrong; running flannels do not notice, every start from now on does."""

from __future__ import annotations

import json
from random import Random

from tests.lab.faults import Fault, Victims, hands
from tests.lab.faults.hands import Cluster

CONFIG_MAP = "kube-flannel-cfg"


class NetConfInvalid(Fault):
    """A misspelt key, a string for a number, no Backend, an unknown type, or no JSON at all."""

    NAME = "net-conf-invalid"
    BREAKS = "the ConfigMap's net-conf.json would fail or mislead at flannel's next start"
    FINDINGS = ("FLN315",)
    VARIANTS = ("misspelt-key", "string-for-number", "no-backend", "unknown-type", "no-json")
    PAIRS = False

    def draw(self, lab: Cluster, random: Random) -> Victims:
        now = lab.get(f"/api/v1/namespaces/{hands.FLANNEL[0]}/configmaps/{CONFIG_MAP}")["data"]["net-conf.json"]
        conf = json.loads(now)
        backend = conf["Backend"]
        choices = {
            "misspelt-key": json.dumps(conf | {"Backend": backend | {"DirectRoute": True}}),
            "string-for-number": json.dumps(conf | {"Backend": backend | {"Port": "8472"}}),
            "no-backend": json.dumps({key: value for key, value in conf.items() if key != "Backend"}),
            "unknown-type": json.dumps(conf | {"Backend": {"Type": "vxlna"}}),
            "no-json": now.rstrip().rstrip("}"),
        }
        return Victims((), {"before": now, "after": choices[self.pick(random)]})

    def inject(self, lab: Cluster, victims: Victims) -> None:
        _write(lab, victims.values["after"])

    def heal(self, lab: Cluster, victims: Victims) -> None:
        _write(lab, victims.values["before"])


def _write(lab: Cluster, text: str) -> None:
    patch = json.dumps({"data": {"net-conf.json": text}})
    lab.kubectl("-n", hands.FLANNEL[0], "patch", "configmap", CONFIG_MAP, "--type=merge", "-p", patch)
