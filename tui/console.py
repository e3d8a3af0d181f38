"""Opens the console: a terminal is needed, and an interactive login happens before the first frame."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

from msgspec.structs import replace

from flannelscope.errors import UsageError
from flannelscope.session import Settings
from tui.call import Call
from tui.streams import is_terminal


def open_console(call: Call) -> int:
    """Run the console until it is left.

    Raises UsageError without a terminal, NoCluster when there is nothing to connect to.
    """
    settings = call.settings()
    if not all(map(is_terminal, (sys.stdin, sys.stdout, sys.stderr))) or os.environ.get("TERM", "dumb") == "dumb":
        raise UsageError(
            "the console needs a terminal", "", "Without one use flannelscope check, or flannelscope nodes; both can be piped."
        )
    settings = _logged_in(settings)
    gc.disable()  # until the first frame stands: what is imported stays anyway
    from tui.engine import early

    engine = early(settings)
    from tui.app import run

    return run(settings, engine, keys=call.config.keys, report_on_exit=call.config.report_on_exit)


def _plain(settings: Settings) -> bool:
    """Whether the kubeconfig is there, knows the context and names no exec plugin, as far as its bytes tell.

    Then nothing is to be asked or refused before the first frame, and its reader (some 70 ms of imports) is left to the child.
    """
    try:
        paths = settings.kubeconfig or os.environ.get("KUBECONFIG", "").split(os.pathsep)
        files = [Path(path).read_bytes() for path in filter(None, paths)] or [Path("~/.kube/config").expanduser().read_bytes()]
    except (OSError, RuntimeError):
        return False
    return not any(b"exec" in content for content in files) and any(settings.context.encode() in content for content in files)


def _logged_in(settings: Settings) -> Settings:
    if settings.demo or settings.from_file or _plain(settings):
        return settings
    from flannelscope.sources.kubeconfig import login

    return replace(settings, login=login(settings))
