"""ConfigMaps, each by its name: flannel's, kubeadm's, kube-proxy's. Secrets never."""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.errors import CannotRead, Refused
from flannelscope.flannel.names import WELL_KNOWN_CONFIG_MAPS, config_map_candidates, flannel_container
from flannelscope.model import ConfigMap, Gap, Snapshot, Topic
from flannelscope.sources import Answer, Part, wire
from flannelscope.sources.decode import Decoder
from flannelscope.sources.faults import Missing, Unauthorized
from flannelscope.sources.project.others import project_config_map
from flannelscope.sources.reader import Reader, gap_of
from flannelscope.sources.rights import CONFIG_MAPS
from flannelscope.sources.streams import Starts

_CONFIG_MAP: Decoder[ConfigMap] = Decoder(wire.ConfigMap, project_config_map)


def read(reader: Reader, known: Snapshot, starts: Starts) -> Iterator[Answer]:
    """The ConfigMaps worth reading. One that does not exist is no Gap, nor is a mere guess that may not be asked for."""
    found: list[ConfigMap] = []
    gaps: list[Gap] = []
    guesses = _guesses(known)
    for namespace, name in config_map_candidates(known.daemonsets, (*known.flannel_pods, *known.pods)):
        try:
            found.append((yield from reader.one(CONFIG_MAPS, namespace, name, _CONFIG_MAP)))
        except (Missing, Unauthorized) as fault:
            if isinstance(fault, Unauthorized):
                raise
        except Refused as fault:
            if (namespace, name) not in guesses:
                gaps.append(gap_of(reader.topic, fault))
        except CannotRead as fault:
            gaps.append(gap_of(reader.topic, fault))
    yield Part(reader.topic, {"config_maps": tuple(found)}, reader.reading(len(found), odd=len(gaps)))
    yield from gaps


def _guesses(known: Snapshot) -> frozenset[tuple[str, str]]:
    """Well-known names that no flannel here mounts: where the DaemonSets could be read, they are most likely not there."""
    if not known.has(Topic.DAEMONSETS):
        return frozenset()
    mounted = {
        (item.namespace, name)
        for item in known.daemonsets
        if flannel_container(item.containers) is not None
        for name in item.config_maps
    }
    return frozenset(WELL_KNOWN_CONFIG_MAPS) - mounted
