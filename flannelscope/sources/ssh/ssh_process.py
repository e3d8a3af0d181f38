"""One run of ssh as a process: its two streams within bounds and time, ended when the run ends."""

from __future__ import annotations

import os
import selectors
import subprocess
import tempfile
import time
from pathlib import Path

from flannelscope.sources.ssh.ending import Ending
from flannelscope.sources.ssh.failures import Ended
from flannelscope.sources.ssh.said import Said, at_deadline

_LOOK = 0.1  # seconds between looks at the process while its pipes are silent
_TOLD = 4000  # bytes of stderr that are kept


def ran(argv: list[str], script: bytes, limit: int, until: float, ending: Ending, *, folder: Path, told: int = _TOLD) -> Said:
    """Run `argv` with the script as its input (in a file without a name, in `folder`). Raises NotReached."""
    pipe = subprocess.PIPE
    with tempfile.TemporaryFile(dir=folder) as given:
        given.write(script)
        given.seek(0)
        process = subprocess.Popen(argv, stdin=given, stdout=pipe, stderr=pipe, start_new_session=True)
    running = _Running(process)
    ending.attach(running)
    try:
        return _read(process, limit, until, ending, told)
    finally:
        running.close()
        ending.detach(running)


class _Running:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def close(self) -> None:
        """End the process; a connection that it left in the background stays."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


def _read(process: subprocess.Popen[bytes], limit: int, until: float, ending: Ending, told: int) -> Said:
    """Read until the process has ended: what it left in the background may hold its stderr open."""
    assert process.stdout is not None
    assert process.stderr is not None
    kept = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    output, error = kept.values()
    begun = time.monotonic()
    with selectors.DefaultSelector() as selector, process.stdout, process.stderr:
        for number in kept:
            os.set_blocking(number, False)
            selector.register(number, selectors.EVENT_READ)
        while True:
            ended = process.poll() is not None
            ready = selector.select(0 if ended else _LOOK) if selector.get_map() else []
            for key, _ in ready:
                data = os.read(key.fd, 65536)
                kept[key.fd] += data
                if not data:
                    selector.unregister(key.fd)
            del error[told:]
            if ending.is_set():
                raise Ended
            if len(output) > limit or (ended and not ready):
                break
            if time.monotonic() >= until:
                return at_deadline(bytes(output), bytes(error), time.monotonic() - begun)
            if not selector.get_map() and not ended:
                process.wait(max(until - time.monotonic(), 0.01))
    status = process.poll()
    return Said.of(bytes(output), bytes(error), status, time.monotonic() - begun, limit)
