"""The script on a node: sent to a shell there, read until it ends, within time and size."""

from __future__ import annotations

import contextlib
import threading
import time

import paramiko

from flannelscope.sources.ssh.ending import Ending
from flannelscope.sources.ssh.failures import Ended, NotReached, TurnedAway
from flannelscope.sources.ssh.link import Link
from flannelscope.sources.ssh.said import COMMAND, Said, at_deadline
from flannelscope.text import clean

_TOLD = 4000  # bytes of stderr that are kept
_CHUNK = 1 << 20
_MARGIN = 4_000_000  # bytes beside the output that may be under way: stderr, packets


class Stale(Exception):
    """The connection is gone, and nothing came of this: it may be tried over a new one."""


def execute(link: Link, script: bytes, limit: int, until: float, ending: Ending) -> Said:
    """What the script says. Raises NotReached, and Stale where the connection had ended before anything was heard."""
    begun = time.monotonic()
    link.wire.allow(limit + _MARGIN)
    ending.attach(link.wire, until)
    heard = bytearray()
    try:
        return _ran(link, script, limit, until, begun, heard)
    except paramiko.ChannelException as error:
        raise TurnedAway(f"its sshd opens no session (MaxSessions?): {clean(error.text, 200)}") from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        if ending.is_set():
            raise Ended from None
        if link.wire.problem:
            raise NotReached(f"logged in, then {link.wire.problem}") from None
        if time.monotonic() >= until:
            return at_deadline(bytes(heard), b"", time.monotonic() - begun)
        if link.is_active():
            raise NotReached("logged in, but its sshd refuses to run a command") from None
        if not heard:
            raise Stale(clean(str(error) or type(error).__name__, 200)) from None
        raise NotReached(f"the connection ended in the middle of the answer, after {len(heard):,} bytes") from None
    finally:
        ending.detach(link.wire)


def _ran(link: Link, script: bytes, limit: int, until: float, begun: float, heard: bytearray) -> Said:
    channel = link.open_session(timeout=max(until - time.monotonic(), 0.1))
    try:
        channel.exec_command(COMMAND)
        channel.settimeout(max(until - time.monotonic(), 0.1))
        with contextlib.suppress(OSError):  # a shell that ends before it has read all
            channel.sendall(script)
            channel.shutdown_write()
        error = _read(channel, heard, limit, until)
        if len(heard) > limit:
            return Said.of(bytes(heard), error, None, time.monotonic() - begun, limit)
        channel.status_event.wait(max(until - time.monotonic(), 0.01))
        status = channel.exit_status
        if status == -1 and not link.is_active():
            raise EOFError
        if status == -1 and not heard:
            raise NotReached("logged in, then the session was closed without an answer")
        return Said.of(bytes(heard), error, None if status == -1 else status, time.monotonic() - begun, limit)
    finally:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            channel.close()


def _read(channel: paramiko.Channel, output: bytearray, limit: int, until: float) -> bytes:
    """Both streams to their end, or until the limit: who reads only one of them blocks the other. Returns stderr."""
    error = bytearray()
    moved = threading.Event()
    channel.in_buffer.set_event(moved)
    channel.in_stderr_buffer.set_event(moved)
    while len(output) <= limit:
        if channel.recv_ready():
            output += channel.recv(_CHUNK)
        if channel.recv_stderr_ready():
            error += channel.recv_stderr(_CHUNK)
            del error[_TOLD:]
        if channel.recv_ready() or channel.recv_stderr_ready():
            continue
        if channel.eof_received or channel.closed:
            if channel.recv_ready() or channel.recv_stderr_ready():
                continue
            break
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        moved.wait(left)
    return bytes(error)
