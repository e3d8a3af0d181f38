"""What SSH is used with, what is dialled, and what comes of it."""

from __future__ import annotations

from flannelscope.model.base import Value
from flannelscope.ssh_settings import SshSettings as SshSettings


class Host(Value, frozen=True):
    """A Node by its name, and the address at which the API says it is (InternalIP)."""

    node: str
    address: str


class Policy(Value, frozen=True, kw_only=True):
    """How to log in at a server, whoever it is: what OpenSSH's configuration says, shared by all it holds for.

    Files may hold the tokens of ssh_config(5). Empty algorithms: ours.
    """

    identities: tuple[str, ...] = ()
    chosen: bool = False  # the identities were configured; otherwise they are OpenSSH's defaults
    certificates: tuple[str, ...] = ()
    identities_only: bool = False
    agent: str = ""  # the socket, "" for none
    known_hosts: tuple[str, ...] = ()
    revoked: str = ""
    bind: str = ""  # the address to dial from
    patience: float = 10.0  # seconds until logged in
    exchanges: tuple[str, ...] = ()
    ciphers: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    host_keys: tuple[str, ...] = ()
    given: tuple[str, ...] = ()  # the options of ssh that say what our settings say


class Login(Value, frozen=True, kw_only=True):
    """A server and who to be there. `alias` is the word one would give to ssh, `known_as` its names in known_hosts."""

    alias: str
    host: str
    port: int
    user: str
    known_as: tuple[str, ...]
    policy: Policy

    @property
    def words(self) -> str:
        """user@host, with the port where it is not 22."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}" + (f":{self.port}" if self.port != 22 else "")


class Target(Value, frozen=True, kw_only=True):
    """A Node and the servers to log in at to be there, the Node's own last."""

    node: str
    route: tuple[Login, ...]

    @property
    def login(self) -> Login:
        """At the Node itself."""
        return self.route[-1]

    @property
    def host(self) -> str:
        """What is dialled in the end."""
        return self.login.host

    @property
    def port(self) -> int:
        """The port of its sshd."""
        return self.login.port

    @property
    def user(self) -> str:
        """Who logs in there."""
        return self.login.user

    @property
    def hops(self) -> tuple[str, ...]:
        """The jump hosts, as the operator calls them, first dialled first."""
        return tuple(login.alias for login in self.route[:-1])

    @property
    def origin(self) -> str:
        """Where its data come from, in words: ssh ops@172.30.0.11 via bastion."""
        return f"ssh {self.login.words}" + (f" via {', '.join(self.hops)}" if self.hops else "")


class Answered(Value, frozen=True, kw_only=True):
    """What the script wrote on a node, exactly. `at` is when it was sent (seconds since the epoch).

    `status` is None where a signal ended it. `cut`: it was more than the limit, or not all of it came in time; `output` is the
    beginning.
    """

    node: str
    at: float
    origin: str
    output: bytes
    error: str  # the beginning of its stderr, cleaned
    status: int | None
    seconds: float
    cut: bool = False


class Failed(Value, frozen=True, kw_only=True):
    """Why a node did not answer, in a sentence, and the command that helps, where there is one. Both are cleaned."""

    node: str
    reason: str
    do: str = ""
