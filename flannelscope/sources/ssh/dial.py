"""From nothing to a connection whose server has proved to be who it should be."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Sequence

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from flannelscope.sources.ssh.ending import Ending
from flannelscope.sources.ssh.failures import Ended, NotReached, TurnedAway
from flannelscope.sources.ssh.host_keys import OtherKinds, check
from flannelscope.sources.ssh.known_hosts import KnownHosts
from flannelscope.sources.ssh.link import Link
from flannelscope.sources.ssh.values import Login
from flannelscope.sources.ssh.wire import Pipe, Wire
from flannelscope.text import clean

_PROHIBITED, _FAILED, _SHORT = 1, 2, 4  # reasons for which a channel is not opened (RFC 4254, 5.1)
_ALIVE = 3.0  # seconds for a jump host to take what it is sent
# The kernel itself finds out, in half a minute, that the other end of a kept connection is gone; nobody has to wake up for it.
_WATCHED = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 30_000))
        if hasattr(socket, name)
    ),
)
_BUSY = (b"Exceeded MaxStartups", b"Not allowed at this time")


class _Through:
    """A channel of a jump host as a pipe. Closing it never waits for the jump host, which may take nothing any more."""

    def __init__(self, channel: paramiko.Channel, via: Link) -> None:
        self._channel = channel
        self._via = via
        self.recv = channel.recv
        self.send = channel.send
        self.settimeout = channel.settimeout

    def close(self) -> None:
        if not self._channel.closed:
            threading.Thread(target=self._part, name="flannelscope-part", daemon=True).start()

    def _part(self) -> None:
        """The reader wakes up first, then the jump host is told; one that does not even take that is given up."""
        late = threading.Timer(_ALIVE, self._via.wire.close)
        late.daemon = True
        late.start()
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.close()
        late.cancel()


def dial(login: Login, hops: Sequence[Login], via: Link | None, known: KnownHosts, until: float, ending: Ending) -> Link:
    """Connect and check the host key. `via` is the connection to the last of the hops. Raises NotReached."""
    names = tuple(name.lower() for name in login.known_as)
    first = known.kinds(names)
    again = True
    while True:
        link = _exchanged(login, via, first, bool(known.authorities(names)), until, ending)
        try:
            check(known, login, hops, link.shown(), again=again)
        except OtherKinds as other:
            link.shut()
            first, again = other.kinds, False
        except BaseException:
            link.shut()
            raise
        else:
            return link


def _exchanged(login: Login, via: Link | None, first: Sequence[str], authorities: bool, until: float, ending: Ending) -> Link:
    pipe = _channel(login, via, until) if via is not None else _socket(login, until, ending)
    wire = Wire(pipe)
    ending.attach(wire, until)
    try:
        link = Link(wire, login.policy, first, authorities)
        done = threading.Event()
        link.start_client(event=done)
        done.wait(max(until - time.monotonic(), 0.1) + 1)
        if not link.is_active():
            raise _broken(wire, link.get_exception(), until, ending)
        if not done.is_set():
            raise _broken(wire, None, until, ending)
    except BaseException:
        wire.close()
        raise
    finally:
        ending.detach(wire)
    return link


def _socket(login: Login, until: float, ending: Ending) -> socket.socket:
    try:
        found = socket.getaddrinfo(login.host, login.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotReached(f"the name {login.host} is not known here ({error})") from None
    last: NotReached = NotReached(f"{login.host} has no address")
    for family, kind, protocol, _, address in found:
        try:
            return _connected(socket.socket(family, kind, protocol), address, login, until, ending)
        except TimeoutError:
            last = NotReached(f"no answer from {login.host} port {login.port} within {login.policy.patience:.0f} s")
        except ConnectionRefusedError:
            last = NotReached(f"{login.host} refuses connections to port {login.port}: no sshd listens there")
        except OSError as error:
            last = NotReached(f"{login.host} port {login.port} cannot be reached: {error.strerror or error}")
        if ending.is_set():
            raise Ended
    raise last


def _connected(dialled: socket.socket, address: object, login: Login, until: float, ending: Ending) -> socket.socket:
    wire = Wire(dialled)
    ending.attach(wire, until)
    try:
        dialled.settimeout(max(until - time.monotonic(), 0.01))
        if login.policy.bind:
            dialled.bind((login.policy.bind, 0))
        dialled.connect(address)  # type: ignore[arg-type] # as getaddrinfo gave it
        dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for level, option, value in _WATCHED:
            dialled.setsockopt(level, option, value)
    except BaseException:
        wire.close()
        raise
    finally:
        ending.detach(wire)
    return dialled


def _channel(login: Login, via: Link, until: float) -> Pipe:
    """Through a jump host. Its refusals are told apart: forwarding forbidden, node not reached, too much to do."""
    try:
        channel = via.open_channel(
            "direct-tcpip", (login.host, login.port), ("127.0.0.1", 0), timeout=max(until - time.monotonic(), 0.1)
        )
    except paramiko.ChannelException as error:
        place = f"{login.host} port {login.port}"
        if error.code == _PROHIBITED:
            raise TurnedAway(f"the jump host does not forward to {place} (administratively prohibited)") from None
        if error.code == _SHORT:
            raise TurnedAway(f"the jump host has no room for a connection to {place}") from None
        raise NotReached(f"the jump host does not reach {place}: {clean(error.text, 200)}") from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        if via.answers():
            raise NotReached(f"the jump host did not open a connection to {login.host} port {login.port} in time") from None
        raise NotReached(f"the connection to the jump host ended ({type(error).__name__})") from None
    return _Through(channel, via)


def _broken(wire: Wire, error: BaseException | None, until: float, ending: Ending) -> NotReached:
    """Why keys were not exchanged."""
    if ending.is_set():
        return Ended()
    heard = clean(wire.heard.decode(errors="replace").strip(), 100)
    if wire.problem:
        return NotReached(wire.problem + (f": it says {heard!r}" if heard and not wire.spoke else ""))
    if time.monotonic() >= until:
        said = "named its version, then " if wire.spoke else "took the connection, then "
        return NotReached(f"its sshd {said}did not go on in time")
    if not wire.spoke:
        if not wire.heard or wire.heard.startswith(_BUSY):
            return TurnedAway("its sshd closed the connection at once" + (f" ({heard})" if heard else ""))
        return NotReached(f"what answers there is no SSH server: it says {heard!r}")
    if isinstance(error, IncompatiblePeer):
        return NotReached(f"its sshd and we have no algorithm in common ({clean(str(error), 200)})")
    return NotReached(f"its sshd broke off while keys were exchanged ({clean(str(error) or type(error).__name__, 200)})")
