"""The command `flannelscope`."""

from __future__ import annotations

import sys

import click

from flannelscope.text import clean
from tui.call import INTERRUPTED
from tui.commands import program
from tui.streams import drop, emit, say

NAME = "flannelscope"
COMPLETE = "_FLANNELSCOPE_COMPLETE"


def main() -> None:
    """Run the program with the arguments of this process and end it with the exit code that cli.md promises."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 gets question marks, no failure
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    """The exit code of a call with these arguments."""
    try:
        code = program.main(args, prog_name=NAME, complete_var=COMPLETE, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        emit(error.format_message() + "\n")
        return 2
    except click.ClickException as error:
        command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx is not None else NAME
        what = clean(error.format_message()).rstrip(".")
        say(f"flannelscope: {what}. See {command} --help.")
        return 2
    except (click.Abort, KeyboardInterrupt):
        say("flannelscope: interrupted.")
        return INTERRUPTED
    except BrokenPipeError:  # of a help text; results go through emit
        drop(sys.stdout)
        return 0
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    main()
