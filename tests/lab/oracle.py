"""Two answers to one question, asked side by side where this is run: what the kernel says by netlink, and what every way of the
probes makes of the programs' outputs. Prints both as JSON, entries sorted.

    ip netns exec NAME python -m tests.lab.oracle
"""

from __future__ import annotations

import shlex
import subprocess
import time
from typing import Any

import msgspec

from flannelscope.bundle_script import MESH
from flannelscope.probes import Way, all_probes
from flannelscope.sources import netlink

TRIES = 40
PAUSE = 0.25  # seconds; a new address is tentative for about two


def main() -> None:
    """Ask both until the kernel said the same before and after: neighbours come and go, and new addresses are tentative."""
    for _ in range(TRIES):
        before = facts()
        ways = {name: {way.words: plain(way.parse(said(way)).value) for way in full(name)} for name in MESH}
        if facts() == before:
            break
        time.sleep(PAUSE)
    print(msgspec.json.encode({"netlink": before, "ways": ways}).decode())


def facts() -> dict[str, list[Any]]:
    """What the kernel says by netlink."""
    kernel = netlink.kernel("here")
    assert kernel.missing == {}
    return {name: plain(value) for name, value in kernel.facts.items()}


def full(name: str) -> list[Way[Any]]:
    """The ways that can tell everything: not those of busybox, links without details, and one family of two."""
    return [way for way in all_probes()[name].ways if not _partial(name, way)]


def _partial(name: str, way: Way[Any]) -> bool:
    one_family = len(way.argvs) == 1 and "-4" in way.argvs[0]
    return way.program == "busybox" or one_family or (name == "links" and "-d" not in way.argv)


def said(way: Way[Any]) -> bytes:
    """What its commands print, framed where there are several."""
    outputs = [(argv, subprocess.run(argv, capture_output=True, check=False)) for argv in way.argvs]
    if len(outputs) == 1:
        return outputs[0][1].stdout
    frames = (
        f"== {shlex.join(argv)}\n".encode() + done.stdout + f"\n== exit {done.returncode}\n".encode() for argv, done in outputs
    )
    return b"".join(frames)


def plain(value: object) -> list[Any]:
    """The entries as JSON has them, sorted."""
    entries: list[Any] = msgspec.json.decode(msgspec.json.encode(value))
    return sorted(entries, key=msgspec.json.encode)


if __name__ == "__main__":
    main()
