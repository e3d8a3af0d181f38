"""Configuration: option > FLANNELSCOPE_TABLE_KEY > file > default, into one frozen Config that knows each value's origin.

The file is `$XDG_CONFIG_HOME/flannelscope/config.toml` (`~/.config` when that is unset). All mistakes are reported at
once, and nothing runs with half of a configuration. The environment variable KUBECONFIG counts as kubectl has it: above the file,
below FLANNELSCOPE_KUBE_KUBECONFIG and --kubeconfig.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from flannelscope.cidr import parse
from flannelscope.config_keys import SECRET, SETTINGS, TABLES, Setting
from flannelscope.errors import UsageError
from flannelscope.model import Value
from flannelscope.session import Settings
from flannelscope.ssh_settings import CONNECT_TIMEOUT, DEADLINE, WINDOW_DIRECT, WINDOW_HOP, SshSettings

PREFIX = "FLANNELSCOPE_"
Actions = Callable[[], Collection[str]] | None
KUBECONFIG = "environment KUBECONFIG"


class Config(Value, frozen=True, kw_only=True):
    """All settings in effect. `origins` says by table.key where each came from; `file` is the file that was read, or ""."""

    kubeconfig: tuple[str, ...] = ()
    context: str = ""
    pods: str = "all"
    timeout: float = 15.0
    cluster_cidrs: tuple[str, ...] = ()
    node_masks: tuple[int, ...] = ()
    service_cidrs: tuple[str, ...] = ()
    ssh: bool = False
    ssh_user: str = ""
    ssh_config: str = ""
    identities: tuple[str, ...] = ()
    known_hosts: tuple[str, ...] = ()
    transport: str = "paramiko"
    window_direct: int = WINDOW_DIRECT
    window_hop: int = WINDOW_HOP
    connect_timeout: float = CONNECT_TIMEOUT
    deadline: float = DEADLINE
    report_on_exit: bool = False
    keys: Mapping[str, str] = {}
    fail_on: str = "warning"
    require_coverage: float = 0.0
    suppress: tuple[str, ...] = ()
    origins: Mapping[str, str] = {}
    file: str = ""

    def settings(self, *, demo: str = "", from_file: str = "", login: str = "") -> Settings:
        """What a run looks at. kubectl's own rules find the files of KUBECONFIG (a missing one among them is no mistake)."""
        own = self.origins.get("kube.kubeconfig") != KUBECONFIG
        return Settings(
            kubeconfig=self.kubeconfig if own else (),
            context=self.context,
            demo=demo,
            from_file=from_file,
            pods=self.pods,
            timeout=self.timeout,
            cluster_cidrs=self.cluster_cidrs,
            node_masks=self.node_masks,
            service_cidrs=self.service_cidrs,
            login=login,
            ssh=self.reach if self.ssh else None,
        )

    @property
    def reach(self) -> SshSettings:
        """How nodes are logged in to, where that is asked for."""
        return SshSettings(
            user=self.ssh_user,
            config=self.ssh_config,
            identities=self.identities,
            known_hosts=self.known_hosts,
            transport=self.transport,
            window_direct=self.window_direct,
            window_hop=self.window_hop,
            connect_timeout=self.connect_timeout,
            deadline=self.deadline,
        )

    def show(self) -> Iterator[tuple[str, Any, str]]:
        """(table.key, value, origin) of every setting, bound keys last."""
        for setting in SETTINGS:
            yield setting.name, getattr(self, setting.field), self.origins.get(setting.name, "default")
        for action, key in self.keys.items():
            yield f"keys.{action}", key, self.origins.get(f"keys.{action}", "default")


def default_file(environment: Mapping[str, str]) -> Path:
    """Where the configuration file is looked for; a relative XDG_CONFIG_HOME does not count (XDG Base Directory 0.8)."""
    home = environment.get("XDG_CONFIG_HOME", "")
    base = Path(home) if home.startswith("/") else Path(environment.get("HOME") or Path.home()) / ".config"
    return base / "flannelscope" / "config.toml"


def load(
    options: Mapping[str, Any] | None = None,
    *,
    file: str = "",
    environment: Mapping[str, str] | None = None,
    actions: Actions = None,
    asking: bool = False,
) -> Config:
    """The configuration in effect.

    `options` are values by table.key, given on the command line; `file` is the one of --config, which must exist.
    `actions` tells the names that [keys] may bind, and is asked only where there are keys (None: any name).
    `asking`: the ranges are a question, as for `cidr plan`, whose answer says what is wrong with them.
    Raises UsageError that lists every mistake.
    """
    environment = os.environ if environment is None else environment
    mistakes: list[str] = []
    path = Path(file).expanduser() if file else default_file(environment)
    tables = _read(path, bool(file))
    given: dict[str, tuple[Any, str]] = {}
    _from_file(tables, str(path), actions, given, mistakes)
    if environment.get("KUBECONFIG"):
        given["kube.kubeconfig"] = (environment["KUBECONFIG"], KUBECONFIG)
    _from_environment(environment, actions, given, mistakes)
    for name, value in (options or {}).items():
        given[name] = (value, f"option {_option(name)}")
    config = _build(given, str(path) if tables is not None else "", mistakes)
    mistakes += _ranges(config, asking)
    if mistakes:
        raise UsageError("the configuration is wrong: " + "; ".join(mistakes), "", "Correct what is named.")
    return config


def _option(name: str) -> str:
    """The option that sets table.key."""
    setting = next((setting for setting in SETTINGS if setting.name == name), None)
    return setting.option if setting and setting.option else f"--{name.partition('.')[2].replace('_', '-')}"


def _read(path: Path, must_exist: bool) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if must_exist:
            raise UsageError("there is no such configuration file", str(path), "Give another file to --config.") from None
        return None
    except NotADirectoryError:
        return None
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", "") or "it is no UTF-8 text"
        raise UsageError(
            f"the configuration file cannot be read: {reason}", str(path), "Correct its rights or contents."
        ) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"the configuration file is no TOML: {error}", str(path), "Correct it.") from error


def _from_file(
    tables: dict[str, Any] | None,
    path: str,
    actions: Actions,
    given: dict[str, tuple[Any, str]],
    mistakes: list[str],
) -> None:
    for table, entries in (tables or {}).items():
        if table not in TABLES or not isinstance(entries, dict):
            mistakes.append(f"{path}: there is no table [{table}] (tables: {', '.join(TABLES)})")
            continue
        for key, value in _dotted(entries) if table == "keys" else entries.items():
            problem = _problem(table, key, actions)
            if problem:
                mistakes.append(f"{path}: {problem}")
            else:
                given[f"{table}.{key}"] = (value, f"file {path}")


def _dotted(entries: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys as the console names them: `table.wide = "w"` under [keys] is a table within a table for TOML."""
    for key, value in entries.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{rest}", inner) for rest, inner in _dotted(value))
        else:
            yield key, value


def _from_environment(
    environment: Mapping[str, str], actions: Actions, given: dict[str, tuple[Any, str]], mistakes: list[str]
) -> None:
    for variable, value in sorted(environment.items()):
        table, _, key = variable.removeprefix(PREFIX).lower().partition("_")
        if table == "keys":  # FLANNELSCOPE_KEYS_TABLE_PAGE_DOWN binds table.page-down
            key = key.replace("_", ".", 1).replace("_", "-")
        if not variable.startswith(PREFIX) or table not in TABLES or not key:
            continue
        problem = _problem(table, key, actions)
        if problem:
            mistakes.append(f"{variable}: {problem}")
        else:
            given[f"{table}.{key}"] = (value, f"environment {variable}")


def _problem(table: str, key: str, actions: Actions) -> str:
    """Why this key is not accepted, or ""."""
    if table == "keys":
        if actions is None or key in actions():
            return ""
        return f"there is no action {key} to bind in [keys]; there are {', '.join(sorted(actions()))}"
    if any(setting.table == table and setting.key == key for setting in SETTINGS):
        return ""
    if SECRET.search(key):
        return f"{table}.{key}: secrets are not accepted here; keep them in the kubeconfig, an agent or an exec plugin"
    known = ", ".join(setting.key for setting in SETTINGS if setting.table == table)
    return f"there is no key {table}.{key} (keys of [{table}]: {known})"


def _build(given: Mapping[str, tuple[Any, str]], file: str, mistakes: list[str]) -> Config:
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        if setting.name in given:
            values[setting.field] = _value(setting, given[setting.name], mistakes)
    values["keys"] = _keys(given, mistakes)
    return Config(**values, origins={name: origin for name, (_, origin) in given.items()}, file=file)


def _ranges(config: Config, asking: bool) -> Iterator[str]:
    """What no controller manager would start with."""
    if not (config.cluster_cidrs or config.node_masks or config.service_cidrs):
        return
    from flannelscope.config_ranges import families, masks, surplus

    clusters = [prefix for prefix in map(parse, config.cluster_cidrs) if prefix is not None]
    wrong = {"kube.node_cidr_mask_size": [*surplus(clusters, config.node_masks)]}
    if not asking:
        wrong["kube.node_cidr_mask_size"] += masks(clusters, config.node_masks)
        wrong["kube.cluster_cidr"] = [*families(config.cluster_cidrs, "cluster CIDRs")]
        wrong["kube.service_cidr"] = [*families(config.service_cidrs, "service ranges")]
    for name, mistakes in wrong.items():
        yield from (f"{config.origins[name]}: {mistake}" for mistake in mistakes)


def _value(setting: Setting, said: tuple[Any, str], mistakes: list[str]) -> Any:
    value, origin = said
    try:
        return setting.read(value)
    except ValueError as error:
        mistakes.append(f"{origin}: {setting.name} {error}")
        return setting.default


def _keys(given: Mapping[str, tuple[Any, str]], mistakes: list[str]) -> dict[str, str]:
    bound: dict[str, str] = {}
    for name, (value, origin) in given.items():
        table, _, action = name.partition(".")
        if table != "keys":
            continue
        if isinstance(value, str) and value.strip():
            bound[action] = value.strip()
        else:
            mistakes.append(f"{origin}: {name} must be the name of a key, such as ctrl+r")
    return bound
