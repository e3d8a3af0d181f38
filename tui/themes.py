"""Which colours: our own theme where the terminal has them all, the terminal's own sixteen elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

OWN = "flannelscope"
THEME = Theme(
    name=OWN,
    primary="#7fb4e0",
    secondary="#8aa1b4",
    accent="#5fc9c0",
    warning="#e5b567",
    error="#f0705f",
    success="#86c07a",
    foreground="#d8dee4",
    background="#11161b",
    surface="#1a2128",
    panel="#202932",
    dark=True,
)


def choose(environment: Mapping[str, str]) -> str:
    """The theme for a terminal; where no colour is wanted, one that leaves all of them to the terminal.

    COLORFGBG, where set, ends with the number of the background's colour.
    """
    if "NO_COLOR" not in environment and environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return OWN
    background = environment.get("COLORFGBG", "").rpartition(";")[2]
    return "ansi-light" if background in ("7", "15") else "ansi-dark"


def look(theme: Theme, no_color: bool) -> Mapping[str, Style]:
    """How each role is painted; without colours, or with the terminal's own, the cursor is reversed."""
    known = _LOOKS.get((theme.name, no_color))
    if known is None:
        known = _LOOKS[theme.name, no_color] = _looks(theme, no_color)
    return known


_LOOKS: dict[tuple[str, bool], dict[str, Style]] = {}
_ANSI = {"bad": "ansi_red", "warn": "ansi_yellow", "info": "ansi_cyan", "good": "ansi_green", "unknown": "ansi_magenta"}


def _looks(theme: Theme, no_color: bool) -> dict[str, Style]:
    own = {
        "bad": theme.error,
        "warn": theme.warning,
        "info": theme.primary,
        "good": theme.success,
        "unknown": theme.accent,
        "muted": theme.secondary,
        "accent": theme.accent,
    }
    colours = {**own, **_ANSI, "muted": None, "accent": "ansi_cyan"} if theme.ansi else own
    styles = {role: _style(colour) for role, colour in colours.items()}
    styles["bad"] += Style(bold=True)
    styles["accent"] += Style(bold=True)
    if colours["muted"] is None:
        styles["muted"] = Style(dim=True)
    styles["title"] = styles["key"] = Style(bold=True)
    reversed_ = theme.ansi or no_color
    lifted = Color.parse(theme.panel or theme.primary).lighten(0.1) if not reversed_ else None
    styles["cursor"] = Style(bold=True, reverse=True) if lifted is None else Style(bgcolor=lifted.rich_color, bold=True)
    styles["cursor-away"] = Style(bold=True)
    return styles


def _style(colour: str | None) -> Style:
    return Style(color=Color.parse(colour).rich_color) if colour else Style.null()
