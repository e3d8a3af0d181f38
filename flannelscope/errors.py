"""Everything flannelscope raises on purpose.

FlannelscopeError            what went wrong, where, and what to do about it
├── UsageError               exit 2: the call or the configuration is wrong
└── CannotRead               exit 3: the cluster could not be read
    ├── NoCluster            no usable kubeconfig, context, server or credentials
    │   └── WrongKubeconfig  exit 2: what was named or is written there is wrong, or there is none at all
    ├── Refused              the server answered 401 or 403
    └── ReadFailed           connection, TLS, time-out, or an answer that is not what it should be
WriteRefused                 the read-only transport was asked to write (a bug in flannelscope, never the user's)
"""

from __future__ import annotations


class FlannelscopeError(Exception):
    """An error that is shown to the operator as plain sentences.

    `what` says what is wrong, `where` names the file, server or object, `do` says what to do next; each may hold text
    from the world and is cleaned where it is shown.
    """

    exit_code = 3

    def __init__(self, what: str, where: str = "", do: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.do = do

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, f"({self.where})" if self.where else "", self.do) if part)


class UsageError(FlannelscopeError):
    """The call or the configuration is wrong."""

    exit_code = 2


class CannotRead(FlannelscopeError):
    """The cluster could not be read."""


class NoCluster(CannotRead):
    """No kubeconfig, context, server or credentials that can be used: an expired certificate, a plugin that failed."""


class WrongKubeconfig(NoCluster):
    """The kubeconfig or context named does not exist or cannot be read as one, or there is none: wrong use or configuration."""

    exit_code = 2


class Refused(CannotRead):
    """The server answered 401 or 403. `verb` and `resource` name the missing right, e.g. ("list", "nodes")."""

    def __init__(self, what: str, where: str = "", do: str = "", *, verb: str = "", resource: str = "") -> None:
        super().__init__(what, where, do)
        self.verb = verb
        self.resource = resource


class ReadFailed(CannotRead):
    """The connection, TLS, a time limit, or an answer that is not what it should be."""


class WriteRefused(RuntimeError):
    """Something other than a read was about to be sent."""
