"""The heartbeats of light nodes, which have no kubelet: one process renews all their Leases, and says that they are ready.

`python -m tests.lab.leases LAB NODE...` runs as long as the lab does. Each Lease is renewed every 20 seconds, one after the other
over these seconds, so that the API server sees the steady trickle that kubelets make. A node whose machine has ended, or for
which the file `asleep` lies in its folder, is left alone: its Lease grows old, as a dead kubelet's does. Where the controller
manager took a node for dead meanwhile (the machine was too busy to renew in time), its conditions are what a kubelet's next
report would make them.
"""

from __future__ import annotations

import http.client
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from tests.lab.api import Api, Object, Refused
from tests.lab.manifests import LIGHT_LABEL
from tests.lab.places import Places
from tests.lab.processes import running

PERIOD = 20.0  # seconds; a kubelet renews every 10, and its Lease lasts 40
SLICES = 20
LASTS = 40
ALONE = 6  # periods without a machine to care for, after which the process ends by itself
PATH = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


def lease(node: Object, now: datetime) -> Object:
    """A Lease as a kubelet writes it; deleting the Node deletes it."""
    name = node["metadata"]["name"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": "kube-node-lease", "ownerReferences": [owner]},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": LASTS, "renewTime": stamp(now)},
    }


def stamp(now: datetime) -> str:
    """A MicroTime."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def awake(places: Places, node: str) -> bool:
    """Whether a light node's machine runs, or is still to be started, and nobody has put its heartbeat to sleep."""
    record = places.pids / node
    return (running(record) is not None or not record.exists()) and not (places.node(node) / "asleep").exists()


def reported(node: Object, now: str) -> list[Object]:
    """The Node's conditions after a kubelet's report: those that are Unknown are as they should be, the others stay."""
    fine = {"reason": "Lab", "message": "", "lastHeartbeatTime": now, "lastTransitionTime": now}
    return [
        condition | fine | {"status": "True" if condition["type"] == "Ready" else "False"}
        if condition["status"] == "Unknown"
        else condition
        for condition in node["status"]["conditions"]
    ]


class Renewer:
    """What is known of each Lease, so that renewing one is one request."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, Object] = {}

    def renew(self, name: str) -> None:
        """Renew a Lease, or make it; nothing where the Node is gone. Raises as `Api.request` does."""
        now = datetime.now(UTC)
        try:
            known = self._known.get(name) or self._api.get(f"{PATH}/{name}")
            known["spec"]["renewTime"] = stamp(now)
            self._known[name] = self._api.put(f"{PATH}/{name}", known)
        except Refused as refused:
            self._known.pop(name, None)
            if refused.status == http.client.NOT_FOUND:
                self._make(name, now)
            elif refused.status != http.client.CONFLICT:  # somebody else wrote: next time it is read again
                raise

    def unknown(self) -> list[Object]:
        """The light Nodes of which the controller manager says that it does not know."""
        nodes = self._api.get(f"/api/v1/nodes?labelSelector={LIGHT_LABEL}").get("items") or []
        return [node for node in nodes if any(c["status"] == "Unknown" for c in node["status"].get("conditions", ()))]

    def report(self, node: Object) -> None:
        """Say of a Node what its kubelet would: ready, and short of nothing."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._api.patch(f"/api/v1/nodes/{node['metadata']['name']}/status", {"status": {"conditions": reported(node, now)}})

    def _make(self, name: str, now: datetime) -> None:
        try:
            node = self._api.get(f"/api/v1/nodes/{name}")
        except Refused as refused:
            if refused.status == http.client.NOT_FOUND:
                return
            raise
        self._known[name] = self._api.post(PATH, lease(node, now))


def keep(places: Places, renewer: Renewer, names: Sequence[str]) -> None:
    """Renew until there has been no lab, or no machine to care for, for some periods. The first time, all at once."""
    renew(renewer, [name for name in names if awake(places, name)])
    lonely = 0
    while lonely < ALONE:
        begin = time.monotonic()
        lonely += 1
        for part in range(SLICES):
            there = [name for name in names[part::SLICES] if places.pids.exists() and awake(places, name)]
            lonely = 0 if there else lonely
            renew(renewer, there)
            if part == 0:
                report(renewer, places)
            time.sleep(max(0.0, begin + (part + 1) * PERIOD / SLICES - time.monotonic()))


def renew(renewer: Renewer, names: Sequence[str]) -> None:
    """Renew these; where the API server is away, the rest waits for its next turn."""
    try:
        for name in names:
            renewer.renew(name)
    except (OSError, http.client.HTTPException, Refused) as error:
        print(f"{stamp(datetime.now(UTC))} {error}", flush=True)


def report(renewer: Renewer, places: Places) -> None:
    """Report for those that are awake and were taken for dead; where the API server is away, the next time."""
    try:
        for node in renewer.unknown():
            if awake(places, node["metadata"]["name"]):
                renewer.report(node)
    except (OSError, http.client.HTTPException, Refused) as error:
        print(f"{stamp(datetime.now(UTC))} {error}", flush=True)


def main(lab: str, names: Sequence[str]) -> None:
    """Renew the Leases of these nodes of a lab."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    places = Places(lab)
    keep(places, Renewer(Api(places)), names)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
