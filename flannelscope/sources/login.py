"""What lasts from one reading of the nodes to the next: the connections, what was answered, and the leave to log in at all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from threading import Event, Lock
from typing import TYPE_CHECKING, Protocol

from flannelscope.questions import Question, Questions
from flannelscope.ssh_settings import SshSettings
from flannelscope.text import count, fold

if TYPE_CHECKING:
    from flannelscope.sources.ssh.values import Answered, Failed, Host, Target

NAMED = 8  # ranges of names in one line
WAITING = 60.0  # seconds for an earlier sweep to end
_LOOK = 0.1


class Reaches(Protocol):
    """What runs a script on many nodes; tests bring their own."""

    def targets(self, hosts: Sequence[Host]) -> tuple[list[Target], list[Failed]]:
        """How each of these is reached, and those that cannot be; nothing is dialled."""

    def run(
        self, targets: Sequence[Target], script: bytes, *, limit: int, deadline: float, stop: Event
    ) -> Iterator[Answered | Failed | Question]:
        """Run it on all of them at once; each answers once or fails once. `limit` is in bytes, `deadline` in seconds."""

    def ask_again(self) -> None:
        """The next run may ask again what nobody answered, or not rightly."""

    def close(self) -> None:
        """End all connections."""


class Login:
    """How nodes are logged in to in this session. `given` is the operator's leave; None while it was not asked for."""

    def __init__(self, settings: SshSettings, questions: Questions, fleet: Reaches | None = None) -> None:
        self.settings = settings
        self.questions = questions
        self.given: bool | None = None
        self._fleet = fleet
        self._using = Lock()
        self._used = fleet is not None

    @cached_property
    def fleet(self) -> Reaches:
        """The connections. The library that speaks SSH is imported here."""
        self._used = True
        if self._fleet is not None:
            return self._fleet
        from flannelscope.sources.ssh import Fleet

        return Fleet(self.settings, self.questions)

    def alone(self, stop: Event) -> bool:
        """Wait until no other sweep uses the connections; False where that did not happen. `done` gives them back."""
        until = time.monotonic() + WAITING
        while not stop.is_set() and time.monotonic() < until:
            if self._using.acquire(timeout=_LOOK):
                return True
        return False

    def done(self) -> None:
        """The sweep is over."""
        self._using.release()

    def ask_again(self) -> None:
        """The operator wants everything read anew: passphrases and prompts that were declined may be asked for again."""
        if self._used:
            self.fleet.ask_again()

    def close(self) -> None:
        """End all connections, if there are any."""
        if self._used:
            self.fleet.close()


def plan(targets: Sequence[Target], probes: Sequence[str], root: Sequence[str], own: Sequence[str] = ()) -> str:
    """What is about to be done, in lines for the operator: which machines, as whom, by which way, what runs there.

    `probes` and `root` are the names of all probes and of those that run behind sudo; `own` are Nodes that are this machine.
    """
    users = fold(sorted({target.user for target in targets if target.user}), NAMED)
    ways = Counter(" and ".join(target.hops) for target in targets)
    told = [f"{number} directly" if not way else f"{number} through {way}" for way, number in sorted(ways.items())]
    names = fold([target.node for target in targets], NAMED)
    # The API gives the addresses, and who it says is there may be somebody else: leave is given for what is dialled.
    dialled = fold([target.host for target in targets if target.host != target.node], NAMED)
    behind = f"Behind sudo -n, unless logged in as root: {', '.join(root)}. flannelscope ssh sudoers prints the lines for that."
    return "\n".join(
        (
            *([f"{count(len(targets), 'node')} will be logged in to over SSH: {names}"] if targets else []),
            *([f"as {users or 'the user that ssh chooses'}; {', '.join(told)}"] if targets else []),
            *([f"dialled at {dialled}"] if dialled else []),
            *([f"This machine is looked at without a login: {fold(own, NAMED)}"] if own else []),
            f"On each runs one script of {count(len(probes), 'probe')} that only reads and writes nothing there:"
            " flannelscope ssh script prints it.",
            *([behind] if root else []),
        )
    )
