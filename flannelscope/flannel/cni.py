"""A node's CNI configuration as a runtime reads it: the first file by name, its plugins, and whether flannel decides.

libcni: files *.conf, *.conflist, *.json in the order of their names; containerd takes the first (max_conf_num 1). flannel's
plugin delegates to bridge with host-local, unless `delegate` says otherwise (flannel-io/cni-plugin, flannel_linux.go).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from flannelscope.model import Value
from flannelscope.model.hostfiles import Cni, CniFile

SUFFIXES = (".conf", ".conflist", ".json")


class CniConfiguration(Value, frozen=True):
    """One file: its plugins, "" in `broken` where it can be read."""

    file: CniFile
    plugins: tuple[Mapping[str, Any], ...] = ()
    broken: str = ""

    @property
    def types(self) -> tuple[str, ...]:
        """The plugins it names, with those they call in their turn."""
        return tuple(dict.fromkeys(name for plugin in self.plugins for name in _types(plugin)))


def configurations(cni: Cni) -> tuple[CniConfiguration, ...]:
    """All files a runtime would look at, in its order."""
    named = (file for file in cni.files if file.name.endswith(SUFFIXES))
    return tuple(_read(file) for file in sorted(named, key=lambda file: file.name))


def bridges(cni: Cni | None) -> Iterator[str]:
    """Bridges that a flannel configuration names otherwise than cni0; none where no file was read."""
    for file in cni.files if cni is not None else ():
        if '"flannel"' in file.content and '"bridge"' in file.content:
            _, _, rest = file.content.partition('"bridge"')
            value = rest.lstrip(" :\t\n").partition('"')[2].partition('"')[0]
            if value and not value.isspace() and rest.lstrip().startswith(":"):
                yield value


def _read(file: CniFile) -> CniConfiguration:
    try:
        said = json.loads(file.content)
    except (ValueError, RecursionError) as error:
        return CniConfiguration(file, broken=f"no JSON ({error})")
    plugins = said.get("plugins", [said]) if isinstance(said, dict) else None
    if not isinstance(plugins, list) or not plugins or not all(isinstance(plugin, dict) for plugin in plugins):
        return CniConfiguration(file, broken="no list of plugins")
    return CniConfiguration(file, tuple(plugins))


def _types(plugin: Mapping[str, Any]) -> Iterator[str]:
    name = plugin.get("type")
    if not isinstance(name, str) or not name:
        return
    yield name
    delegate = plugin.get("delegate")
    if name == "flannel":
        given = delegate if isinstance(delegate, dict) else {}
        yield from _types({"type": "bridge", "ipam": {"type": "host-local"}, **given})
    ipam = plugin.get("ipam")
    if isinstance(ipam, dict):
        yield from _types({"type": ipam.get("type")})
    for inner in _delegates(plugin):
        yield from _types(inner)


def _delegates(plugin: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What Multus calls, where it says so itself."""
    found: list[Mapping[str, Any]] = []
    listed = plugin.get("delegates")
    for item in listed if isinstance(listed, list) else ():
        inner = item.get("plugins") if isinstance(item, dict) else None
        found += [part for part in (inner if isinstance(inner, list) else [item]) if isinstance(part, dict)]
    return found


def by_flannel(chosen: CniConfiguration, others: tuple[CniConfiguration, ...]) -> bool:
    """Whether pods get flannel's addresses by this configuration: by flannel itself, Canal's calico, or Multus over one."""
    if any(name == "flannel" for name in chosen.types) or any(_canal(plugin) for plugin in chosen.plugins):
        return True
    multus = any(str(plugin.get("type", "")).startswith("multus") for plugin in chosen.plugins)
    silent = not any(_delegates(plugin) for plugin in chosen.plugins)
    return multus and silent and any(by_flannel(other, ()) for other in others)


def _canal(plugin: Mapping[str, Any]) -> bool:
    ipam = plugin.get("ipam")
    return (
        plugin.get("type") == "calico"
        and isinstance(ipam, dict)
        and ipam.get("type") == "host-local"
        and "usePodCidr" in json.dumps(ipam)
    )
