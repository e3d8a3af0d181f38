"""The command line: global options before or after the command; commands found by name, imported when needed.

A new command is one new file `tui/headless/NAME.py` that holds `command`, made with `headless(...)` or a `Commands` group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from flannelscope import __version__
from flannelscope.session import DEMOS
from tui.call import Call, end_in_order

GIVEN = "flannelscope.options"
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
LATER = "is not in this version of flannelscope"
# Commands and options that the reference promises and that come later: said, never silently ignored.
LATER_COMMANDS = (
    *("logs", "iface", "matrix", "trace", "rebuild", "apply", "resume", "journal"),
    *("incident", "bundle", "diff", "watch"),
)
LATER_OPTIONS = {
    "--bundle": True,
    "--nodes-proxy": False,
    "--write": False,
}
DEMO = "twins"


class GlobalOption(click.Option):
    """An option of the whole program. What is given stands in the context's `meta` under its setting's name."""

    def __init__(self, declaration: str, setting: str = "", **attributes: Any) -> None:
        self.setting = setting or declaration.removeprefix("--").replace("-", "_")
        super().__init__([declaration], expose_value=False, callback=_keep, **attributes)


class LaterOption(click.Option):
    """An option whose feature comes later: using it is a mistake that is told."""

    def __init__(self, declaration: str, *, takes_value: bool) -> None:
        attributes: dict[str, Any] = {} if takes_value else {"is_flag": True}
        super().__init__([declaration], expose_value=False, hidden=True, callback=_later, **attributes)


def _keep(context: click.Context, option: click.Parameter, value: Any) -> Any:
    if isinstance(option, GlobalOption) and given(context, option):
        context.meta.setdefault(GIVEN, {})[option.setting] = split(value) if option.multiple else value
    return value


def _later(context: click.Context, option: click.Parameter, value: Any) -> Any:
    if given(context, option):
        raise click.UsageError(f"{option.opts[0]} {LATER}.", context)
    return value


def given(context: click.Context, option: click.Parameter) -> bool:
    """Whether the option stands on the command line."""
    if context.resilient_parsing or option.name is None:
        return False
    return context.get_parameter_source(option.name) is click.core.ParameterSource.COMMANDLINE


class ListOption(GlobalOption):
    """A list: repeatable, and with commas."""

    def __init__(self, declaration: str, setting: str, **attributes: Any) -> None:
        super().__init__(declaration, setting, multiple=True, **attributes)


def split(values: Iterable[str]) -> tuple[str, ...]:
    """All items of repeated values with commas."""
    return tuple(item.strip() for value in values for item in value.split(",") if item.strip())


def global_options() -> list[click.Option]:
    """A fresh set of the options that every command takes."""
    return [
        GlobalOption("--kubeconfig", "kube.kubeconfig", metavar="FILE", help="kubeconfig file (default: kubectl's rules)."),
        GlobalOption("--context", "kube.context", metavar="NAME", help="Context of the kubeconfig."),
        GlobalOption(
            "--demo",
            metavar="[NAME]",
            type=click.Choice(DEMOS),
            help=f"A simulated cluster: {', '.join(DEMOS)} (default {DEMO}).",
        ),
        GlobalOption("--config", metavar="FILE", help="Configuration file."),
        GlobalOption("--pods", "kube.pods", type=click.Choice(("none", "suspect", "all")), help="Which pods to read."),
        ListOption("--cluster-cidr", "kube.cluster_cidr", metavar="CIDR[,CIDR]", help="Cluster CIDRs; win over discovery."),
        ListOption("--node-cidr-mask-size", "kube.node_cidr_mask_size", metavar="N[,N]", help="Node masks, in their order."),
        ListOption("--service-cidr", "kube.service_cidr", metavar="CIDR[,CIDR]", help="Service ranges; win over discovery."),
        GlobalOption(
            "--ssh/--no-ssh", "ssh.enabled", help="Log in to the nodes and read their kernels; nothing is written there."
        ),
        GlobalOption("--ssh-config", "ssh.config", metavar="FILE", help="ssh configuration (default: as ssh has it)."),
        GlobalOption("--ssh-user", "ssh.user", metavar="NAME", help="Login name on the nodes."),
        ListOption("--identity", "ssh.identity", metavar="FILE", help="Private key; repeatable."),
        ListOption("--known-hosts", "ssh.known_hosts", metavar="FILE", help="File of host keys; repeatable."),
        GlobalOption("--timeout", "kube.timeout", metavar="SECONDS", help="Limit of one request."),
        GlobalOption("--log-file", metavar="FILE", help="Log requests and gaps to a rotating file."),
        GlobalOption("--debug", is_flag=True, help="Show tracebacks and every request."),
        GlobalOption("--read-only", is_flag=True, hidden=True),
        *(LaterOption(name, takes_value=takes) for name, takes in LATER_OPTIONS.items()),
        _version_option(),
    ]


def _version_option() -> click.Option:
    def show(context: click.Context, _option: click.Parameter, value: bool) -> None:
        if value and not context.resilient_parsing:
            from tui.streams import emit

            emit(f"flannelscope {__version__}\n")
            context.exit()

    return click.Option(["--version"], is_flag=True, is_eager=True, expose_value=False, callback=show, help="Show the version.")


class Shared(click.Command):
    """What commands and groups have in common: global options in a section of their own."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        attributes.setdefault("context_settings", HELP)
        super().__init__(*args, **attributes)
        self.params = [*self.params, *global_options()]

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options first, then the global ones."""
        own: list[tuple[str, str]] = []
        common: list[tuple[str, str]] = []
        for param in self.get_params(context):
            record = param.get_help_record(context)
            if record is not None:
                (common if isinstance(param, GlobalOption) or param.name in ("version", "help") else own).append(record)
        for title, records in (("Options", own), ("Global options (before or after the command)", common)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class Headless(Shared):
    """A command without a screen. Its callback gets the Call and its own options and returns an exit code or None."""

    def invoke(self, context: click.Context) -> int:
        """Run it; every failure becomes a sentence and an exit code."""
        call = Call(context.meta.get(GIVEN, {}), context.params.get("output", "text"))
        callback = self.callback
        assert callback is not None
        end_in_order()
        return call.run(lambda: callback(call, **context.params))


def headless(name: str, **attributes: Any) -> Callable[[Callable[..., int | None]], Headless]:
    """Make a Headless command of a function `(call, **own options) -> exit code`."""

    def decorate(function: Callable[..., int | None]) -> Headless:
        return click.command(name, cls=Headless, **attributes)(function)

    return decorate


def output_option(*choices: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`-o`: the first choice is the default."""
    return click.option(
        "-o", "--output", "output", type=click.Choice(choices), default=choices[0], show_default=True, help="Form of the result."
    )


from_option = click.option(
    "--from", "from_file", default="", metavar="FILE", help="A saved `kubectl get nodes -o json` (or yaml) instead of a cluster."
)


class Commands(Shared, click.Group):
    """A group of commands."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands first."""
        self.format_commands(context, formatter)
        super().format_options(context, formatter)

    def resolve_command(self, context: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Like click's, with a word about what comes later and about demos."""
        name = args[0]
        if not context.resilient_parsing and self.get_command(context, name) is None and not name.startswith("-"):
            if name in LATER_COMMANDS:
                raise click.UsageError(f"the command {name} {LATER}.", context)
            demo = f" The demos are {', '.join(DEMOS)}." if "demo" in context.meta.get(GIVEN, {}) else ""
            known = ", ".join(self.list_commands(context))
            raise click.UsageError(f"there is no command {name!r}.{demo} Commands: {known}.", context)
        return super().resolve_command(context, args)


class Program(Commands):
    """The program: its commands are the modules of `tui/headless`, imported when they are asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Names of all commands."""
        return sorted(file.stem for file in (Path(__file__).parent / "headless").glob("[!_]*.py"))

    def get_command(self, context: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        if cmd_name not in self.list_commands(context):
            return None
        found = import_module(f"tui.headless.{cmd_name}").command
        assert isinstance(found, click.Command)
        return found

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Give `--demo` its value: the next word is one only if it is the name of a demo."""
        return super().parse_args(context, name_demo(args))


def name_demo(args: Sequence[str]) -> list[str]:
    """`--demo NAME` and a bare `--demo` as `--demo=NAME`."""
    named: list[str] = []
    words = iter(range(len(args)))
    for index in words:
        if args[index] == "--":
            return [*named, *args[index:]]
        if args[index] != "--demo":
            named.append(args[index])
        elif index + 1 < len(args) and args[index + 1] in DEMOS:
            named.append(f"--demo={args[next(words)]}")
        else:
            named.append(f"--demo={DEMO}")
    return named


@click.command("flannelscope", cls=Program, invoke_without_command=True)
@click.option("--report-on-exit", is_flag=True, help="Leave a short report on the terminal when the console closes.")
@click.pass_context
def program(context: click.Context, report_on_exit: bool) -> int:
    """Finds out why pods of some nodes reach nobody on a cluster with flannel. Without a command: the console."""
    if context.invoked_subcommand is not None:
        return 0
    if given(context, next(p for p in context.command.params if p.name == "report_on_exit")):
        context.meta.setdefault(GIVEN, {})["console.report_on_exit"] = report_on_exit
    from tui.console import open_console

    call = Call(context.meta.get(GIVEN, {}))
    return call.run(lambda: open_console(call))
