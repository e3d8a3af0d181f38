"""Where the ranges are read: from the running controller manager's own arguments, and from what kubeadm wrote down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.lab import Lab
from tests.lab.reports import Object, findings, told

pytestmark = pytest.mark.xdist_group("discovery")
MANAGER = "kube-controller-manager"


@pytest.fixture(scope="module")
def control_plane(lab: Lab) -> Iterator[Lab]:
    """A controller manager that was given another range than kubeadm wrote down."""
    flags = lab.manager_flags()
    try:
        lab.controller_manager(cluster_cidr="10.244.0.0/12", node_cidr_mask_size="24")
        yield lab
    finally:
        lab.controller_manager(**{name.replace("-", "_"): value for name, value in flags.items()})


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
    said = configuration(control_plane.check())

    assert "10.240.0.0/12" in said
    assert "10.244.0.0/16" in said


def test_an_option_beats_the_running_arguments(control_plane: Lab) -> None:
    said = configuration(control_plane.check("--cluster-cidr", "10.244.0.0/16"))
    assert "10.244.0.0/16" in said
    assert "option" in said


def configuration(report: Object) -> str:
    """All lines of the effective configuration."""
    return "\n".join(f"{line['setting']}: {line['value']} ({line['from']})" for line in report["configuration"])
