"""The nodes, and the connections to them that are kept between readings."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from flannelscope.questions import Question, Questions
from flannelscope.sources.ssh.ending import Ending
from flannelscope.sources.ssh.failures import NotReached
from flannelscope.sources.ssh.fan_out import fan_out
from flannelscope.sources.ssh.routes import Routes, configuration
from flannelscope.sources.ssh.values import Answered, Failed, Host, SshSettings, Target
from flannelscope.sources.ssh.window import Window

RESOLVED = 600.0  # seconds for which the configuration of a host is not asked for again: `ssh -G` costs as much as a reading


class Transport(Protocol):
    """Who carries the script to the nodes and their answers back."""

    def prepare(self, targets: Sequence[Target], ending: Ending) -> Iterator[Question]:
        """What must be done, and asked, before the first node is dialled."""

    def run(self, target: Target, script: bytes, limit: int, until: float, ending: Ending) -> Answered:
        """What the script says there. Raises NotReached."""

    def ask_again(self) -> None:
        """Forget what was asked in vain."""

    def close(self) -> None:
        """End what is kept."""


class Fleet:
    """Keeps one connection a node and jump host. Not for two runs at a time."""

    def __init__(self, settings: SshSettings, ask: Questions) -> None:
        self._settings = settings
        self._ask = ask
        self._windows: dict[str, Window] = {}
        self._transport: Transport | None = None
        self._resolved: dict[tuple[str, str], tuple[float, Target]] = {}

    def targets(self, hosts: Sequence[Host]) -> tuple[list[Target], list[Failed]]:
        """Who would be dialled and how, and who cannot be; nobody is dialled.

        What the configuration says of a host holds for ten minutes, unless the host could not be reached since.
        """
        now = time.monotonic()
        held = {(node, address): known for (node, address), known in self._resolved.items() if now - known[0] < RESOLVED}
        asked = [host for host in hosts if (host.node, host.address) not in held]
        failed: list[Failed] = []
        if asked:
            found, failed = Routes(self._settings, configuration(self._settings)).targets(asked)
            by_name = {target.node: target for target in found}
            held.update({(host.node, host.address): (now, by_name[host.node]) for host in asked if host.node in by_name})
        self._resolved = held
        return [held[key][1] for host in hosts if (key := (host.node, host.address)) in held], failed

    def _forget(self, said: Answered | Failed | Question) -> None:
        """A host that was not reached may have to be dialled otherwise: it is looked up again."""
        if isinstance(said, Failed):
            self._resolved = {key: known for key, known in self._resolved.items() if key[0] != said.node}

    def run(
        self, targets: Sequence[Target], script: bytes, *, limit: int, deadline: float, stop: threading.Event
    ) -> Iterator[Answered | Failed | Question]:
        """Run `script` on each: its answer or why there is none, as they come; questions before all that.

        `limit` is bytes of output a node, `deadline` seconds for each from when its turn comes. After `stop` nothing more
        comes: sockets are closed and processes ended at once.
        """
        try:
            transport = self._open()
        except NotReached as no:
            yield from (Failed(node=target.node, reason=no.reason, do=no.do) for target in targets)
            return
        ending = Ending(stop)
        try:
            yield from transport.prepare(targets, ending)
            for said in fan_out(
                targets,
                lambda target: transport.run(target, script, limit, time.monotonic() + deadline, ending),
                self._window,
                ending,
            ):
                self._forget(said)
                yield said
        finally:
            ending.set()

    def ask_again(self) -> None:
        """The next run may ask again what was declined, or answered in vain, in this session."""
        if self._transport is not None:
            self._transport.ask_again()

    def close(self) -> None:
        """End all connections."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _open(self) -> Transport:
        if self._transport is None:
            if self._settings.transport == "openssh":
                from flannelscope.sources.ssh.system_ssh import SystemSsh

                self._transport = SystemSsh(self._settings)
            else:
                from flannelscope.sources.ssh.connections import Connections

                self._transport = Connections(self._ask)
        return self._transport

    def _window(self, name: str) -> Window:
        size = self._settings.window_hop if name else self._settings.window_direct
        return self._windows.setdefault(name, Window(size))
