"""The tokens of ssh_config(5) in names of files: ~, %h and the like, ${VARIABLES}."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket

from flannelscope.sources.ssh.config_lines import home
from flannelscope.sources.ssh.values import Login

_TOKEN = re.compile(r"%(.)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def expanded(name: str, login: Login) -> str:
    """`name` as a path, for this login; a variable that is not set and a token that is not known stay as they are."""
    if "$" in name:
        name = _VARIABLE.sub(lambda found: os.environ.get(found[1], found[0]), name)
    if "%" in name:
        values = _values(login)
        name = _TOKEN.sub(lambda found: values.get(found[1], found[0]), name)
    return home() + name[1:] if name.startswith("~/") or name == "~" else name


def _values(login: Login) -> dict[str, str]:
    local = socket.gethostname()
    whole = f"{local}{login.host}{login.port}{login.user}"
    return {
        "%": "%",
        "C": hashlib.sha1(whole.encode(), usedforsecurity=False).hexdigest(),
        "d": home(),
        "h": login.host,
        "i": str(os.getuid()),
        "k": login.known_as[0],
        "L": local.partition(".")[0],
        "l": local,
        "n": login.alias,
        "p": str(login.port),
        "r": login.user,
        "u": getpass.getuser(),
    }
