"""`flannelscope explain CODE`: what a finding means, how it is known, what to do."""

from __future__ import annotations

import click

from tui.call import Call
from tui.commands import headless


@headless("explain", short_help="What a finding means, how it is known, what to do.")
@click.argument("code")
def command(call: Call, code: str) -> None:
    """Explain a finding: by its code (FLN101), its number (101) or its name (duplicate-podcidr)."""
    from flannelscope.catalogue import explain
    from tui.streams import emit

    emit(explain(code))
