"""Reads a cluster for a headless command: progress on standard error, requests into the log, at last one Snapshot."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from flannelscope.collect import collect
from flannelscope.config_ranges import insist
from flannelscope.errors import CannotRead, Refused
from flannelscope.events import Event, GapFound, Grown, Refreshed, RequestDone, TopicDone, TopicProgress, WatchState
from flannelscope.facts import Facts
from flannelscope.model import Gap, Snapshot, Topic
from flannelscope.questions import LEAVE, Question, Questions
from flannelscope.report import moment
from flannelscope.session import Settings, open_login, open_source
from flannelscope.text import clean
from flannelscope.verdict import TOPIC_WORDS
from tui.call import Call
from tui.log import LOGGER, gap_line, request_line
from tui.streams import Progress, amount, say


class Looked:
    """What was read: Facts of the Snapshot, how many requests that took, how many bytes came."""

    def __init__(self, snapshot: Snapshot, requests: int, received: int) -> None:
        self.facts = Facts(snapshot)
        self.requests = requests
        self.received = received

    def tell(self, call: Call) -> None:
        """Say what the reading cost, where a person reads along."""
        if self.requests and (call.debug or call.output not in ("json", "csv", "prometheus")):
            say(f"{self.requests} requests, {amount(self.received)} received")


def look(call: Call, settings: Settings) -> Looked:
    """Read everything that `settings` name. What is missing of it stands in the Snapshot's gaps.

    Raises CannotRead when nothing came, or the Nodes did not come: then nothing can be said about the cluster; UsageError
    for node masks that the cluster found cannot have.
    """
    stop = threading.Event()
    progress = Progress(wanted=not call.debug)
    login = open_login(settings, Questions.headless())
    source = open_source(settings, login)
    for warning in getattr(source, "warnings", ()):  # only a connection to a server has any
        LOGGER.warning("%s", warning)
        say(f"flannelscope: warning: {clean(warning)}")
    try:
        looked = _read(collect(source, settings.start, stop), settings.start, progress, call)
    finally:
        stop.set()
        progress.clear()
        source.close()
        if login is not None:
            login.close()
    _insist_on_nodes(looked.facts.snapshot, settings)
    insist(looked.facts)
    return looked


def _read(events: Iterator[Event], snapshot: Snapshot, progress: Progress, call: Call) -> Looked:
    requests = received = 0
    for event in events:
        match event:
            case RequestDone():
                requests, received = requests + 1, received + event.received
                _log_request(event, call)
            case TopicProgress():
                of = f" of {event.total}" if event.total else ""
                progress.tell(f"Reading {TOPIC_WORDS[event.topic]}: {event.read}{of} · {requests} requests, {amount(received)}")
            case TopicDone():
                LOGGER.info("read %s: %d in %.2f s", event.topic.value, event.count, event.seconds)
            case GapFound():
                snapshot = event.snapshot
                LOGGER.warning("%s", gap_line(event.gap))
            case Grown():
                snapshot = event.snapshot
            case Question(kind=kind, text=text) if kind == LEAVE:
                progress.clear()
                for line in text.splitlines():
                    LOGGER.info("%s", line)
                    say(clean(line))
            case WatchState() | Refreshed() | Question():
                pass
    return Looked(snapshot, requests, received)


def _log_request(event: RequestDone, call: Call) -> None:
    line = request_line(event)
    LOGGER.info("%s", line)
    if call.debug:
        say(f"{moment(event.at)} {clean(line)}")


def _insist_on_nodes(snapshot: Snapshot, settings: Settings) -> None:
    if snapshot.has(Topic.NODES):
        return
    gap = next(
        (g for g in snapshot.gaps if g.topic == Topic.NODES and not g.node), Gap(Topic.NODES, snapshot.why_not(Topic.NODES))
    )
    where = settings.from_file or snapshot.cluster.server or settings.context
    if gap.verb:
        right = f"{gap.verb} {gap.resource}"
        raise Refused(
            f"the nodes could not be read: {gap.reason}",
            where,
            f"Ask for the right to {right}; flannelscope rbac read prints all that are needed.",
            verb=gap.verb,
            resource=gap.resource,
        )
    raise CannotRead(f"the nodes could not be read: {gap.reason}", where, "Run it again, with --debug to see every request.")
