"""Which machine it is that answers: what systemd and the kernel call it, and its host name."""

from __future__ import annotations

import re

from flannelscope.model.base import Value
from flannelscope.probes import Parsed, Probe, Unparsable, Way

READ = r"""
printf 'name %s\n' "$(uname -n)"
printf 'boot %s\n' "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
for f in /etc/machine-id /var/lib/dbus/machine-id; do
  [ -f "$f" ] && printf 'machine %s\n' "$(head -n 1 "$f")" && break
done
:
"""
_MACHINE = re.compile(r"[0-9a-f]{32}")  # machine-id(5)
_BOOT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Machine(Value, frozen=True):
    """`machine_id` as machine-id(5) has it, `boot_id` that of the running kernel; "" where it is not told or no such thing."""

    name: str
    machine_id: str = ""
    boot_id: str = ""


def machine_id(text: str) -> str:
    """The text if it is an identity as machine-id(5) has it, else ""."""
    return text if _MACHINE.fullmatch(text) and len(set(text)) > 1 else ""


def boot_id(text: str) -> str:
    """The text if it is an identity as kernels make them at boot, else ""."""
    return text if _BOOT.fullmatch(text) else ""


def parse(output: bytes) -> Parsed[Machine]:
    """The identities; raises Unparsable."""
    words = [line.split() for line in output.decode("utf-8", "replace").splitlines()]
    told = {pair[0]: pair[1] for pair in words if len(pair) == 2}
    if "name" not in told:
        raise Unparsable("uname did not tell the host's name")
    return Parsed(Machine(told["name"], machine_id(told.get("machine", "")), boot_id(told.get("boot", ""))))


PROBE = Probe("machine", "identity", (Way(parse, shell=READ, program="uname"),), limit=2_000)
