"""Opens the console: a terminal is needed, and an interactive login happens before the first frame."""

from __future__ import annotations

import gc
import os
import sys

from msgspec.structs import replace

from flannelscope.errors import UsageError
from flannelscope.session import Settings
from tui.call import Call
from tui.streams import is_terminal


def open_console(call: Call) -> int:
    """Run the console until it is left. Raises UsageError without a terminal, NoCluster when there is nothing to connect to."""
    settings = call.settings()
    if not is_terminal(sys.stdin) or not is_terminal(sys.stdout) or os.environ.get("TERM", "dumb") == "dumb":
        raise UsageError(
            "the console needs a terminal", "", "Without one use flannelscope check, or flannelscope nodes; both can be piped."
        )
    settings = _logged_in(settings)
    gc.disable()  # until the first frame stands: what is imported stays anyway
    from tui.app import run

    return run(settings, keys=call.config.keys, report_on_exit=call.config.report_on_exit)


def _logged_in(settings: Settings) -> Settings:
    if settings.demo or settings.from_file:
        return settings
    from flannelscope.sources.kubeconfig import login

    return replace(settings, login=login(settings))
