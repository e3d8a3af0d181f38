"""What checks say: what is wrong with whom, how it is proven, what to do, and what could not be judged."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from flannelscope.model.base import Value
from flannelscope.model.pods import Pod


class Severity(IntEnum):
    """How bad a finding is. critical: traffic or pods fail now, or the control plane will not start again."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3


class Subject(msgspec.Struct, frozen=True, order=True):
    """What a finding is about: a Node, Pod, DaemonSet, ConfigMap, or the Cluster. `node` is where a Pod runs."""

    kind: str
    name: str
    namespace: str = ""
    node: str = ""


class Evidence(Value, frozen=True):
    """One proof: `what` it is, the `value`, where it was read (`origin`), and the `command` that shows it."""

    what: str
    value: str
    origin: str
    command: str = ""


class Remedy(Value, frozen=True):
    """What to do, in a sentence, and the commands in their order. flannelscope does none of them by itself.

    `proof` is the command that shows whether it worked; every check sets it for all its remedies.
    """

    summary: str
    commands: tuple[str, ...] = ()
    caution: str = ""
    proof: str = ""


class Consequence(Value, frozen=True):
    """A finding that another one explains."""

    code: str
    subjects: tuple[Subject, ...]
    summary: str


class Finding(Value, frozen=True, kw_only=True):
    """Something that is wrong or worth knowing.

    `summary` says in one sentence what is true and what it means. `reach` names further Nodes on which this cause
    explains other findings ("*" for all, "" for findings that name no Node): a cause without Node subjects, like a dead
    controller manager, needs it. `towards` are the far ends of what is wrong between Nodes: a cause may lie with them.
    """

    code: str
    slug: str
    severity: Severity
    subjects: tuple[Subject, ...]
    summary: str
    why: str = ""
    evidence: tuple[Evidence, ...] = ()
    remedy: Remedy | None = None
    reach: tuple[str, ...] = ()
    towards: tuple[str, ...] = ()
    consequences: tuple[Consequence, ...] = ()

    @property
    def nodes(self) -> tuple[str, ...]:
        """The Nodes concerned, each once, in the order of the subjects."""
        return tuple(dict.fromkeys(s.name if s.kind == "Node" else s.node for s in self.subjects if s.kind == "Node" or s.node))


class Unknown(Value, frozen=True):
    """A check that could not judge: for these `nodes` (empty: for the whole cluster), for this `reason`."""

    code: str
    nodes: tuple[str, ...]
    reason: str


def node_subject(name: str) -> Subject:
    """The Subject of a Node."""
    return Subject("Node", name)


def pod_subject(pod: Pod) -> Subject:
    """The Subject of a Pod."""
    return Subject("Pod", pod.name, pod.namespace, pod.node)


CLUSTER = Subject("Cluster", "cluster")
WHOLE_CLUSTER = ""  # stands for the Nodes of a finding that names none; in `reach` it explains such findings
