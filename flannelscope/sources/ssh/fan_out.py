"""One piece of work for many nodes at a time, through as many doors as there are ways to them."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from flannelscope.sources.ssh.ending import Ending
from flannelscope.sources.ssh.failures import Ended, NotReached, TurnedAway
from flannelscope.sources.ssh.values import Answered, Failed, Target
from flannelscope.sources.ssh.window import Window

TRIES = 4  # for a node whose server, or whose jump host, turns us away
HANDSHAKES = 8  # in flight through one jump host
UNREAD = 8  # answers that wait for who reads them: each may be megabytes, and who reads is slower than many nodes
_PAUSE = 0.25  # seconds before the second try; twice as long before each further one
_LOOK = 0.1  # seconds between looks at the stop event

Work = Callable[[Target], Answered]
Outcome = Answered | Failed


def fan_out(targets: Sequence[Target], work: Work, window: Callable[[str], Window], ending: Ending) -> Iterator[Outcome]:
    """What `work` says of each target, in the order in which they are done; nothing more after the end of the run.

    `work` raises NotReached. `window` gives the window of a door: "" is dialled directly, otherwise the last jump host.
    """
    outcomes: queue.Queue[Outcome] = queue.Queue(UNREAD)
    doors: dict[str, deque[Target]] = {}
    for target in targets:
        doors.setdefault(door(target), deque()).append(target)
    for name, waiting in doors.items():
        _start(waiting, work, window(name), ending, outcomes)
    for _ in targets:
        outcome = _next(outcomes, ending)
        if outcome is None:
            return
        yield outcome


def door(target: Target) -> str:
    """Which way it is: the jump hosts as they are dialled, "" for none."""
    return " ".join(login.words for login in target.route[:-1])


def _next(outcomes: queue.Queue[Outcome], ending: Ending) -> Outcome | None:
    while not ending.is_set():
        try:
            outcome = outcomes.get(timeout=_LOOK)
        except queue.Empty:
            continue
        return None if ending.is_set() else outcome  # what failed because of the end is no news
    return None


def _put(outcomes: queue.Queue[Outcome], outcome: Outcome, ending: Ending) -> None:
    while not ending.is_set():
        try:
            outcomes.put(outcome, timeout=_LOOK)
            return
        except queue.Full:
            continue


def _start(waiting: deque[Target], work: Work, window: Window, ending: Ending, outcomes: queue.Queue[Outcome]) -> None:
    def labour() -> None:
        while not ending.is_set():
            try:
                target = waiting.popleft()
            except IndexError:
                return
            _put(outcomes, _outcome(target, work, window, ending), ending)

    for _ in range(min(window.most, len(waiting))):
        threading.Thread(target=labour, name="flannelscope-ssh", daemon=True).start()


def _outcome(target: Target, work: Work, window: Window, ending: Ending) -> Outcome:
    for attempt in range(TRIES):
        era = window.enter(ending)
        if era is None:
            break
        refused = False
        try:
            return work(target)
        except TurnedAway as no:
            refused, last = True, no
        except NotReached as no:
            return Failed(node=target.node, reason=no.reason, do=no.do)
        except Exception as error:  # noqa: BLE001 - one node's surprise must not take the others with it
            return Failed(node=target.node, reason=f"reading it failed in an unforeseen way ({type(error).__name__})")
        finally:
            window.leave(era, refused=refused)
        if attempt == TRIES - 1:
            return Failed(node=target.node, reason=f"{last.reason}, {TRIES} times", do=last.do)
        ending.wait(_PAUSE * 2**attempt)
    return Failed(node=target.node, reason=Ended().reason)
