"""The lab from the command line: `python -m tests.lab up|down|status|shell|run|kinds|build|capabilities`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from tests.lab import capabilities, programs
from tests.lab.lab import attached
from tests.lab.lifecycle import is_reserved, reserved, take_down, up
from tests.lab.networks import OUTSIDE
from tests.lab.places import Places, labs
from tests.lab.processes import LabFailed
from tests.lab.settings import KINDS, Settings, kind_named
from tests.lab.status import is_there, next_commands, roster, status


def main(argv: list[str]) -> int:
    """Run one verb; 1 with one message where the lab cannot do it."""
    options = parser().parse_args(argv)
    try:
        return int(options.do(options))
    except (LabFailed, ValueError, programs.CannotBuild) as error:
        print(error, file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The verbs and their options."""
    whole = argparse.ArgumentParser(prog="python -m tests.lab", description="A real cluster in namespaces of this machine.")
    verbs = whole.add_subparsers(required=True)
    starting = _verb(verbs, "up", _up, "start it; one that is up is left as it is")
    starting.add_argument("-n", "--nodes", type=int, default=4, help="full nodes (4)")
    starting.add_argument("--light", type=int, default=0, help="light nodes (0)")
    starting.add_argument("--kind", default="vxlan", help="kind of cluster (vxlan)")
    starting.add_argument("--wait", type=float, default=0.0, help="seconds to wait where other labs leave no room (0)")
    _verb(verbs, "down", _down, "end all that it started; its logs stay")
    starting.add_argument("--no-api-outside", action="store_true", help="the API is not to be reached from the machine outside")
    shell = _verb(verbs, "shell", _shell, "a shell in its bastion, or outside")
    shell.add_argument("--from", dest="where", choices=["bastion", OUTSIDE], default="bastion", help="where (bastion)")
    running = _verb(verbs, "run", _run, "a program in its bastion, or in a machine")
    running.add_argument("-w", "--where", default="bastion", help="bastion, outside, cp, n1 …, router")
    running.add_argument("argv", nargs=argparse.REMAINDER)
    asking = verbs.add_parser("status", help="the labs of this user that are up, and what is left of others")
    asking.add_argument("--logs", action="store_true", help="where the logs of those that are gone are, too")
    asking.set_defaults(do=_status)
    verbs.add_parser("kinds", help="kinds of cluster").set_defaults(do=_kinds)
    verbs.add_parser("build", help="build what a lab needs, once a machine").set_defaults(do=_build)
    verbs.add_parser("capabilities", help="what this machine can do, found out by trying").set_defaults(do=_capabilities)
    return whole


Verbs = argparse._SubParsersAction  # the type has no public name
Verb = Callable[[argparse.Namespace], int]


def _verb(verbs: Verbs[argparse.ArgumentParser], name: str, do: Verb, about: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=about)
    verb.add_argument("--name", default="lab", help="the lab's name (lab)")
    verb.set_defaults(do=do)
    return verb


def _up(options: argparse.Namespace) -> int:
    reason = programs.missing()
    if reason:
        raise LabFailed(reason)
    kind = kind_named(options.kind)
    settings = Settings(options.name, options.nodes, options.light, kind, api_outside=not options.no_api_outside)
    with reserved(Places(settings.name)):
        up(settings, lambda line: print(line, flush=True), options.wait)
    print(f"{roster(settings)}\n{next_commands(settings.name)}")
    return 0


def _down(options: argparse.Namespace) -> int:
    places = Places(options.name)
    if not is_reserved(places) and not is_there(places):  # before the lock, whose file would be all that is there of it
        print(f"there is no lab {options.name}")
        return _status(argparse.Namespace(logs=False))
    with reserved(places):
        take_down(options.name)
    print(f"the lab {options.name} is down; its logs stay in {places.logs}")
    return 0


def _shell(options: argparse.Namespace) -> int:
    """The user's shell, without the user's own start-up files: they would set the path and the prompt again."""
    lab = attached(options.name)
    prompt = f"[lab {options.name}{' outside' if options.where == OUTSIDE else ''}] \\w # "
    environment = {**os.environ, **lab.operator_environment(where=options.where), "PS1": prompt}
    argv = lab.command(options.where, "bash", "--norc", "--noprofile", "-i" if sys.stdin.isatty() else "-s")
    os.chdir(environment["HOME"])
    os.execvpe(argv[0], argv, environment)


def _run(options: argparse.Namespace) -> int:
    lab = attached(options.name)
    argv = lab.command(options.where, *(options.argv[1:] if options.argv[:1] == ["--"] else options.argv))
    os.execvpe(argv[0], argv, {**os.environ, **lab.operator_environment(where=options.where)})


def _status(options: argparse.Namespace) -> int:
    lines = [status(name, logs=options.logs) for name in labs()]
    print("\n".join(line for line in lines if line) or "no lab of yours is up")
    return 0


def _kinds(_: argparse.Namespace) -> int:
    print("\n".join(f"{name:16} {kind.about}" for name, kind in KINDS.items()))
    return 0


def _build(_: argparse.Namespace) -> int:
    reason = programs.missing()
    if reason:
        raise LabFailed(reason)
    programs.provide(lambda line: print(line, flush=True))
    return 0


def _capabilities(_: argparse.Namespace) -> int:
    print(capabilities.table())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
