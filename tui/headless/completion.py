"""`flannelscope completion SHELL`: the script that completes commands and options."""

from __future__ import annotations

import click

from tui.call import Call
from tui.commands import headless


@headless("completion", short_help="Shell completion for bash, zsh and fish.")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(call: Call, shell: str) -> None:
    """Print the completion script. bash: eval "$(flannelscope completion bash)" in ~/.bashrc."""
    from click.shell_completion import get_completion_class

    from tui.__main__ import COMPLETE, NAME
    from tui.commands import program
    from tui.streams import emit

    kind = get_completion_class(shell)
    assert kind is not None
    emit(kind(program, {}, NAME, COMPLETE).source() + "\n")
