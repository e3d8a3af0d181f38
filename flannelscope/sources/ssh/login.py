"""Proving to a server who we are: keys; on jump hosts also the answers of a person, once a hop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import paramiko

from flannelscope.sources.ssh.accept import by_hand
from flannelscope.sources.ssh.ending import Ending
from flannelscope.sources.ssh.failures import Ended, NotReached
from flannelscope.sources.ssh.key_ring import KeyRing
from flannelscope.sources.ssh.link import Link
from flannelscope.sources.ssh.signers import Signer
from flannelscope.sources.ssh.values import Login
from flannelscope.text import clean

_MOST = 6  # keys shown to one server: MaxAuthTries of sshd
Prompt = Callable[[str, bool], str | None]  # text and whether the answer may be shown; None: no answer


class _Declined(Exception):
    """Nobody answered the server's prompt."""


def log_in(
    link: Link,
    login: Login,
    hops: Sequence[Login],
    ring: KeyRing,
    until: float,
    ending: Ending,
    prompt: Prompt | None = None,
) -> None:
    """Log in over `link`, which goes through `hops`. Raises NotReached.

    `prompt` is given for jump hosts where somebody can be asked.
    """
    offers = ring.offers(login)
    ending.attach(link.wire, until)
    try:
        methods = _keys(link, login, ring, offers, until)
        if methods and "keyboard-interactive" in methods and prompt is not None:
            ending.detach(link.wire)  # a person may take longer than a machine
            ending.attach(link.wire)
            methods = _interactive(link, login, prompt)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise _broken(link, login, hops, error, until, ending) from None
    finally:
        ending.detach(link.wire)
    if methods is not None:
        raise _refused(login, hops, ring, offers, methods)


def _keys(link: Link, login: Login, ring: KeyRing, offers: Sequence[Signer], until: float) -> tuple[str, ...] | None:
    """None where a key was enough; otherwise the methods that the server would still take."""
    methods: tuple[str, ...] = ("publickey",) if offers else ("publickey", "keyboard-interactive")
    for signer in offers[:_MOST]:
        link.auth_timeout = max(until - time.monotonic(), 0.1)
        try:
            rest = link.auth_publickey(login.user, signer)  # type: ignore[arg-type] # all that is used of a PKey
        except paramiko.BadAuthenticationType as error:
            return tuple(error.allowed_types)
        except paramiko.AuthenticationException:
            if not link.is_active() or time.monotonic() >= until:
                raise
            methods = ("publickey", "keyboard-interactive")
            continue
        ring.was_good(login, signer)
        return tuple(rest) or None
    return methods


def _interactive(link: Link, login: Login, prompt: Prompt) -> tuple[str, ...] | None:
    declined = False

    def answer(title: str, instructions: str, prompts: Sequence[tuple[str, bool]]) -> list[str]:
        nonlocal declined
        heading = " ".join(part for part in (title, instructions) if part.strip())
        answers = []
        for text, shown in prompts:
            given = prompt(" ".join(part for part in (heading, text) if part), shown)
            declined = declined or given is None
            answers.append(given or "")
        return answers

    link.auth_timeout = 600.0
    try:
        rest = link.auth_interactive(login.user, answer)
    except paramiko.BadAuthenticationType as error:
        return tuple(error.allowed_types)
    except paramiko.AuthenticationException:
        return ("keyboard-interactive",) if link.is_active() else ()
    return tuple(rest) or None


def _broken(link: Link, login: Login, hops: Sequence[Login], error: BaseException, until: float, ending: Ending) -> NotReached:
    if ending.is_set():
        return Ended()
    if link.wire.problem:
        return NotReached(f"while logging in as {login.user}: {link.wire.problem}")
    if time.monotonic() >= until:
        return NotReached(f"its sshd did not decide in time whether {login.user} may log in")
    return NotReached(
        f"its sshd broke off while {login.user} was logging in (too many keys offered?)", by_hand(login, hops, "-v")
    )


def _refused(login: Login, hops: Sequence[Login], ring: KeyRing, offers: Sequence[Signer], methods: Sequence[str]) -> NotReached:
    shown = ", ".join(clean(signer.label, 80) for signer in offers[:_MOST])
    locked = [clean(path, 120) for path in ring.locked(login)]
    parts = [f"{login.words} does not let us in" + (f" with {shown}" if offers else ": there is no key to show it")]
    if len(offers) > _MOST:
        parts.append(f"{len(offers) - _MOST} more keys were not shown (IdentitiesOnly and IdentityFile say which)")
    if locked:
        parts.append(f"locked and not opened: {', '.join(locked)}")
    if offers and "publickey" not in methods:
        parts.append(f"it wants {' or '.join(clean(method, 40) for method in methods) or 'something else'}")
    parts += [clean(signer.problem, 160) for signer in offers if signer.problem]
    parts += [clean(trouble, 160) for trouble in ring.troubles(login)]
    return NotReached("; ".join(parts), f"ssh-add {locked[0]}" if locked else by_hand(login, hops, "-v"))
