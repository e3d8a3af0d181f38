"""`flannelscope explain [CODE]`: what a finding means, how it is known, what to do; without a code, all codes."""

from __future__ import annotations

import click

from tui.call import Call
from tui.commands import headless, output_option


@headless("explain", short_help="What a finding means, how it is known, what to do; all codes.")
@output_option("text", "json")
@click.argument("code", required=False)
def command(call: Call, output: str, code: str | None) -> None:
    """Explain a finding: by its code (FLN101), its number (101) or its name (duplicate-podcidr).

    Without CODE, list all codes by hundreds with their severities; those that this version does not judge are marked as
    planned.
    """
    from flannelscope import catalogue
    from flannelscope.report.document import encode
    from tui.streams import emit

    if output == "json":
        emit(encode(catalogue.listing_document() if code is None else catalogue.explain_document(code)))
    else:
        emit(catalogue.listing() if code is None else catalogue.explain(code))
