"""Awaits a finding, carries out what its remedy prints, as it is printed, and looks whether it is gone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from tests.lab.faults.hands import Cluster, LabFailed, wait_until
from tests.lab.reports import Object, findings
from tests.lab.truth import RANGES

Edit = Callable[[str], str]
PAUSE = 2.0  # seconds between two checks: each keeps a processor busy for one
ON = re.compile(r"# on ([a-z0-9.-]+)")  # a command for a node's own shell says on which


def carry_out(lab: Cluster, finding: Object, folder: Path, edit: Edit = lambda line: line) -> list[str]:
    """Type the commands of a remedy, one after the other, in the bastion or on the node that a command names.

    `edit` is what the operator puts in place of a word that the remedy leaves open; "" where a line was done otherwise. Files
    are written into `folder`. Raises LabFailed when a command fails.
    """
    done = []
    for printed in finding["remedy"]["commands"]:
        line = edit(printed)
        if not line:
            continue
        done.append(line)
        place = ON.search(line)
        if place and not line.startswith("kubectl"):
            lab.inside(place[1], "sh", "-c", line)
        else:
            result = lab.bastion("sh", "-c", f"cd {folder} && {line}", environment=lab.operator_environment())
            if result.returncode:
                raise LabFailed(f"$ {line}\n{result.stdout}{result.stderr}")
    return done


def found(lab: Cluster, code: str, seconds: float = 180.0) -> Object:
    """The finding, once its conditions have had their time; raises LabFailed after so many seconds."""
    wait_until(lambda: bool(findings(lab.check(*RANGES), code)), f"{code} is found", seconds, PAUSE)
    one: Object = findings(lab.check(*RANGES), code)[0]
    return one


def gone(lab: Cluster, code: str) -> bool:
    """Whether there is no finding with this code any more."""
    return not findings(lab.check(*RANGES), code)


def as_run_here(lab: Cluster, folder: Path) -> Edit:
    """What a remedy leaves to the operator: how services are run in this lab, and editing a saved object."""

    def edit(line: str) -> str:
        if line.startswith(
            ("# restart the controller manager", "crictl stop $(crictl ps --quiet --name kube-controller-manager)")
        ):
            lab.controller_manager()
            return ""
        if line.startswith("systemctl stop kubelet"):
            return line.replace("systemctl stop kubelet", "kill -STOP $(pidof kubelet)")
        if line.startswith("systemctl start kubelet"):
            return line.replace("systemctl start kubelet", "kill -KILL $(pidof kubelet)")  # whoever started it starts it again
        if line.startswith("kubectl create -f "):
            change(folder / line.split()[3], new_block[0])
        if wanted := re.search(r"# set spec.podCIDR and spec.podCIDRs to (\S+?);", line):
            new_block[:] = [wanted[1]]
        return line

    new_block: list[str] = []
    return edit


def change(saved: Path, cidr: str) -> None:
    """What the comment in the remedy asks for."""
    node = json.loads(saved.read_text())
    node["spec"] |= {"podCIDR": cidr, "podCIDRs": [cidr]}
    for key in ("uid", "resourceVersion", "managedFields"):
        node["metadata"].pop(key, None)
    saved.write_text(json.dumps(node))
