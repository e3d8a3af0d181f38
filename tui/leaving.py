"""The short report that stays on the terminal after the console closed, to be pasted into a ticket."""

from __future__ import annotations

from flannelscope.text import clean, fold
from tui.state import State
from tui.words import SEVERITIES, clock

MOST = 20


def summary(state: State) -> str:
    """The verdict and the findings, as plain text."""
    overview = state.overview
    if overview is None:
        failed = state.failed
        return f"flannelscope: nothing was read. {failed.what if failed else ''}".rstrip() + "\n"
    where = " · ".join(part for part in (overview.context or overview.server, overview.version) if part)
    lines = [f"flannelscope  {clean(where)}  {clock(overview.taken, utc=True, now=0)}", clean(overview.verdict)]
    for finding in state.findings[:MOST]:
        nodes = f"  [{fold(finding.nodes)}]" if finding.nodes else ""
        lines.append(clean(f"  {SEVERITIES.get(finding.severity, '?')} {finding.code} {finding.summary}{nodes}"))
    if len(state.findings) > MOST:
        lines.append(f"  and {len(state.findings) - MOST} more findings")
    return "\n".join(lines) + "\n"
