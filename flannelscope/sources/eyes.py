"""A source with eyes on the nodes: what another source tells, and then what the nodes' own kernels say.

API and kernels are not one instant, so the Nodes are read again after the kernels, and both are kept with the sweep. What is
to run on which machines is said before it runs for the first time, and where somebody can be asked, leave is asked for.
"""

from __future__ import annotations

import queue
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import TypeVar

from flannelscope import bundle_answer, bundle_script
from flannelscope.errors import CannotRead
from flannelscope.model import Gap, Node, Snapshot, Topic
from flannelscope.probes import all_probes
from flannelscope.questions import LEAVE, YES, Question
from flannelscope.sources import Answer, NodesNow, Part, Refreshes, Rereads, Source, this_machine
from flannelscope.sources.login import Login, plan
from flannelscope.sources.ssh.values import Answered, Failed, Host, Target
from flannelscope.sources.sweeping import Round
from flannelscope.sources.whose import not_a_machines
from flannelscope.text import count

GATHER = 0.5  # seconds between two Parts while nodes answer
# Bytes of one node's answer: more than the script lets through, so that it is the script that says what was cut.
LARGEST = bundle_script.TOTAL + bundle_script.ERRORS + 100_000
RESOLVED = 60.0  # seconds to find out how all nodes are reached
NOT_RESOLVED = f"how it is reached was not told by the SSH configuration within {RESOLVED:.0f} s (Match exec?)"
BUSY = "the nodes are still being read by an earlier sweep that does not end"
DECLINED = "declined by the operator: no leave was given to log in to the nodes"
UNANSWERED = "nobody answered whether the nodes may be logged in to"
UNSTEADY = "the Nodes could not be read again after the kernels, so that none is known to have been steady meanwhile"
WINDOWS = "windows"
Found = TypeVar("Found")
_LOOK = 0.05


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
            self.login.ask_again()
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
        round_ = Round(known, asked, len(nodes) - len(asked), self._clock(), second=names is not None)
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

    def _answers(self, nodes: Sequence[Node], round_: Round, stop: threading.Event) -> Generator[Answer, None, bool]:
        """Have every node answer or fail; whether there was leave to ask them."""
        login = self.login
        nonce = secrets.token_hex(16)
        script = bundle_script.script(all_probes().values(), nonce)
        own = [node for node in nodes if this_machine.is_here(node)]
        away = [Host(node.name, node.internal_ips[0] if node.internal_ips else "") for node in nodes if node not in own]
        targets = self._reached(away, round_, stop)
        if not (yield from self._leave(targets, own, stop)):
            return False
        for node in own:
            said = this_machine.run(node.name, script, login.settings.deadline, stop)
            if isinstance(said, Failed):
                round_.failed(said)
            else:
                self._take(said, nonce, round_, own=True)
        told = time.monotonic()
        for item in self._heard(targets, script, stop):
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

    def _heard(self, targets: Sequence[Target], script: bytes, stop: threading.Event) -> Iterator[Answered | Failed | Question]:
        """What these say. Connections are used by one sweep at a time: a later one waits for the end of the earlier."""
        login = self.login
        if not targets:
            return
        if not login.alone(stop):
            yield from (Failed(node=target.node, reason=BUSY) for target in targets)
            return
        try:
            yield from login.fleet.run(targets, script, limit=LARGEST, deadline=login.settings.deadline, stop=stop)
        finally:
            login.done()

    def _reached(self, hosts: Sequence[Host], round_: Round, stop: threading.Event) -> list[Target]:
        """Who is dialled. The configuration of ssh may run programs that do not end: nobody waits for these for ever."""
        if not hosts:
            return []
        resolved = during(lambda: self.login.fleet.targets(hosts), stop, RESOLVED)
        if resolved is None:
            for host in hosts if not stop.is_set() else ():
                round_.lost(host.node, NOT_RESOLVED)
            return []
        for fault in resolved[1]:
            round_.failed(fault)
        addresses = {host.node: host.address for host in hosts}
        found = []
        for target in resolved[0]:
            doubt = _misplaced(target, addresses.get(target.node, ""))
            if doubt:
                round_.lost(target.node, doubt)
            else:
                found.append(target)
        return found

    def _take(self, answered: Answered, nonce: str, round_: Round, *, own: bool = False) -> None:
        at = answered.at + (self._clock() - time.time())
        try:
            kernel = bundle_answer.kernel(answered, nonce, at=at)
            round_.took(this_machine.completed(kernel) if own else kernel)
        except bundle_answer.NoAnswer as reason:
            round_.lost(answered.node, str(reason))

    def _leave(self, targets: Sequence[Target], own: Sequence[Node], stop: threading.Event) -> Generator[Answer, None, bool]:
        """Say what is going to be done, once; where somebody may be asked, wait for the answer."""
        login = self.login
        if login.given is None and (targets or own):
            probes = all_probes()
            root = [name for name, probe in probes.items() if probe.root]
            said = plan(targets, list(probes), root, [node.name for node in own])
            question = login.questions.new(LEAVE, count(len(targets) + len(own), "node"), said)
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


def _misplaced(target: Target, address: str) -> str:
    """Why nobody is dialled at the address that the API gives, "" where it may be the Node's. What is configured is dialled."""
    if target.host != address:
        return ""
    if not target.hops and this_machine.owns(address):
        return f"its InternalIP {address} is an address of this machine, and this machine is not that Node by its name"
    return not_a_machines(address)


def during(work: Callable[[], Found], stop: threading.Event, seconds: float) -> Found | None:
    """What `work` gives, None where `stop` or the time came first: it then ends in a thread of its own, unheard.

    Raises what it raises.
    """
    told: queue.SimpleQueue[tuple[Found | None, BaseException | None]] = queue.SimpleQueue()

    def labour() -> None:
        try:
            told.put((work(), None))
        except BaseException as error:  # noqa: BLE001 - raised where somebody waits for it
            told.put((None, error))

    threading.Thread(target=labour, name="resolve", daemon=True).start()
    until = time.monotonic() + seconds
    while not stop.is_set() and time.monotonic() < until:
        try:
            found, error = told.get(timeout=_LOOK)
        except queue.Empty:
            continue
        if error is not None:
            raise error
        return found
    return None
