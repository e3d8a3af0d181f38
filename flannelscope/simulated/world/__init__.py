"""What simulated clusters are made of: a Blueprint with its Machines becomes one Snapshot, consistent in itself."""

from __future__ import annotations

from flannelscope.simulated.world.blueprint import DAY, HOUR, MANAGER, MINUTE, Blueprint, Machine
from flannelscope.simulated.world.build import build

__all__ = ["DAY", "HOUR", "MANAGER", "MINUTE", "Blueprint", "Machine", "build"]
