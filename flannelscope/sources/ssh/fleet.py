"""The nodes, and the connections to them that are kept between readings."""

from __future__ import annotations

import getpass
import threading
import time
from collections.abc import Iterator, Sequence

from flannelscope.questions import Question, Questions
from flannelscope.sources.ssh.ending import Ending
from flannelscope.sources.ssh.fan_out import fan_out
from flannelscope.sources.ssh.system_ssh import SystemSsh
from flannelscope.sources.ssh.values import Answered, Failed, Host, Login, Policy, SshSettings, Target
from flannelscope.sources.ssh.window import Window


class Fleet:
    """Keeps one connection a node and jump host. Not for two runs at a time."""

    def __init__(self, settings: SshSettings, ask: Questions) -> None:
        self._settings = settings
        self._ask = ask
        self._windows: dict[str, Window] = {}
        self._system: SystemSsh | None = None

    def targets(self, hosts: Sequence[Host]) -> tuple[list[Target], list[Failed]]:
        """Who would be dialled and how, and who cannot be; nobody is dialled."""
        user = self._settings.user or getpass.getuser()
        policy = Policy(patience=self._settings.connect_timeout)
        return [
            Target(
                node=host.node,
                route=(
                    Login(alias=host.address, host=host.address, port=22, user=user, known_as=(host.address,), policy=policy),
                ),
            )
            for host in hosts
        ], []

    def run(
        self, targets: Sequence[Target], script: bytes, *, limit: int, deadline: float, stop: threading.Event
    ) -> Iterator[Answered | Failed | Question]:
        """Run `script` on each: its answer or why there is none, as they come; questions before all that.

        `limit` is bytes of output a node, `deadline` seconds for each from when its turn comes. After `stop` nothing more
        comes: sockets are closed and processes ended at once.
        """
        ending = Ending(stop)
        if self._system is None:
            self._system = SystemSsh(self._settings)
        system = self._system
        try:
            yield from fan_out(
                targets,
                lambda target: system.run(target, script, limit, time.monotonic() + deadline, ending),
                self._window,
                ending,
            )
        finally:
            ending.set()

    def close(self) -> None:
        """End all connections."""
        if self._system is not None:
            self._system.close()
            self._system = None

    def _window(self, name: str) -> Window:
        size = self._settings.window_hop if name else self._settings.window_direct
        return self._windows.setdefault(name, Window(size))
