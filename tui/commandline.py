"""What can be typed behind the colon: pages by name with a filter, one node or finding, and the commands of the console."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.app import App

from flannelscope.text import natural

if TYPE_CHECKING:
    from tui.app import FlannelScope

ALIASES = {"no": "nodes", "n": "node", "f": "findings", "o": "overview", "q": "quit", "q!": "quit", "exit": "quit", "h": "help"}
MOST = 50  # completions


def _scope(app: App[Any]) -> FlannelScope:
    from tui.app import FlannelScope

    assert isinstance(app, FlannelScope)
    return app


def _themes(app: FlannelScope) -> list[str]:
    return sorted(app.available_themes)


def _nodes(app: FlannelScope) -> list[str]:
    return sorted(app.store.state.rows, key=natural)


def _codes(app: FlannelScope) -> list[str]:
    return list(dict.fromkeys(finding.code for finding in app.store.state.findings))


def _open_node(app: FlannelScope, name: str) -> str:
    if name not in app.store.state.rows:
        return f"there is no node {name}" if name else "which node?"
    app.open("node", name)
    return ""


def _open_finding(app: FlannelScope, code: str) -> str:
    found = [finding for finding in app.store.state.findings if finding.code == code.upper()]
    if not found:
        return f"no finding {code}" if code else "which code?"
    if len(found) == 1:
        app.open("finding", found[0].key)
    else:
        app.go("findings", code)
    return ""


def _theme(app: FlannelScope, name: str) -> str:
    if name not in app.available_themes:
        return f"there is no theme {name}" if name else "which theme?"
    app.theme = name
    return ""


def _zone(app: FlannelScope, local: bool) -> str:
    app.store.put(local=local)
    return ""


def _copied(app: FlannelScope, _: str) -> str:
    from tui.copied import print_copied

    return print_copied(app, ascii_only=app.ascii is not None)


def _done(action: Callable[[], object]) -> str:
    action()
    return ""


COMMANDS: dict[str, tuple[str, Callable[[FlannelScope, str], str], Callable[[FlannelScope], list[str]] | None]] = {
    "node": ("one node by name", _open_node, _nodes),
    "finding": ("findings of one code", _open_finding, _codes),
    "reread": ("read again", lambda app, _: _done(app.action_reread), None),
    "stop": ("end reading and following", lambda app, _: _done(app.action_stop), None),
    "utc": ("times in UTC", lambda app, _: _zone(app, False), None),
    "local": ("times in the zone of this machine", lambda app, _: _zone(app, True), None),
    "theme": ("other colours", _theme, _themes),
    "copied": ("print what was copied last, to be marked with the mouse", _copied, None),
    "help": ("keys that work here", lambda app, _: _done(app.action_help), None),
    "quit": ("leave flannelscope", lambda app, _: _done(lambda: app.exit(0)), None),
}


def perform(typed: str, any_app: App[Any]) -> str:
    """Do what was typed. Returns what is wrong with it, "" when it was done."""
    app = _scope(any_app)
    name, _, rest = typed.strip().partition(" ")
    rest = rest.strip()
    name = ALIASES.get(name, name)
    if not name:
        return ""
    if name in app.pages:
        if rest and not rest.startswith("/"):
            return f"after {name} a filter can follow: /text"
        app.go(name, rest[1:])
        wrong = ""
    elif name in COMMANDS:
        wrong = COMMANDS[name][1](app, rest)
    else:
        return f"no command {name}; tab shows what there is"
    if not wrong and typed.strip() not in app.commands[-1:]:
        app.commands.append(typed.strip())
    return wrong


def complete(typed: str, any_app: App[Any]) -> list[str]:
    """The whole commands that `typed` could become, at most 50."""
    app = _scope(any_app)
    name, blank, rest = typed.lstrip().partition(" ")
    if not blank:
        return [word for word in sorted([*app.pages, *COMMANDS]) if word.startswith(name)]
    known = COMMANDS.get(ALIASES.get(name, name))
    if known is None or known[2] is None:
        return []
    return [f"{name} {word}" for word in known[2](app) if word.lower().startswith(rest.lower())][:MOST]


def history(any_app: App[Any]) -> list[str]:
    """What was typed before, oldest first."""
    return _scope(any_app).commands
