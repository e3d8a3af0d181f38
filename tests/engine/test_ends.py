"""However a reading ends, what it opened is closed: connections of the system's ssh are processes of their own."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from flannelscope import wire, worker
from flannelscope.session import Settings

COMMAND = """
import signal, sys
from tui.call import Call, end_in_order
def work():
    try:
        print("working", flush=True)
        signal.pause()
    finally:
        print("closed", flush=True)
end_in_order()
sys.exit(Call({}).run(work))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_ended_closes_what_it_opened(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", COMMAND], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        process.send_signal(number)
        printed, _ = process.communicate(timeout=60)
    assert (printed, process.returncode) == ("closed\n", 130)


def test_the_engine_closes_its_connections_before_it_waits_for_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    class Run:
        """A reading that takes its time to end."""

        def __init__(self, number: int, *_: Any) -> None:
            self.number, self.stop, self.snapshot = number, threading.Event(), None

        def start(self) -> None:
            """Nothing is read."""

        def end(self) -> None:
            """The console may have killed us by now."""
            told.append("waited")

    class Login:
        """With connections."""

        def close(self) -> None:
            """End them."""
            told.append("closed")

    monkeypatch.setattr(worker, "Run", Run)
    monkeypatch.setattr(worker, "open_login", lambda *_: Login())
    asked = b"".join(wire.frames(wire.encode(wire.Start(run=1, settings=Settings(demo="healthy")))))
    outbox: Any = SimpleNamespace(withdraw=None)
    worker.serve(io.BytesIO(asked), outbox)
    assert told == ["closed", "waited"]
