"""The clock of one node is off."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values

OFFSETS = {"slow": -40, "fast": 95, "hours": 7200, "years": -94_608_000}  # seconds; the first is that of a node without NTP
OWN = "/run/lab-date"


class ClockOff(Kernel):
    """All machines share one clock, so a `date` of its own lies over the real one in the mount namespace of one node.

    Whoever asks that node for the time by its `date`, over SSH as well, is told another one; its kernel, its Lease and its logs
    go by the real clock. What a `date` is given to convert is converted truly.
    """

    NAME = "clock-off"
    BREAKS = "a node's clock is off"
    FINDINGS = ()
    UNCODED = "the catalogue has no code for a clock: a probe of the time offset shows it, and sets that node's times right"
    CUTS = ""
    VARIANTS = tuple(OFFSETS)

    def breaks(self, values: Values) -> str:
        return f"""cp /usr/bin/date {OWN}.real
cat > {OWN} <<'END'
#!/bin/sh
for word; do
  case $word in
    -d* | --date* | -r* | --reference* | -f* | --file*) exec {OWN}.real "$@" ;;
  esac
done
exec {OWN}.real -d 'now {OFFSETS[values["variant"]]:+d} seconds' "$@"
END
chmod 755 {OWN}
mount --bind {OWN} /usr/bin/date"""

    def mends(self, values: Values) -> str:
        return f"umount /usr/bin/date\nrm -f {OWN} {OWN}.real"

    def effect(self, values: Values) -> str:
        return f"test $(( ($(date +%s) - $({OWN}.real +%s) - {OFFSETS[values['variant']]} + 1) / 3 )) = 0"
