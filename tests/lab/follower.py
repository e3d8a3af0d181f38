"""A program that follows the cluster and prints, a line each, what the engine says: run in the bastion by test_watch."""

from __future__ import annotations

import sys
import threading

from flannelscope.collect import collect, follow
from flannelscope.events import Grown, WatchState
from flannelscope.model import Topic
from flannelscope.session import Settings
from flannelscope.sources.kube import KubeSource
from flannelscope.sources.kubeconfig import load
from flannelscope.sources.watch import Pace


def main() -> None:
    """Read everything once, say so, then say the Nodes at each change and how each watch stands, until stdin closes.

    The second argument is the least time between two full lists, in seconds.
    """
    stop = threading.Event()
    threading.Thread(target=stop_at_end_of_input, args=(stop,), daemon=True).start()
    settings = Settings(kubeconfig=(sys.argv[1],))
    source = KubeSource(load(settings), pace=Pace(relist=float(sys.argv[2])))
    snapshot = settings.start
    for event in collect(source, snapshot, stop):
        if isinstance(event, Grown):
            snapshot = event.snapshot
    print("read", *(node.name for node in snapshot.nodes), flush=True)
    for event in follow(source, snapshot, stop):
        if isinstance(event, Grown) and event.topic is Topic.NODES:
            print("nodes", *(node.name for node in event.snapshot.nodes), flush=True)
        elif isinstance(event, WatchState):
            print("watch", event.topic, event.state, event.reason, flush=True)
    source.close()


def stop_at_end_of_input(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    main()
