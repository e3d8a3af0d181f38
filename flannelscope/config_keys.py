"""The settings there are: table, key, kind, default; and how a value of each kind is read from TOML or from text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flannelscope.cidr import parse
from flannelscope.model import Value
from flannelscope.ssh_settings import CONNECT_TIMEOUT, DEADLINE, WINDOW_DIRECT, WINDOW_HOP

Read = Callable[[Any], Any]

# Nothing that opens a door is read from a file or an environment that other tools may print.
SECRET = re.compile(r"pass|token|secret|credential|private|bearer|api_?key|client_?key", re.IGNORECASE)
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Setting(Value, frozen=True, kw_only=True):
    """One setting. `field` is its name in Config; `read` turns a TOML value or a text into it, or raises ValueError."""

    table: str
    key: str
    field: str
    read: Read
    default: Any
    meaning: str
    option: str = ""  # where its option is not called like the key

    @property
    def name(self) -> str:
        """table.key, as `config show` and mistakes name it."""
        return f"{self.table}.{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"FLANNELSCOPE_{self.table}_{self.key}".upper()


def text(value: Any) -> str:
    """One line of text."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts, or one text with commas."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise ValueError("must be a list of texts")
    return tuple(item.strip() for item in items if item.strip())


def files(value: Any) -> tuple[str, ...]:
    """File names, `~` filled in; a text may hold several, separated as in KUBECONFIG."""
    items = value.split(":") if isinstance(value, str) else value
    return tuple(str(Path(item).expanduser()) for item in texts(items))


def flag(value: Any) -> bool:
    """true or false."""
    said = value.strip().lower() if isinstance(value, str) else value
    if said in (True, *_TRUE):
        return True
    if said in (False, *_FALSE):
        return False
    raise ValueError("must be true or false")


def seconds(value: Any) -> float:
    """A time above 0 and up to an hour, in seconds."""
    number = _number(value)
    if not 0 < number <= 3600:
        raise ValueError("must be a number of seconds above 0 and up to 3600")
    return number


def percent(value: Any) -> float:
    """A share from 0 to 100."""
    number = _number(value)
    if not 0 <= number <= 100:
        raise ValueError("must be a percentage from 0 to 100")
    return number


def number(value: Any) -> int:
    """How many at once: a whole number from 1 to 1000."""
    found = _number(value)
    if found != int(found) or not 1 <= found <= 1000:
        raise ValueError("must be a whole number from 1 to 1000")
    return int(found)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("must be a number")
    try:
        return float(value)
    except ValueError:
        raise ValueError("must be a number") from None


def prefixes(value: Any) -> tuple[str, ...]:
    """IP prefixes, kept as written."""
    found = texts(value)
    wrong = [item for item in found if parse(item) is None]
    if wrong:
        raise ValueError(f"{wrong[0]} is no IP prefix such as 10.244.0.0/16")
    return found


def masks(value: Any) -> tuple[int, ...]:
    """Prefix lengths from 1 to 128; a leading slash is allowed."""
    items = [value] if isinstance(value, int) and not isinstance(value, bool) else value
    items = items.split(",") if isinstance(items, str) else items
    if not isinstance(items, (list, tuple)):
        raise ValueError("must be a list of prefix lengths")
    found = []
    for item in items:
        digits = str(item).strip().removeprefix("/")
        if not (digits.isascii() and digits.isdigit() and 1 <= int(digits) <= 128) or isinstance(item, bool):
            raise ValueError(f"{item} is no prefix length from 1 to 128")
        found.append(int(digits))
    return tuple(found)


def one_of(*choices: str) -> Read:
    """A word among `choices`."""

    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return str(value)

    return read


def file(value: Any) -> str:
    """One file name, `~` filled in."""
    name = text(value)
    return str(Path(name).expanduser()) if name else ""


def _setting(name: str, field: str, read: Read, default: Any, meaning: str, option: str = "") -> Setting:
    table, _, key = name.partition(".")
    return Setting(table=table, key=key, field=field, read=read, default=default, meaning=meaning, option=option)


TABLES = ("kube", "ssh", "console", "keys", "limits", "suppress")
SETTINGS: Sequence[Setting] = (
    _setting("kube.kubeconfig", "kubeconfig", files, (), "kubeconfig files, in order; empty: kubectl's own rules"),
    _setting("kube.context", "context", text, "", "context of the kubeconfig; empty: the current one"),
    _setting("kube.pods", "pods", one_of("none", "suspect", "all"), "all", "which pods are read"),
    _setting("kube.timeout", "timeout", seconds, 15.0, "seconds that one request may take"),
    _setting("kube.cluster_cidr", "cluster_cidrs", prefixes, (), "cluster CIDRs, instead of what is discovered"),
    _setting("kube.node_cidr_mask_size", "node_masks", masks, (), "node masks, in the order of the cluster CIDRs"),
    _setting("kube.service_cidr", "service_cidrs", prefixes, (), "service ranges, instead of what is discovered"),
    _setting("ssh.enabled", "ssh", flag, False, "whether nodes are logged in to and their kernels read", "--ssh"),
    _setting("ssh.user", "ssh_user", text, "", "login name; empty: what the ssh configuration says", "--ssh-user"),
    _setting("ssh.config", "ssh_config", file, "", "ssh configuration file; empty: yours and the system's", "--ssh-config"),
    _setting("ssh.identity", "identities", files, (), "private key files; empty: the agent's and the ssh configuration's"),
    _setting("ssh.known_hosts", "known_hosts", files, (), "files of host keys; empty: those of the ssh configuration"),
    _setting(
        "ssh.transport", "transport", one_of("paramiko", "openssh"), "paramiko", "who speaks SSH: the library or the system's ssh"
    ),
    _setting("ssh.window_direct", "window_direct", number, WINDOW_DIRECT, "nodes read at once, reached directly"),
    _setting("ssh.window_hop", "window_hop", number, WINDOW_HOP, "nodes read at once through one jump host"),
    _setting("ssh.connect_timeout", "connect_timeout", seconds, CONNECT_TIMEOUT, "seconds until a node has let us in"),
    _setting("ssh.deadline", "deadline", seconds, DEADLINE, "seconds until a node has answered everything"),
    _setting("console.report_on_exit", "report_on_exit", flag, False, "leave a short report when the console closes"),
    _setting(
        "limits.fail_on",
        "fail_on",
        one_of("info", "warning", "critical", "never"),
        "warning",
        "severity from which check exits 1",
    ),
    _setting("limits.require_coverage", "require_coverage", percent, 0.0, "coverage in percent below which check exits 4"),
    _setting("suppress.codes", "suppress", texts, (), "findings not to show: CODE or CODE=SUBJECT"),
)
