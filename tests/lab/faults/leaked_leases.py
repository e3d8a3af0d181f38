"""Leases of host-local that no pod holds: the runtime crashed, its sandboxes are gone, and their addresses are not free."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class LeakedLeases(Kernel):
    """So many that hardly one is left for a new pod."""

    NAME = "leaked-leases"
    BREAKS = "host-local keeps leases of sandboxes that are gone, and few addresses are left"
    FINDINGS = ("FLN115",)
    CUTS = ""

    def breaks(self, values: Values) -> str:
        return f"""for n in $(seq 10 250); do
  f=/var/lib/cni/networks/cbr0/{_three(values)}.$n
  [ -e $f ] || {{ printf 'gone%060d\r\neth0' $n > $f; touch -d '1 hour ago' $f; }}
done"""

    def mends(self, values: Values) -> str:
        return f"cd /var/lib/cni/networks/cbr0 && grep -l ^gone {_three(values)}.* | xargs rm -f"

    def effect(self, values: Values) -> str:
        return "test $(ls /var/lib/cni/networks/cbr0 | wc -l) -gt 230"


def _three(values: Values) -> str:
    """The first three numbers of the block's addresses."""
    return values["base"].rpartition(".")[0]
