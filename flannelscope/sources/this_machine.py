"""The node that the program itself runs on: the same script in a shell of its own, and netlink for what that did not tell."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from ipaddress import ip_address

from msgspec.structs import replace

from flannelscope.errors import CannotRead
from flannelscope.model import Kernel, Node
from flannelscope.sources.ssh.values import Answered, Failed

ORIGIN = "this machine"
_DISCARD = 9  # a port; nothing is sent there
_LOOK = 0.1
_COMMAND = ("env", "LC_ALL=C", "sh", "-s")


def is_here(node: Node) -> bool:
    """Whether the Node is this machine: by its name and an address, for either alone is found on other machines too."""
    names = {node.name, node.labels.get("kubernetes.io/hostname", node.name)}
    return bool(names & _names()) and any(map(owns, node.internal_ips))


def _names() -> set[str]:
    name = socket.gethostname()
    return {name, name.partition(".")[0]}


def owns(text: str) -> bool:
    """Whether it is an address of this machine: the kernel then takes the same one to send from. Nothing is sent."""
    try:
        address = ip_address(text)
        if address.is_loopback:
            return False
        with socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((text, _DISCARD))
            return ip_address(probe.getsockname()[0]) == address
    except (OSError, ValueError):
        return False


def run(node: str, script: bytes, deadline: float, stop: threading.Event) -> Answered | Failed:
    """What the script says here; `deadline` in seconds. Whatever it started ends with it."""
    at, begun = time.time(), time.monotonic()
    try:
        process = subprocess.Popen(
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        return Failed(node=node, reason=f"No shell could be started on this machine: {error.strerror}.")
    given: bytes | None = script
    cut = False
    while True:
        try:
            output, error_text = process.communicate(given, timeout=_LOOK)
            break
        except subprocess.TimeoutExpired:
            given = None
            if stop.is_set() or time.monotonic() > begun + deadline:
                output, error_text = _end(process)
                if not output:
                    return Failed(node=node, reason=f"The script did not end on this machine within {deadline:.0f} s.")
                cut = True  # what came in time is kept
                break
    return Answered(
        node=node,
        at=at,
        origin=ORIGIN,
        output=output,
        error=error_text[:2000].decode("utf-8", "replace"),
        status=None if cut else process.returncode,
        seconds=time.monotonic() - begun,
        cut=cut,
    )


def _end(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """End it with all it started; what it had said."""
    import os
    import signal
    from contextlib import suppress

    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()


def completed(kernel: Kernel) -> Kernel:
    """With what netlink tells of this machine in place of what the script could not."""
    from flannelscope.sources import netlink

    try:
        told = netlink.kernel(kernel.node)
    except CannotRead:
        return kernel
    facts = {**told.facts, **kernel.facts}
    missing = {name: reason for name, reason in kernel.missing.items() if name not in facts}
    return replace(kernel, facts=facts, missing=missing)
