"""A source with eyes on the nodes: what another source tells, and then what the nodes' own kernels say.

API and kernels are not one instant, so the Nodes are read again after the kernels, and both are kept with the sweep. What is
to run on which machines is said before it runs for the first time, and where somebody can be asked, leave is asked for.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

from msgspec.structs import replace

from flannelscope import bundle_answer, bundle_script
from flannelscope.errors import CannotRead
from flannelscope.events import TopicProgress
from flannelscope.model import Gap, Node, Reading, Snapshot, Topic
from flannelscope.model.kernel import Kernel, Sweep
from flannelscope.probes import all_probes
from flannelscope.questions import LEAVE, YES, Question
from flannelscope.sources import Answer, NodesNow, Part, Refreshes, Rereads, Source, this_machine
from flannelscope.sources.login import Login, plan
from flannelscope.sources.ssh.values import Answered, Failed, Host, Target
from flannelscope.text import count

GATHER = 0.5  # seconds between two Parts while nodes answer
NOTHING_TO_ASK = ("not installed there", "there is nothing to ask there")
LARGEST = 16_000_000  # bytes of one node's answer
DECLINED = "declined by the operator: no leave was given to log in to the nodes"
UNANSWERED = "nobody answered whether the nodes may be logged in to"
UNSTEADY = "the Nodes could not be read again after the kernels, so that none is known to have been steady meanwhile"
WINDOWS = "windows"


class Eyes:
    """`base`, and the nodes it names, reached by `login`."""

    def __init__(self, base: Source, login: Login, clock: Callable[[], float] = time.time) -> None:
        self.base = base
        self.kind = base.kind
        self.login = login
        self._clock: Callable[[], float] = getattr(base, "now", clock)  # the API server's, where there is one
        self._wanted = threading.Event()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about how the cluster is reached, for the operator."""
        found: tuple[str, ...] = getattr(self.base, "warnings", ())
        return found

    def topics(self) -> Sequence[Topic]:
        """Those of the base, kernels last: first it must be known which nodes there are."""
        return (*self.base.topics(), Topic.KERNELS)

    def read(self, topic: Topic, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """Read one topic. What fails on a node is a Gap of that node."""
        return self.sweep(None, known, stop) if topic is Topic.KERNELS else self.base.read(topic, known, stop)

    def reread(self, names: Sequence[str], known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """The base's second read of Nodes and their pods."""
        if isinstance(self.base, Rereads):
            yield from self.base.reread(names, known, stop)

    def watch(self, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """Changes that the base tells of; of those of a kernel nobody tells."""
        return self.base.watch(known, stop)

    def refresh(self) -> bool:
        """Have the base read again what it does not watch, and the kernels with it."""
        taken = isinstance(self.base, Refreshes) and self.base.refresh()
        if taken:
            self._wanted.set()
        return taken

    def wanted(self) -> bool:
        """Whether the kernels are to be read again, asked for since the last call."""
        asked = self._wanted.is_set()
        self._wanted.clear()
        return asked

    def close(self) -> None:
        """Give up the base's connections. Those to the nodes last as long as the login."""
        self.base.close()

    def sweep(
        self, names: Sequence[str] | None, known: Snapshot, stop: threading.Event, nodes_now: NodesNow | None = None
    ) -> Iterator[Answer]:
        """Read these nodes (None: all), then the Nodes again (by `nodes_now`, where somebody knows them anyway)."""
        wanted = None if names is None else set(names)
        nodes = [node for node in known.nodes if wanted is None or node.name in wanted]
        asked = [node for node in nodes if node.os != WINDOWS]
        round_ = _Round(known, asked, len(nodes) - len(asked), self._clock(), second=names is not None)
        if not (yield from self._answers(asked, round_, stop)):
            yield Gap(Topic.KERNELS, DECLINED if self.login.given is False else UNANSWERED)
            return
        if stop.is_set():
            return
        ended = self._clock()
        after = nodes_now() if nodes_now is not None else (yield from self._nodes_again(known, stop))
        yield round_.whole(ended, after)
        yield from round_.gaps
        if after is None:
            yield Gap(Topic.KERNELS, UNSTEADY)

    def _answers(self, nodes: Sequence[Node], round_: _Round, stop: threading.Event) -> Generator[Answer, None, bool]:
        """Have every node answer or fail; whether there was leave to ask them."""
        fleet, nonce = self.login.fleet, secrets.token_hex(16)
        script = bundle_script.script(all_probes().values(), nonce)
        own = [node for node in nodes if this_machine.is_here(node)]
        away = [Host(node.name, node.internal_ips[0] if node.internal_ips else "") for node in nodes if node not in own]
        for node in own:
            said = this_machine.run(node.name, script, self.login.settings.deadline, stop)
            if isinstance(said, Failed):
                round_.failed(said)
            else:
                self._take(said, nonce, round_, own=True)
        if not away:
            return True
        targets, failed = fleet.targets(away)
        for fault in failed:
            round_.failed(fault)
        if not (yield from self._leave(targets, stop)):
            return False
        told = time.monotonic()
        for item in fleet.run(targets, script, limit=LARGEST, deadline=self.login.settings.deadline, stop=stop):
            if isinstance(item, Question):
                yield item
            elif isinstance(item, Failed):
                round_.failed(item)
            else:
                self._take(item, nonce, round_)
            if time.monotonic() >= told + GATHER:
                yield from round_.so_far(self._clock())
                told = time.monotonic()
        return True

    def _take(self, answered: Answered, nonce: str, round_: _Round, *, own: bool = False) -> None:
        at = answered.at + (self._clock() - time.time())
        try:
            kernel = bundle_answer.kernel(answered, nonce, at=at)
            round_.took(this_machine.completed(kernel) if own else kernel)
        except bundle_answer.NoAnswer as reason:
            round_.gaps.append(Gap(Topic.KERNELS, str(reason), answered.node))

    def _leave(self, targets: Sequence[Target], stop: threading.Event) -> Generator[Answer, None, bool]:
        """Say what is going to be done, once; where somebody may be asked, wait for the answer."""
        login = self.login
        if login.given is None and targets:
            probes = all_probes()
            said = plan(targets, list(probes), [name for name, probe in probes.items() if probe.root])
            question = login.questions.new(LEAVE, count(len(targets), "node"), said)
            yield question
            answer = login.questions.wait(question, stop.is_set) if login.questions.asks else YES
            login.given = None if answer is None else answer == YES
            return bool(login.given)
        return login.given is not False

    def _nodes_again(self, known: Snapshot, stop: threading.Event) -> Generator[Answer, None, Mapping[str, Node] | None]:
        """The Nodes as they are now. What stands still is not read twice."""
        if self.kind != "api":
            return {node.name: node for node in known.nodes}
        found: Mapping[str, Node] | None = None
        try:
            for answer in self.base.read(Topic.NODES, known, stop):
                if isinstance(answer, Part) and answer.reading.complete:
                    found = {node.name: node for node in answer.fields["nodes"]}
                elif isinstance(answer, (Part, Gap)):
                    continue  # what is known stays; that it could not be read again is said once, of the kernels
                yield answer
        except CannotRead:
            return None
        return found


class _Round:
    """One reading of some nodes: what has come so far, and the Parts that tell of it."""

    def __init__(self, known: Snapshot, asked: Sequence[Node], windows: int, begun: float, *, second: bool) -> None:
        self.known = known
        self.kernels: dict[str, Kernel] = {}
        self.gaps: list[Gap] = []
        self._partly: list[Gap] = []
        self._asked = len(asked)
        self._second = second
        self._begun = begun
        self._before = {node.name: node for node in known.nodes}
        self._scope = f"{count(windows, 'Windows node')} told of by the API alone" if windows else ""

    def failed(self, fault: Failed) -> None:
        """Note a node that did not answer."""
        self.gaps.append(Gap(Topic.KERNELS, f"{fault.reason} {fault.do}".strip(), fault.node))

    def took(self, kernel: Kernel) -> None:
        """Note an answer, and which of its parts could not be read; a program that is not installed there lacks nothing."""
        self.kernels[kernel.node] = kernel
        lacking: dict[str, list[str]] = {}
        for name, reason in kernel.missing.items():
            if not reason.startswith(NOTHING_TO_ASK):
                lacking.setdefault(reason, []).append(name)
        self._partly += [Gap(Topic.KERNELS, f"{', '.join(names)}: {why}", kernel.node) for why, names in lacking.items()]

    def so_far(self, now: float) -> Iterator[Answer]:
        """What has come of a first reading; of a second one only how far it is."""
        done = len(self.kernels) + len(self.gaps)
        yield TopicProgress(Topic.KERNELS, done, self._asked)
        if not self._second:
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
        return Reading(
            at=at, source="ssh", asked=self._asked, answered=len(self.kernels), complete=complete, scope=self._scope
        )
