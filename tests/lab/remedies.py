"""Carries out what a finding's remedy prints, as it is printed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.lab.faults.hands import Cluster, LabFailed

Object = dict[str, Any]
ON = re.compile(r"# on ([a-z0-9.-]+)")  # a command for a node's own shell says on which


def carry_out(lab: Cluster, finding: Object, folder: Path, edit: Callable[[str], str] = lambda line: line) -> list[str]:
    """Type the commands of a remedy, one after the other, in the bastion or on the node that a command names.

    `edit` is what the operator puts in place of a word that the remedy leaves open. Files are written into `folder`.
    """
    done = []
    for printed in finding["remedy"]["commands"]:
        line = edit(printed)
        place = ON.search(line)
        if place and not line.startswith("kubectl"):
            lab.inside(place[1], "sh", "-c", line)
        else:
            _in_bastion(lab, line, folder)
        done.append(line)
    return done


def _in_bastion(lab: Cluster, line: str, folder: Path) -> None:
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    kubectl = programs / "kubectl"
    if not kubectl.exists():
        kubectl.symlink_to(lab.home / "bin/kubectl")
    environment = {"KUBECONFIG": str(lab.admin), "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder)}
    result = lab.bastion("sh", "-c", f"cd {folder} && {line}", environment=environment)
    if result.returncode:
        raise LabFailed(f"$ {line}\n{result.stdout}{result.stderr}")
