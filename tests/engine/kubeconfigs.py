"""Kubeconfig files for tests, and a world in which no kubeconfig, proxy or pod of the developer's machine shows through."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from flannelscope.session import Settings
from flannelscope.sources import incluster

_VARIABLES = ("KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "KUBERNETES_SERVICE_HOST")


def isolate(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """An environment without kubeconfig, proxies and service account; ~ is `home`."""
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(incluster, "FOLDER", home / "serviceaccount")


def write(
    path: Path,
    *,
    cluster: Mapping[str, Any] | None = None,
    user: Mapping[str, Any] | None = None,
    name: str = "dc1",
    current: bool = True,
) -> Path:
    """A kubeconfig with one cluster, user and context, all called `name`."""
    data = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": "https://10.0.0.1:6443", **(cluster or {})}}],
        "users": [{"name": name, "user": dict(user or {})}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name if current else "",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data))
    return path


def settings(*paths: Path, context: str = "", login: str = "", timeout: float = 15.0) -> Settings:
    """What `--kubeconfig` and `--context` make."""
    return Settings(kubeconfig=tuple(str(path) for path in paths), context=context, login=login, timeout=timeout)
