"""A plugin that the CNI configuration names is not there: no pod starts any more."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class CniBinaryMissing(Kernel):
    """A clean-up of /opt/cni/bin, or an image that was built without it."""

    NAME = "cni-binary-missing"
    BREAKS = "a node lacks a CNI plugin that its configuration names"
    FINDINGS = ("FLN419",)
    CUTS = ""
    VARIANTS = ("flannel", "bridge", "portmap", "host-local")

    def breaks(self, values: Values) -> str:
        return f"mv /opt/cni/bin/{_plugin(values)} /opt/cni/bin/.{_plugin(values)}.gone"

    def mends(self, values: Values) -> str:
        return f"mv /opt/cni/bin/.{_plugin(values)}.gone /opt/cni/bin/{_plugin(values)}"

    def effect(self, values: Values) -> str:
        return f"! test -e /opt/cni/bin/{_plugin(values)}"


def _plugin(values: Values) -> str:
    return values["variant"]
