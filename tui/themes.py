"""Which colours: our own theme where the terminal has them all, the terminal's own sixteen elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

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
    """The theme for a terminal. COLORFGBG, where set, ends with the number of the background's colour."""
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return OWN
    background = environment.get("COLORFGBG", "").rpartition(";")[2]
    return "ansi-light" if background in ("7", "15") else "ansi-dark"
