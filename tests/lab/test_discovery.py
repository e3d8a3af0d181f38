"""Where the ranges are read: from the running controller manager's own arguments, and from what kubeadm wrote down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.cluster import Lab
from tests.lab.objects import bare_node, mirror_pod, running_status
from tests.lab.reports import Object, findings, told

MANAGER = "kube-controller-manager"
ARGUMENTS = [
    MANAGER,
    "--allocate-node-cidrs=true",
    "--cluster-cidr=10.244.0.0/12",
    "--node-cidr-mask-size=24",
    "--leader-elect=true",
]
KUBEADM = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "kubeadm-config", "namespace": "kube-system"},
    "data": {
        "ClusterConfiguration": "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"
        "networking:\n  podSubnet: 10.99.0.0/16\n  serviceSubnet: 10.96.0.0/16\n"
    },
}


@pytest.fixture
def control_plane(lab: Lab) -> Iterator[Lab]:
    """A Node that holds the mirror pod of the controller manager, as on a cluster made by kubeadm."""
    try:
        lab.create_and_await([bare_node("cp")])
        lab.create(mirror_pod(MANAGER, "cp", ARGUMENTS))
        lab.patch_status("pod", f"{MANAGER}-cp", running_status(MANAGER), namespace="kube-system")
        yield lab
    finally:
        lab.kubectl("-n", "kube-system", "delete", "--ignore-not-found", "--force", "--grace-period=0", "pod", f"{MANAGER}-cp")
        lab.kubectl("-n", "kube-system", "delete", "--ignore-not-found", "configmap", "kubeadm-config")
        lab.delete_nodes(["cp"])


def test_the_running_arguments_are_found(control_plane: Lab) -> None:
    """No option is given; host bits as written, the range as it is."""
    report = control_plane.check()

    said = configuration(report)
    assert "10.240.0.0/12" in said
    assert MANAGER in said
    (finding,) = findings(report, "FLN113")
    assert "10.240.0.0/12" in told(finding)


def test_the_running_arguments_beat_what_kubeadm_wrote_down(control_plane: Lab) -> None:
    """kubeadm-config is never read again by anything that runs; the contradiction is shown."""
    control_plane.create(KUBEADM)
    said = configuration(control_plane.check())

    assert "10.240.0.0/12" in said
    assert "10.99.0.0/16" in said


def test_an_option_beats_the_running_arguments(control_plane: Lab) -> None:
    said = configuration(control_plane.check("--cluster-cidr", "10.244.0.0/16"))
    assert "10.244.0.0/16" in said
    assert "option" in said


def configuration(report: Object) -> str:
    """All lines of the effective configuration."""
    return "\n".join(f"{line['setting']}: {line['value']} ({line['from']})" for line in report["configuration"])
