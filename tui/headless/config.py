"""`flannelscope config show`: every setting with its origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.call import Call
from tui.commands import Commands, headless, output_option


@headless("show", short_help="Every setting with its origin.")
@output_option("text", "json")
def show(call: Call, output: str) -> None:
    """Print every setting, its value, and where it came from: option, environment, file or default."""
    import os

    from flannelscope.config import default_file
    from flannelscope.report import SCHEMA
    from flannelscope.report.document import encode
    from flannelscope.text import clean
    from tui.streams import emit, say

    config = call.config
    lines = list(config.show())
    if output == "json":
        settings = [{"setting": name, "value": value, "from": origin} for name, value, origin in lines]
        emit(encode({"schema": SCHEMA, "file": config.file or None, "settings": settings}))
        return
    width = max(len(name) for name, _, _ in lines)
    emit("".join(f"{name:{width}} = {clean(shown(value))}  <- {clean(origin)}\n" for name, value, origin in lines))
    if not config.file:
        say(clean(f"There is no configuration file; it would be {default_file(os.environ)}."))


def shown(value: Any) -> str:
    """A value as TOML would have it."""
    import json

    if isinstance(value, (tuple, list)):
        return f"[{', '.join(shown(item) for item in value)}]"
    assert not isinstance(value, Mapping)
    return json.dumps(value, ensure_ascii=False)


command = Commands("config", commands=[show], no_args_is_help=True, short_help="The configuration in effect.")
