"""An operator's desk: a folder with keys, known_hosts and a configuration of ssh, and fleets made from these."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flannelscope.questions import Answer, Question, Questions
from flannelscope.sources.ssh import Answered, Failed, Fleet, Host, SshSettings
from tests.engine.ssh.sshd import Sshd, keygen, public

Outcome = Answered | Failed


class Desk:
    """`key` opens whatever is told to let it in; `known_hosts` and `config` are files to write to."""

    def __init__(self, folder: Path, transport: str = "paramiko") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.transport = transport
        self.key = keygen(folder / "id")
        self.known_hosts = folder / "known_hosts"
        self.config = folder / "config"
        self.config.write_text("")
        self.asked: list[Question] = []

    def meet(self, server: Sshd, config: str = "Host *\n", **settings: str) -> None:
        """Know this server and be let in there, at its port by default."""
        server.allow(public(self.key))
        with self.known_hosts.open("a") as file:
            file.write(server.known)
        with self.config.open("a") as file:
            file.write(f"{config}  Port {server.port}\n  IdentityFile {self.key}\n  IdentitiesOnly yes\n")

    def settings(self, **changes: Any) -> SshSettings:
        """Everything from this folder, nothing from whoever runs the tests."""
        given: dict[str, Any] = {"config": str(self.config), "known_hosts": (str(self.known_hosts),), "transport": self.transport}
        return SshSettings(**{**given, "connect_timeout": 20.0, **changes})

    @contextmanager
    def fleet(self, answers: Mapping[str, str] | None = None, **changes: Any) -> Iterator[Fleet]:
        """A fleet; `answers` are given to questions about a host or file whose name ends so. Without: headless."""
        self.ask = Questions.headless() if answers is None else Questions(patience=20)
        self._answers = answers or {}
        fleet = Fleet(self.settings(**changes), self.ask)
        try:
            yield fleet
        finally:
            fleet.close()

    def look(
        self, fleet: Fleet, hosts: Mapping[str, str], script: str = "echo hello", limit: int = 100_000, deadline: float = 30.0
    ) -> dict[str, Outcome]:
        """What comes of `script` on these Nodes (name to address)."""
        targets, failed = fleet.targets([Host(node, address) for node, address in hosts.items()])
        found: dict[str, Outcome] = {one.node: one for one in failed}
        for event in fleet.run(targets, script.encode(), limit=limit, deadline=deadline, stop=threading.Event()):
            if isinstance(event, Question):
                self.asked.append(event)
                text = next((text for end, text in self._answers.items() if event.host.endswith(end)), None)
                self.ask.answers.put(Answer(event.id, text))
            else:
                found[event.node] = event
        return found

    def once(self, hosts: Mapping[str, str], script: str = "echo hello", **changes: Any) -> dict[str, Outcome]:
        """The same with a headless fleet that ends at once."""
        with self.fleet(**changes) as fleet:
            return self.look(fleet, hosts, script)


def output(outcome: Outcome) -> bytes:
    """What it said; an assertion fails where it did not."""
    assert isinstance(outcome, Answered), outcome
    return outcome.output


def reason(outcome: Outcome) -> str:
    """Why it said nothing."""
    assert isinstance(outcome, Failed), outcome
    return f"{outcome.reason} | {outcome.do}"
