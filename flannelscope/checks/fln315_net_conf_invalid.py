"""flannel reads net-conf.json once, when it starts. What is wrong in the ConfigMap does nothing until then, and from then on
takes down, or silently changes, one node after the other.

How it is known

The text in the ConfigMap is read as flanneld of the installed release reads it: it is not JSON, a network cannot be parsed,
the backend type is unknown, there is no Backend (flannel then takes udp), a value has the wrong JSON type ("8472" for a
port), or a key is misspelt and therefore passed over (`DirectRoute`).

How to see it

net-conf.json as it stands.

    kubectl -n kube-flannel get configmap kube-flannel-cfg -o yaml

What to do

Correct the ConfigMap before any flannel pod restarts.

How to undo it

Write the former text back. Running flannels do not notice either way.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.model import ConfigMap, Evidence, Finding, Remedy, Severity, Subject, Topic, Unknown
from flannelscope.proofs import quoted, show_config_map, when


@check("FLN315", "net-conf-invalid", Severity.WARNING, needs=(Topic.CONFIGURATION,))
def net_conf_invalid(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """ConfigMaps whose net-conf.json would fail or mislead at the next start."""
    held: dict[tuple[str, str], ConfigMap] = {}
    problems: dict[tuple[str, str], dict[str, bool]] = {}
    for installation in facts.discovery.installations:
        config_map, conf = installation.config_map, installation.net_conf
        if config_map is not None and conf is not None and conf.problems:
            key = (config_map.namespace, config_map.name)
            held[key] = config_map
            fatal = bool(conf.broken)
            problems.setdefault(key, {}).update(dict.fromkeys(conf.problems, fatal))
    for key, found in problems.items():
        yield _finding(self, held[key], tuple(found), any(found.values()))


def _finding(self: Check, config_map: ConfigMap, problems: tuple[str, ...], fatal: bool) -> Finding:
    name = f"{config_map.namespace}/{config_map.name}"
    outcome = "every flannel that starts from now on ends at once" if fatal else "flannel starts, and does not do what it says"
    return self.finding(
        f"The net-conf.json in ConfigMap {name} is wrong: {'; '.join(problems)}: {outcome}.",
        (Subject("ConfigMap", config_map.name, config_map.namespace),),
        evidence=(
            *(
                Evidence("problem", problem, f"ConfigMap {name}, net-conf.json", show_config_map(config_map))
                for problem in problems
            ),
            Evidence("last written", f"not after {when(config_map.written)}", f"ConfigMap {name}, metadata.managedFields"),
        ),
        remedy=Remedy(
            "Correct net-conf.json before any flannel pod restarts.",
            (f"kubectl -n {quoted(config_map.namespace)} edit configmap {quoted(config_map.name)}",),
        ),
    )
