"""`flannelscope check`: reads what it may and judges it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tui.call import Call
from tui.commands import LATER, from_option, given, headless, output_option, split

if TYPE_CHECKING:
    from flannelscope.report import Report

FAIL_ON = ("info", "warning", "critical", "never")
FINDINGS, UNCOVERED = 1, 4


def _no_matrix(context: click.Context, option: click.Parameter, value: bool) -> bool:
    if given(context, option):
        raise click.UsageError(f"--matrix {LATER}: who reaches whom is measured over SSH.", context)
    return value


@headless("check", short_help="Read the cluster and say what is wrong with its addresses.")
@output_option("text", "json", "markdown", "prometheus")
@click.option("--fail-on", type=click.Choice(FAIL_ON), help="Severity from which the exit code is 1 (default warning).")
@click.option(
    "--require-coverage",
    metavar="PERCENT",
    help="Exit code 4 when a topic that is needed answered less than this and nothing was found (default 0).",
)
@click.option("--only", multiple=True, metavar="CODES", help="Judge only these codes.")
@click.option(
    "--suppress",
    multiple=True,
    metavar="CODE[=SUBJECT]",
    help="Do not show these findings; they are counted, and explain no others.",
)
@click.option("--matrix", is_flag=True, hidden=True, expose_value=False, callback=_no_matrix)
@from_option
def command(
    call: Call,
    output: str,
    fail_on: str | None,
    require_coverage: str | None,
    only: Sequence[str],
    suppress: Sequence[str],
    from_file: str,
) -> int:
    """Read what may be read and judge it.

    Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 wrong use or configuration, 3 the cluster could not be
    read, 4 coverage below --require-coverage (the share of the topic that answered least; one that a check needs and
    that was not read, or a control plane that shows nothing of itself, has 0), 130 interrupted.
    """
    from flannelscope.catalogue import chosen, suppressions
    from flannelscope.judge import judge
    from flannelscope.report import build, covering
    from tui.reading import look
    from tui.streams import emit

    own = {"limits.fail_on": fail_on, "limits.require_coverage": require_coverage}
    call.options = {**call.options, **{name: value for name, value in own.items() if value is not None}}
    config = call.config
    checks = chosen(split(only))
    hidden = suppressions((*config.suppress, *split(suppress)))
    looked = look(call, call.settings(from_file))
    judgement = judge(looked.facts, checks, suppressed=covering(hidden))
    report = build(looked.facts, judgement, hidden, requests=looked.requests, received=looked.received)
    emit(_form(report, output))
    looked.tell(call)
    return exit_code(report, config.fail_on, config.require_coverage)


def exit_code(report: Report, fail_on: str, require_coverage: float) -> int:
    """1 for findings, which are certain; else 4 where too little was seen to say that there are none; else 0."""
    from flannelscope.report import SEVERITY_WORDS

    worst = report.worst()
    limits = {word: severity for severity, word in SEVERITY_WORDS.items()}
    if fail_on != "never" and worst is not None and worst >= limits[fail_on]:
        return FINDINGS
    return UNCOVERED if report.covered() < require_coverage else 0


def _form(report: Report, output: str) -> str:
    if output == "json":
        from flannelscope.report.document import document, encode

        return encode(document(report))
    if output == "markdown":
        from flannelscope.report.markdown import markdown

        return markdown(report)
    if output == "prometheus":
        from flannelscope.report.metrics import metrics

        return metrics(report)
    from flannelscope.report.plain import plain_text
    from tui.streams import paint

    return plain_text(report, paint)
