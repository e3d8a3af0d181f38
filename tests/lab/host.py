"""The two kinds of settings of this machine's own kernel that many nodes need; counted over all labs, put back by the last.

The neighbour table and the receive backlog are one for all network namespaces: with 1024 neighbours hundreds of nodes forget
each other, and with a backlog of 1000 an ARP request to 300 ports at once loses packets of a healthy network.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab.places import cache

WANTED = {
    "net/ipv4/neigh/default/gc_thresh2": 262144,
    "net/ipv4/neigh/default/gc_thresh3": 524288,
    "net/ipv6/neigh/default/gc_thresh2": 262144,
    "net/ipv6/neigh/default/gc_thresh3": 524288,
    "net/core/netdev_max_backlog": 65536,
}
KERNEL = Path("/proc/sys")


def hold(lab: str) -> None:
    """Raise the settings, and note that this lab needs them; what is larger already is left."""
    with _record() as record:
        record["labs"] = sorted({*record["labs"], lab})
        for name, value in WANTED.items():
            was = record["was"].setdefault(name, (KERNEL / name).read_text().strip())
            (KERNEL / name).write_text(str(max(value, int(was))))


def release(lab: str) -> None:
    """Note that this lab needs them no more; the last one puts back what was there. A lab that never held them is no error."""
    with _record() as record:
        if lab not in record["labs"]:
            return
        record["labs"].remove(lab)
        if not record["labs"]:
            for name, value in record["was"].items():
                (KERNEL / name).write_text(value)
            record["was"] = {}


@contextmanager
def _record() -> Iterator[dict[str, Any]]:
    """Who holds the settings and what they were. It counts for one boot of this machine: afterwards all is as it was anyway."""
    cache().mkdir(parents=True, exist_ok=True)
    boot = (KERNEL / "kernel/random/boot_id").read_text().strip()
    with (cache() / "host.json").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        record: dict[str, Any] = json.loads(text) if text else {}
        if record.get("boot") != boot:
            record = {"boot": boot, "labs": [], "was": {}}
        try:
            yield record
        finally:
            file.seek(0)
            file.truncate()
            file.write(json.dumps(record))
