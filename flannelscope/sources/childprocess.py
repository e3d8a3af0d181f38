"""Runs a program without a terminal, within a time limit, and keeps what it wrote in bounds."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO

_TICK = 0.05  # seconds between two looks whether the program has ended while its pipes are silent
_GRACE = 1.0  # seconds between asking a program to end and ending it


class TooLong(Exception):
    """The program did not end within the limit; it was ended. `stderr` is what it had written."""

    def __init__(self, stderr: bytes) -> None:
        super().__init__("time limit")
        self.stderr = stderr


class TooMuch(Exception):
    """The program wrote more than it may; it was ended."""


def run(
    argv: Sequence[str], environ: Mapping[str, str], limit: float, most: int, started: Callable[[subprocess.Popen[bytes]], None]
) -> tuple[int, bytes, bytes]:
    """Exit code (negative: the signal that ended it), stdout and the end of stderr, each at most `most` bytes.

    The program gets no standard input and a session of its own: it cannot open the terminal and draw on the console.
    `started` is told the process. A grandchild that keeps the pipes open (a browser, an agent) is not waited for.
    Raises OSError where it cannot be started, TooLong after `limit` seconds, TooMuch.
    """
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(argv, env=environ, stdin=null, stdout=pipe, stderr=pipe, start_new_session=True) as process:
        started(process)
        try:
            stdout, stderr = _read(process, time.monotonic() + limit, most)
        except BaseException:
            end(process)
            raise
        return process.wait(), stdout, stderr


def _read(process: subprocess.Popen[bytes], until: float, most: int) -> tuple[bytes, bytes]:
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = bytearray(), bytearray()
    kept: dict[IO[bytes], bytearray] = {process.stdout: out, process.stderr: err}
    with selectors.DefaultSelector() as selector:
        for pipe in kept:
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map() or process.poll() is None:
            ended = process.poll() is not None
            if time.monotonic() >= until:
                raise TooLong(bytes(err))
            ready = selector.select(0 if ended else min(_TICK, until - time.monotonic()))
            for key, _ in ready:
                _take(selector, key.fileobj, kept)  # type: ignore[arg-type]
            if len(out) > most:
                raise TooMuch
            del err[:-most]
            if ended and not ready:
                break
    return bytes(out), bytes(err)


def _take(selector: selectors.BaseSelector, pipe: IO[bytes], kept: dict[IO[bytes], bytearray]) -> None:
    data = os.read(pipe.fileno(), 65536)
    if data:
        kept[pipe] += data
    else:
        selector.unregister(pipe)


def end(process: subprocess.Popen[bytes]) -> None:
    """End the program and what it started: politely, then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            continue
        return
