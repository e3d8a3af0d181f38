"""Clusters that look broken and are healthy, as far as the API shows it: the last section of the catalogue, 1 to 16.

Each function builds one healthy cluster and the same cluster with one small corruption, and names the code which that
corruption must give. Item 14 and parts of 1, 2, 4 to 7, 9, 11 concern kernels and probes; the API does not show them.
"""

from __future__ import annotations

from tests.engine.lookalikes import addresses, announcements, installations, times
from tests.engine.lookalikes.frame import LOOKALIKES

__all__ = ["LOOKALIKES", "addresses", "announcements", "installations", "times"]
