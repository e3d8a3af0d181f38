"""The machine "outside", from which a cluster is only reached through the bastion, and what the bastion has for that.

It stands for an operator's own computer: one cable to the bastion and no route beyond. On the bastion an sshd lets in the user
`ops`, who has no sudo there, and nobody else; it forwards what SSH forwards, and no packets. The API is another matter, as in
life: it may be reachable from everywhere (here: on the bastion's outer address, as if a load balancer stood there) or not at all.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab import machines, networks, processes
from tests.lab.networks import CONTROL_PLANE_ADDRESS, DOOR
from tests.lab.places import Places
from tests.lab.settings import Settings

API = "api-outside"
SSHD = "/usr/sbin/sshd -D -e -o AllowTcpForwarding=yes -o AllowUsers=ops"


def start(places: Places, settings: Settings) -> None:
    """The cable, the bastion's sshd, and the way to the API where there is to be one."""
    networks.make_outside(places)
    bastion = networks.bastion()
    machines.make_root(places, bastion)
    root = places.root(bastion.name)
    (root / "etc/sudoers.d/ops").unlink()
    (root / "root/.ssh/authorized_keys").unlink()
    machines.service(places, bastion.name, "sshd", SSHD)
    machines.boot(places, bastion, forwarding=False)
    write_kubeconfig(places)
    if settings.api_outside:
        open_api(places)


def open_api(places: Places) -> None:
    """Let the API server be reached from outside."""
    listen = f"TCP-LISTEN:6443,bind={DOOR},fork,reuseaddr"
    argv = ["ip", "netns", "exec", places.network("bastion"), "socat", listen, f"TCP:{CONTROL_PLANE_ADDRESS}:6443"]
    processes.start(places, API, argv)


def close_api(places: Places) -> None:
    """From now on connections from outside are refused; those that are open already stay so. Closed already is no error."""
    processes.stop(places, API)


def write_kubeconfig(places: Places) -> Path:
    """The administrator's kubeconfig for outside: it is there whether anybody answers or not."""
    config = json.loads((places.pki / "admin.conf").read_text())
    config["clusters"][0]["cluster"]["server"] = f"https://{DOOR}:6443"
    path = places.outside / "kubeconfig"
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return path
