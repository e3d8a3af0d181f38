"""Pods whose address is wrong get a new one by being deleted, if a controller starts them again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from flannelscope.model import Pod

LOST = "A pod without a controller is gone for good when it is deleted: no command is given for such ones."


def delete_pods(pods: Iterable[Pod]) -> tuple[str, ...]:
    """The commands that delete those pods which their controllers start again."""
    named = dict.fromkeys((pod.namespace, pod.name) for pod in pods if pod.owner_kind)
    return tuple(f"kubectl -n {shlex.quote(namespace)} delete pod {shlex.quote(name)}" for namespace, name in named)
