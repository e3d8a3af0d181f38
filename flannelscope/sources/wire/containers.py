"""Containers, how they run, and the volumes beside them."""

from __future__ import annotations

from flannelscope.sources.wire.base import Wire


class EnvVar(Wire):
    name: str = ""
    value: str | None = None


class Limits(Wire):
    memory: str | int | None = None


class Resources(Wire):
    limits: Limits | None = None


class Container(Wire):
    name: str = ""
    image: str | None = None
    command: list[str] | None = None
    args: list[str] | None = None
    env: list[EnvVar] | None = None
    resources: Resources | None = None


class Running(Wire):
    startedAt: str | None = None


class Waiting(Wire):
    reason: str | None = None
    message: str | None = None


class Terminated(Wire):
    exitCode: int | None = None
    reason: str | None = None
    message: str | None = None
    startedAt: str | None = None
    finishedAt: str | None = None


class State(Wire):
    running: Running | None = None
    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(Wire):
    name: str = ""
    image: str | None = None
    ready: bool | None = None
    restartCount: int | None = None
    state: State | None = None
    lastState: State | None = None


class ConfigMapRef(Wire):
    name: str | None = None


class Projection(Wire):
    configMap: ConfigMapRef | None = None


class Projected(Wire):
    sources: list[Projection] | None = None


class Volume(Wire):
    configMap: ConfigMapRef | None = None
    projected: Projected | None = None
