"""`flannelscope rbac read`: the manifest of exactly the rights that reading needs."""

from __future__ import annotations

from tui.call import Call
from tui.commands import Commands, headless


@headless("read", short_help="The rights to read.")
def read(call: Call) -> None:
    """Print the manifest of the rights that flannelscope needs to read everything it looks at."""
    from flannelscope.rbac import manifest
    from tui.streams import emit

    emit(manifest("read"))


command = Commands("rbac", commands=[read], no_args_is_help=True, short_help="Manifests of the rights that are needed.")
