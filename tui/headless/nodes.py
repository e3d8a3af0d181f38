"""`flannelscope nodes`: the node and podCIDR table."""

from __future__ import annotations

import click

from tui.call import Call
from tui.commands import from_option, headless, output_option


@headless("nodes", short_help="The table of nodes, their podCIDRs and what flannel announces for them.")
@output_option("table", "wide", "json", "csv")
@click.option("--problems", is_flag=True, help="Only nodes with a finding at warning or above, or not judged.")
@from_option
def command(call: Call, output: str, problems: bool, from_file: str) -> None:
    """Show every node with its podCIDRs, what flannel announces for it, and what was found about it.

    First column: x critical, ! warning, i info, . looked at and nothing found, ? not (wholly) judged. Beside a podCIDR:
    = duplicate, ~ overlap, ! outside the range.
    """
    from flannelscope.judge import judge
    from flannelscope.present import node_rows
    from flannelscope.report import build
    from flannelscope.report.document import encode
    from flannelscope.report.nodes import comma_separated, document, faulty, table, tally
    from flannelscope.text import clean, natural
    from tui.reading import look
    from tui.streams import emit, say

    looked = look(call, call.settings(from_file))
    facts = looked.facts
    judgement = judge(facts)
    rows = node_rows(facts, judgement)
    pairs = sorted(zip((node.name for node in facts.snapshot.nodes), rows, strict=True), key=lambda pair: natural(pair[0]))
    chosen = [(name, row) for name, row in pairs if not problems or faulty(row)]
    shown = [row for _, row in chosen]
    if output == "json":
        emit(encode(document(build(facts, judgement), chosen)))
        return
    if output == "csv":
        emit(comma_separated(shown, facts.now))
        return
    emit(table(shown, facts.now, wide=output == "wide"))
    say(tally(rows))
    for gap in facts.snapshot.gaps:
        say(clean(f"not read: {gap.topic.value}{f' of {gap.node}' if gap.node else ''}: {gap.reason}"))
    looked.tell(call)
