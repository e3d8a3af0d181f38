"""`flannelscope ssh`: what would run on the nodes, and what sudo has to allow there."""

from __future__ import annotations

import re

import click

from flannelscope.errors import UsageError
from tui.call import Call
from tui.commands import Commands, headless

# useradd(8). Anything else means something of its own in sudoers(5): ALL, %group, an alias, a line of its own.
_USER = re.compile(r"[a-z_][a-z0-9_.-]*\$?")


@headless("sudoers", short_help="The lines a sudoers file needs for the root probes.")
@click.argument("user", required=False)
def sudoers(call: Call, user: str | None) -> None:
    """Print lines for a file in /etc/sudoers.d of every node: they allow USER (default: the login name of --ssh-user)
    exactly the commands that read what only root may, and nothing else. Check them with visudo -cf FILE.
    """
    from flannelscope.bundle_script import sudoers as lines
    from flannelscope.probes import all_probes
    from tui.streams import emit

    name = user or call.config.ssh_user
    if not name:
        raise UsageError(
            "Whom these lines are for is not known.", "", "Give the name of the user on the nodes: ssh sudoers USER."
        )
    if not _USER.fullmatch(name):
        raise UsageError(f"{name!r} is no user name that sudoers takes as it stands.", "", "Write these lines by hand for it.")
    emit("".join(f"{line}\n" for line in lines(all_probes().values(), name)))


@headless("script", short_help="The script that runs on each node, exactly.")
def script(call: Call) -> None:
    """Print the script that is given to `sh -s` on each node. Only the number after N= is another each time: it marks the
    answers, so that nothing on a node can be taken for one.
    """
    from secrets import token_hex

    from flannelscope.bundle_script import script as written
    from flannelscope.probes import all_probes
    from tui.streams import emit

    emit(written(all_probes().values(), token_hex(16)).decode())


command = Commands("ssh", commands=[sudoers, script], no_args_is_help=True, short_help="What runs on the nodes, and as whom.")
