"""One call of the program: its global options, the configuration that follows from them, and how its failure is told."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from flannelscope import __version__
from flannelscope.config import Config, load
from flannelscope.errors import FlannelscopeError, UsageError
from flannelscope.session import Settings
from flannelscope.text import clean, clean_lines
from tui.log import LOGGER, close_log, open_log
from tui.streams import emit, say

INTERRUPTED = 130


class Call:
    """What was asked for. `options` are the global options that were given, by table.key or by their own name."""

    def __init__(self, options: Mapping[str, Any], output: str = "text") -> None:
        self.options = options
        self.output = output
        self.asking = False  # whether the ranges given are a question, not what the cluster has

    @property
    def debug(self) -> bool:
        """Whether tracebacks and every request are shown."""
        return bool(self.options.get("debug"))

    @cached_property
    def config(self) -> Config:
        """The configuration in effect. Raises UsageError with every mistake."""
        from tui.actions import actions

        given = {name: value for name, value in self.options.items() if "." in name}
        return load(given, file=self.options.get("config", ""), actions=actions, asking=self.asking)

    def settings(self, from_file: str = "", *, eyes: bool = True) -> Settings:
        """What to read; without `eyes` no node is logged in to, whatever the configuration says.

        Raises UsageError for a wrong configuration or two worlds at once.
        """
        demo = self.options.get("demo", "")
        if from_file and demo:
            raise UsageError("--demo and --from name two different clusters", "", "Give only one of them.")
        settings = self.config.settings(demo=demo, from_file=from_file)
        return settings if eyes else replace(settings, ssh=None)

    def run(self, work: Callable[[], int | None]) -> int:
        """Do the work of a command; its exit code, whatever happens. With `-o json` a failure is a document too."""
        log = None
        try:
            if self.options.get("log_file"):
                log = open_log(self.options["log_file"], debug=self.debug)
                LOGGER.info("flannelscope %s begins", __version__)
            return work() or 0
        except FlannelscopeError as error:
            return self.failed(error, error.exit_code)
        except KeyboardInterrupt:
            return self.failed(FlannelscopeError("interrupted"), INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - a bug: told in a sentence, its traceback with --debug
            bug = f"flannelscope met an error of its own: {type(error).__name__}: {error}"
            return self.failed(FlannelscopeError(bug, "", "Run it again with --debug and report what it shows."), 3)
        finally:
            close_log(log)

    def failed(self, error: FlannelscopeError, code: int) -> int:
        """Tell a failure on standard error, and with `-o json` as the document on standard output; `code`."""
        LOGGER.error("ends with exit code %d: %s", code, error)
        if self.debug and sys.exc_info()[0] is not None:
            LOGGER.debug("traceback", exc_info=True)
            say(clean_lines(traceback.format_exc().rstrip()))
        if self.output == "json":
            self._document(error)
        say(sentence(error))
        return code

    def _document(self, error: FlannelscopeError) -> None:
        from flannelscope.report.document import encode
        from flannelscope.report.document import error as document

        try:
            emit(encode(document(error)))
        except FlannelscopeError as unwritable:
            LOGGER.error("%s", unwritable)


def end_in_order() -> None:
    """End by SIGTERM and by a terminal that is gone as by Ctrl-C: what was opened, such as connections, is closed first."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:  # nohup has it ignored
                signal.signal(number, signal.default_int_handler)


def sentence(error: FlannelscopeError) -> str:
    """What, where, what to do: cleaned, each part once."""
    what = clean(error.what).rstrip(".")
    where = clean(error.where)
    shown = f"{what} ({where})." if where and where not in what else f"{what}."
    return f"flannelscope: {shown} {clean(error.do)}".rstrip()
