"""One POSIX shell script that asks a node all probes; `bundle_answer` takes apart what it says.

The script is for dash, bash and busybox ash alike and writes nothing: no file, no here-document. The shell reads it wholly
before it runs any of it, so that half a script does nothing. Each answer stands between marks that hold a random number of
the sweep: what a node's files or rules contain cannot be taken for a mark. Errors of all commands come last, in one piece.

    NONCE ^ UID                 it began, as this user
    NONCE + PROBE WAY           the answer of a probe by that one of its ways …
    NONCE = STATUS              … and its exit status; missing where the limit cut it
    NONCE - PROBE REASON        not asked: missing (programs), sudo (is not there), refused (and what sudo said)
    NONCE ! errors, with `NONCE + PROBE` before those of a probe
    NONCE .                     all is there
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Any

from flannelscope.bundle_answer import NoAnswer, Section, Unpacked, kernel, unpack
from flannelscope.probes import Probe, Way

__all__ = ["MESH", "TOTAL", "NoAnswer", "Section", "Unpacked", "kernel", "script", "sudoers", "unpack"]

FIRST = ("clock",)
MESH = ("links", "addresses", "routes", "rules", "neighbours", "fdb")
TOTAL = 16_000_000  # bytes of all answers of a node
ERRORS = 32_000  # bytes of all commands' stderr

_HEAD = r"""
d() { command -v "$1" >/dev/null 2>&1; }
if timeout 9 true >/dev/null 2>&1; then t() { timeout "$@"; }
elif timeout -t 9 true >/dev/null 2>&1; then t() { timeout -t "$@"; }
else t() { shift; "$@"; }; fi
if head -c 1 >/dev/null 2>&1; then h() { head -c "$1"; }; else h() { cat; }; fi
o() { printf '\n%s + %s\n' "$N" "$1"; printf '\n%s + %s\n' "$N" "$1" >&2; }
e() { printf '\n%s = %s\n' "$N" "$1"; }
a() { printf '\n%s - %s\n' "$N" "$1"; }
f() { printf '== %s\n' "$1"; if d "$2"; then shift 2; t "$@"; printf '\n== exit %s\n' "$?"; else printf '== absent\n'; fi; }
U=$(id -u)
q() { if R=$(t 9 $S "$@" 2>&1 >/dev/null); then R=; fi
R=$(printf %s "$R" | tr '\n' ' ' | h 300)
case $R in *"$1: "*) R=;; *sudo*|*password*|Sorry*) S=-;; *) R=;; esac; }
R=
if [ "$U" = 0 ]; then S=; elif d sudo; then S='sudo -n'; else S=-; fi
"""


def script(probes: Iterable[Probe[Any]], nonce: str, *, total: int = TOTAL) -> bytes:
    """The script for these probes; `nonce` is letters and digits. What runs as root comes last: only root can end it."""
    if not nonce.isalnum() or not nonce.isascii():
        raise ValueError("a nonce is letters and digits")
    chosen = sorted(probes, key=lambda probe: (any(way.root for way in probe.ways), _turn(probe.name)))
    trials = list(dict.fromkeys(way.trial for probe in chosen for way in probe.ways if way.trial))
    body = [_trial(number, trial) for number, trial in enumerate(trials)]
    body += [_probe(probe, trials) for probe in chosen if not probe.root]
    body += [_leave(chosen), *(_probe(probe, trials) for probe in chosen if probe.root)]
    return "\n".join(
        (
            "main() {",
            f"N={nonce}",
            "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin LC_ALL=C",
            "export PATH LC_ALL",
            "umask 077",
            _HEAD.strip(),
            "all() {",
            r"""printf '\n%s ^ %s\n' "$N" "$U" """.strip(),
            *body,
            "}",
            "exec 5>&1",
            f"E=$({{ all | h {total} >&5; }} 2>&1 | {{ h {ERRORS}; cat >/dev/null; }})",
            r"""printf '\n%s !\n%s\n\n%s .\n' "$N" "$E" "$N" """.strip(),
            "}",
            "main </dev/null",
            "",
        )
    ).encode()


def _turn(name: str) -> tuple[int, str]:
    order = (*FIRST, *MESH)
    return (order.index(name), name) if name in order else (len(order), name)


def _trial(number: int, trial: tuple[str, ...]) -> str:
    """A function that tells whether a command succeeds, and runs it once, if it is asked at all."""
    run = f"d {trial[0]} && t 9 {shlex.join(trial)} >/dev/null 2>&1"
    return f'X{number}=; x{number}() {{ [ -n "$X{number}" ] || {{ {run}; X{number}=$?; }}; return $X{number}; }}'


def _leave(chosen: Iterable[Probe[Any]]) -> str:
    """Ask sudo once for the least of what it will be asked for: each refusal is a line in a log, and may be a mail."""
    argvs = [argv for probe in chosen for way in probe.ways if way.root for argv in way.argvs]
    least = sorted(dict.fromkeys(argvs), key=lambda argv: argv[0] != "cat")
    tried = "; el".join(f"if d {shlex.quote(argv[0])}; then q {shlex.join(argv)}" for argv in least)
    return f'if [ "$S" = "sudo -n" ]; then {tried}; fi; fi' if tried else ":"


def _probe(probe: Probe[Any], trials: list[tuple[str, ...]]) -> str:
    """Its ways, of which the first that is possible is gone."""
    code: list[str] = []
    for number, way in enumerate(probe.ways):
        conditions = [f"d {shlex.quote(way.program)}"] if way.program else []
        conditions += [f"x{trials.index(way.trial)}"] if way.trial else []
        conditions += [f"{{ {way.when}; }}"] if way.when else []
        conditions += ['[ "$S" != - ]'] if way.root else []
        code.append(f"{'elif' if code else 'if'} {' && '.join(conditions) or ':'}; then")
        code.append(f"o '{probe.name} {number}'; {{ {_commands(probe, way)}; }} | h {probe.limit}")
    programs = " ".join(dict.fromkeys(way.program for way in probe.ways if way.program))
    refusal = f"a '{probe.name} missing {programs}'"
    if probe.root:
        denied = f"if [ -n \"$R\" ]; then a '{probe.name} refused '\"$R\"; else a '{probe.name} sudo'; fi"
        refusal = f'if [ "$S" = - ]; then {denied}; else {refusal}; fi'
    code.append(f"else {refusal}; fi")
    return "\n".join(code)


def _commands(probe: Probe[Any], way: Way[Any]) -> str:
    """What runs for a way, and its status at the end."""
    sudo = "$S " if way.root else ""
    if way.shell:
        return f"t {probe.seconds} sh -c {shlex.quote(way.shell.strip())}; e $?"
    if way.argv and not way.through:
        return f"t {probe.seconds} {sudo}{shlex.join(way.argv)}; e $?"
    framed = "; ".join(
        f"f {shlex.quote(shlex.join(argv))} {shlex.quote(argv[0])} {probe.seconds} {sudo}{shlex.join(argv)}" for argv in way.argvs
    )
    return f"{{ {framed}; }} | {way.through}; e 0" if way.through else f"{framed}; e 0"


# Where distributions have the programs that need root; sudo compares the whole path.
_FOLDERS = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")


def sudoers(probes: Iterable[Probe[Any]], user: str = "USER") -> tuple[str, ...]:
    """Lines for sudoers(5) that allow `user` exactly the commands of these probes that run behind sudo, with no password."""
    argvs = dict.fromkeys(argv for probe in probes for way in probe.ways if way.root for argv in way.argvs)
    return tuple(
        f"{user} ALL=(root) NOPASSWD: " + ", ".join(f"{folder}/{_sudoers_words(argv)}" for folder in _FOLDERS) for argv in argvs
    )


def _sudoers_words(argv: tuple[str, ...]) -> str:
    """A command with its arguments and no others: signs that mean something in sudoers(5) are taken as they are."""
    words = [re.sub(r"([,:=\\*?\[\]!\s])", r"\\\1", word) for word in argv]
    return " ".join(words) if len(words) > 1 else f'{words[0]} ""'
