"""Which cluster, as whom: kubectl's rules for --kubeconfig, KUBECONFIG, ~/.kube/config and a pod's service account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flannelscope.errors import NoCluster
from flannelscope.sources.access import Access

if TYPE_CHECKING:
    from flannelscope.session import Settings


def load(settings: Settings) -> Access:
    """The access that kubectl would use for these settings. Raises NoCluster, saying what to do."""
    raise NoCluster("no kubeconfig was found", "~/.kube/config")


def login(settings: Settings) -> str:
    """Run an interactive exec plugin once, with the terminal; the ExecCredential as JSON for `Settings.login`, or ""."""
    return ""
