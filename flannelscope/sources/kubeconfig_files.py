"""Kubeconfig files: read, checked and merged as client-go's tools/clientcmd does it.

The first file that has a name (of a cluster, a user, a context) wins with the whole entry; the first current-context that
is not empty wins; paths are relative to the file they stand in. What stands in the files is in no error: only where.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import yaml

from flannelscope.errors import WrongKubeconfig
from flannelscope.sources.secret import Hidden
from flannelscope.text import clean

_MOST = 16 << 20  # bytes of one file
_VALUES = 1_000_000  # values in one file; one with 60 contexts has some thousand
_DEPTH = 100
_COMPARE = "`kubectl config view` shows how kubectl reads it."


class Cluster(Hidden, frozen=True, kw_only=True, eq=False):
    """How to reach a server."""

    server: str = ""
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    proxy_url: str = ""
    disable_compression: bool = False
    extensions: Any = None


class Variable(Hidden, frozen=True, kw_only=True, eq=False):
    """A variable of the environment of an exec plugin."""

    name: str
    value: str = ""


class Exec(Hidden, frozen=True, kw_only=True, eq=False, rename="camel"):
    """A program that gives credentials."""

    command: str = ""
    args: tuple[str, ...] = ()
    env: tuple[Variable, ...] = ()
    api_version: str = ""
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""


class User(Hidden, frozen=True, kw_only=True, eq=False):
    """Who we are, and as whom we act."""

    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    username: str = ""
    password: str = ""
    exec: Exec | None = None
    auth_provider: Any = None
    as_user: str = msgspec.field(default="", name="as")
    as_uid: str = ""
    as_groups: tuple[str, ...] = ()
    as_user_extra: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


class Context(Hidden, frozen=True, kw_only=True, eq=False):
    """A cluster and a user, by name."""

    cluster: str = ""
    user: str = ""


class _NamedCluster(Hidden, frozen=True, kw_only=True, eq=False):
    name: str
    cluster: Cluster = Cluster()


class _NamedUser(Hidden, frozen=True, kw_only=True, eq=False):
    name: str
    user: User = User()


class _NamedContext(Hidden, frozen=True, kw_only=True, eq=False):
    name: str
    context: Context = Context()


class _File(Hidden, frozen=True, kw_only=True, eq=False):
    kind: str = msgspec.field(default="Config", name="kind")
    current_context: str = ""
    clusters: tuple[_NamedCluster, ...] = ()
    users: tuple[_NamedUser, ...] = ()
    contexts: tuple[_NamedContext, ...] = ()


class Merged:
    """All files as one. Entries come with the file they stand in."""

    def __init__(self) -> None:
        self.files: list[Path] = []
        self.current = ""
        self.clusters: dict[str, tuple[Cluster, Path]] = {}
        self.users: dict[str, tuple[User, Path]] = {}
        self.contexts: dict[str, tuple[Context, Path]] = {}

    def add(self, path: Path, file: _File) -> None:
        """Add a file that has less to say than those before."""
        self.files.append(path)
        self.current = self.current or file.current_context
        _merge(self.clusters, "cluster", path, ((entry.name, entry.cluster) for entry in file.clusters))
        _merge(self.users, "user", path, ((entry.name, entry.user) for entry in file.users))
        _merge(self.contexts, "context", path, ((entry.name, entry.context) for entry in file.contexts))


Entry = TypeVar("Entry")


def _merge(into: dict[str, tuple[Entry, Path]], kind: str, path: Path, entries: Iterable[tuple[str, Entry]]) -> None:
    seen: set[str] = set()
    for name, entry in entries:
        if name in seen:
            raise WrongKubeconfig(f"the kubeconfig has two {kind} entries named {name}", str(path), "Remove one of them.")
        seen.add(name)
        into.setdefault(name, (entry, path))


class Data(NamedTuple):
    """The content of a field or of the file it names, and what to call it in an error."""

    content: bytes
    where: str


def read(paths: Iterable[str], *, required: bool) -> Merged:
    """Read and merge; a file that does not exist is skipped unless `required`. Raises WrongKubeconfig."""
    merged = Merged()
    for name in dict.fromkeys(path for path in paths if path):
        path = Path(name)
        try:
            with path.open("rb") as file:
                content = file.read(_MOST + 1)
        except FileNotFoundError:
            if required:
                raise WrongKubeconfig("the kubeconfig does not exist", name, "Give another by --kubeconfig.") from None
            continue
        except OSError as problem:
            raise WrongKubeconfig(
                f"the kubeconfig cannot be read: {problem.strerror}", name, "Check its owner and mode."
            ) from None
        merged.add(path, _parse(content, name))
    return merged


def _parse(content: bytes, name: str) -> _File:
    if len(content) > _MOST:
        raise WrongKubeconfig("the kubeconfig is larger than 16 MiB", name, "Is it another file?")
    try:
        data = yaml.load(content, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        place = f" near line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise WrongKubeconfig(f"the kubeconfig is not YAML{place}", name, _COMPARE) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise WrongKubeconfig("the kubeconfig is not YAML", name, _COMPARE) from None
    if data is None:
        return _File()
    if not isinstance(data, dict) or data.get("kind", "Config") != "Config":
        raise WrongKubeconfig(
            "the file is not a kubeconfig: it is no object of kind Config", name, "Give another by --kubeconfig."
        )
    try:
        return msgspec.convert(_Pruned().of(data), _File)
    except _TooDeep:
        raise WrongKubeconfig("the kubeconfig nests too deeply or repeats itself by aliases", name, _COMPARE) from None
    except msgspec.ValidationError as problem:
        # Names types and the path of the field, never its value.
        raise WrongKubeconfig(f"the kubeconfig is wrong: {clean(str(problem), 200)}", name, _COMPARE) from None


class _TooDeep(Exception):
    """The document nests or repeats itself beyond any kubeconfig: aliases can make a few lines into billions of values."""


class _Pruned:
    """A document without its empty values: `args: null` and `namespace:` are common and mean the default."""

    def __init__(self) -> None:
        self._left = _VALUES

    def of(self, data: Any, depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0 or depth > _DEPTH:
            raise _TooDeep
        if isinstance(data, dict):
            return {key: self.of(value, depth + 1) for key, value in data.items() if value is not None}
        if isinstance(data, list):
            return [self.of(value, depth + 1) for value in data]
        return data


def resolved(path: str, file: Path) -> Path:
    """A path that stands in `file`."""
    return file.parent.absolute() / path


def content(data: str, path: str, file: Path, field: str) -> Data | None:
    """The bytes of a field that has a `-data` twin (base64, which wins) and a path; None where neither is set."""
    if data:
        where = f"{field}-data in {file}"
        try:
            return Data(base64.b64decode("".join(data.split()), validate=True), where)
        except (binascii.Error, ValueError):
            raise WrongKubeconfig(f"{field}-data is not base64", str(file), _COMPARE) from None
    if not path:
        return None
    named = resolved(path, file)
    try:
        with named.open("rb") as opened:
            return Data(opened.read(_MOST), str(named))
    except OSError as problem:
        raise WrongKubeconfig(f"{field} cannot be read: {problem.strerror}", str(named), f"It is named in {file}.") from None
