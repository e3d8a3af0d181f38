"""One reading of some nodes: what has come so far, what is missing, and the Parts that tell of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from flannelscope.events import TopicProgress
from flannelscope.model import Gap, Node, Reading, Snapshot, Topic
from flannelscope.model.kernel import Kernel, Sweep
from flannelscope.probes import all_probes
from flannelscope.sources import Answer, Part
from flannelscope.sources.kept import Kept
from flannelscope.sources.ssh.values import Failed
from flannelscope.sources.whose import strange
from flannelscope.text import count

NOTHING_TO_ASK = ("not installed there", "there is nothing to ask there")
BASIC = ("links", "addresses", "routes", "neighbours")  # without one of them a node has not answered
NEEDED = (*BASIC, "rules", "fdb")  # of these it is said even where their program is not installed


class Round:
    """One reading of the `asked` nodes, begun at `begun`; `windows` others are told of by the API alone."""

    def __init__(self, known: Snapshot, asked: Sequence[Node], windows: int, begun: float, *, second: bool) -> None:
        self.known = known
        self.kernels: dict[str, Kernel] = {}
        self.gaps: list[Gap] = []
        self._partly: list[Gap] = []
        self._asked = len(asked)
        self._second = second
        self._begun = begun
        self._before = {node.name: node for node in known.nodes}
        self._windows = windows
        self._kept = Kept()

    def failed(self, fault: Failed) -> None:
        """Note a node that did not answer."""
        self.lost(fault.node, f"{fault.reason.rstrip('.')}. {fault.do}" if fault.do else fault.reason)

    def lost(self, node: str, reason: str) -> None:
        """Note that nothing is known of a node."""
        self.gaps.append(Gap(Topic.KERNELS, reason, node))

    def took(self, kernel: Kernel) -> None:
        """Note an answer, and which of its parts could not be read.

        A program that is not installed there lacks nothing, unless it is one that tells what every node has.
        """
        nothing = not any(name in kernel.facts for name in NEEDED)
        doubt = strange(self._before[kernel.node], kernel, self._before.values()) if kernel.node in self._before else ""
        if nothing or doubt:
            self.lost(kernel.node, doubt or f"nothing of its network could be read: {_why_nothing(kernel)}")
            return
        self.kernels[kernel.node] = self._kept.take(kernel)
        lacking: dict[str, list[str]] = {}
        for name, reason in kernel.missing.items():
            if name in NEEDED or not reason.startswith(NOTHING_TO_ASK):
                lacking.setdefault(reason, []).append(name)
        self._partly += [Gap(Topic.KERNELS, f"{', '.join(names)}: {why}", kernel.node) for why, names in lacking.items()]

    def so_far(self, now: float) -> Iterator[Answer]:
        """What has come of the first reading of all; of a later one only how far it is."""
        done = len(self.kernels) + len(self.gaps)
        yield TopicProgress(Topic.KERNELS, done, self._asked)
        if not self._second and not self.known.has(Topic.KERNELS):
            yield Part(Topic.KERNELS, {"sweep": self._sweep(None, None)}, self._reading(now, complete=False))

    def whole(self, ended: float, after: Mapping[str, Node] | None) -> Part:
        """All of it."""
        sweep = self._sweep(ended, after)
        if not self._second:
            self.gaps += self._partly
            return Part(Topic.KERNELS, {"sweep": sweep, "second_sweep": None}, self._reading(ended))
        reading = self.known.readings.get(Topic.KERNELS) or self._reading(ended)
        self.gaps = [replace(gap, reason=f"when read a second time: {gap.reason}") for gap in self.gaps]
        return Part(Topic.KERNELS, {"second_sweep": sweep}, reading, True)

    def _sweep(self, ended: float | None, after: Mapping[str, Node] | None) -> Sweep:
        return Sweep(begun=self._begun, ended=ended, kernels=dict(self.kernels), before=self._before, after=after)

    def _reading(self, now: float, *, complete: bool = True) -> Reading:
        at = now if self.known.source == "api" else self.known.taken  # what was saved is judged as of then
        answered = sum(all(name in kernel.facts for name in BASIC) for kernel in self.kernels.values())
        return Reading(at=at, source="ssh", asked=self._asked, answered=answered, complete=complete, scope=self._scope())

    def _scope(self) -> str:
        """What was not asked of all, or not allowed on some."""
        root = [name for name, probe in all_probes().items() if probe.root]
        refused = sum(any(self._refused(kernel, name) for name in root) for kernel in self.kernels.values())
        said = [f"{count(self._windows, 'Windows node')} told of by the API alone"] if self._windows else []
        said += [f"{refused:,} of {len(self.kernels):,} without what needs root"] if refused else []
        return "; ".join(said)

    def _refused(self, kernel: Kernel, probe: str) -> bool:
        reason = kernel.missing.get(probe, "")
        return bool(reason) and not reason.startswith(NOTHING_TO_ASK)


def _why_nothing(kernel: Kernel) -> str:
    return "; ".join(dict.fromkeys(kernel.missing[name] for name in NEEDED if name in kernel.missing)) or "no probe answered"
