"""Carries out what a finding's remedy prints, as it is printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.lab.faults.hands import Cluster, LabFailed

Object = dict[str, Any]
Edit = Callable[[str], str]
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
