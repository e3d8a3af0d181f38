"""Commands of flannelscope itself, to be copied out of a finding: they ask the same world that the finding is about."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from msgspec.structs import replace

from flannelscope.model import Evidence, Finding, Remedy

_OWN = re.compile(r"flannelscope (?:check|nodes|cidr free|cidr what-if)\b")


def here(command: str, world: tuple[str, ...]) -> str:
    """The command with the options of `world`, where it runs flannelscope; else as it is."""
    found = _OWN.match(command)
    if found and found[0].startswith("flannelscope cidr") and "--ssh" in world:  # which asks no node
        world = world[: world.index("--ssh")]
    return f"{found[0]} {shlex.join(world)}{command[found.end() :]}" if found and world else command


def in_this_world(findings: Iterable[Finding], world: tuple[str, ...]) -> tuple[Finding, ...]:
    """The findings, with the options of `world` (Declared) in every command that runs flannelscope."""
    if not world:
        return tuple(findings)
    return tuple(
        replace(
            finding,
            evidence=tuple(_evidence(item, world) for item in finding.evidence),
            remedy=None if finding.remedy is None else _remedy(finding.remedy, world),
        )
        for finding in findings
    )


def _evidence(item: Evidence, world: tuple[str, ...]) -> Evidence:
    return replace(item, command=here(item.command, world)) if _OWN.match(item.command) else item


def _remedy(remedy: Remedy, world: tuple[str, ...]) -> Remedy:
    commands = tuple(here(command, world) for command in remedy.commands)
    return replace(remedy, commands=commands, proof=here(remedy.proof, world))
