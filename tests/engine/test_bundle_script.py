"""One script for all probes, run by real shells: what it marks, what it bounds, what it leaves out and why."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from flannelscope.bundle_script import Unpacked, script, sudoers, unpack
from flannelscope.probes import Parsed, Probe, Way, all_probes

NONCE = "5f2c9d81e07b4a36"
SHELLS = {"dash": ("dash",), "bash": ("bash", "--posix"), "busybox": ("busybox", "sh")}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Each of the three shells that nodes have for sh."""
    program, *arguments = SHELLS[request.param]
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return (path, *arguments)


def text(output: bytes) -> Parsed[str]:
    return Parsed(output.decode())


def probe(name: str, *ways: Way[str], limit: int = 10_000, seconds: int = 10) -> Probe[str]:
    return Probe(name, name, ways, limit=limit, seconds=seconds)


def run(shell: tuple[str, ...], *probes: Probe[str], path: str = "", total: int = 1_000_000) -> Unpacked:
    return unpack(said(shell, *probes, path=path, total=total), NONCE)


def said(shell: tuple[str, ...], *probes: Probe[str], path: str = "", total: int = 1_000_000) -> bytes:
    environment = {"PATH": path or os.environ["PATH"]}
    done = subprocess.run(
        [*shell, "-s"], input=script(probes, NONCE, total=total), capture_output=True, env=environment, timeout=60, check=False
    )
    assert done.stderr == b""
    return done.stdout


def test_an_answer_comes_exactly_as_it_was_with_its_status(shell: tuple[str, ...]) -> None:
    nothing, lines, binary = b"", b"\n\none\n\n", b"\x00\xff\x1b[2J\r\n\xe2\x80"
    printed = {"nothing": nothing, "lines": lines, "binary": binary}
    probes = [
        probe(name, Way(text, argv=("printf", "".join(f"\\{byte:03o}" for byte in output)))) for name, output in printed.items()
    ]
    unpacked = run(shell, *probes, probe("fails", Way(text, shell="echo half; exit 3")))

    assert {name: unpacked.sections[name].output for name in printed} == printed
    assert (unpacked.sections["fails"].output, unpacked.sections["fails"].status) == (b"half\n", 3)
    assert unpacked.complete
    assert unpacked.user == os.getuid()


def test_what_goes_to_stderr_stays_with_its_probe(shell: tuple[str, ...]) -> None:
    unpacked = run(
        shell,
        probe("quiet", Way(text, argv=("true",))),
        probe("loud", Way(text, shell="echo out; echo 'no such device' >&2; exit 1")),
    )
    assert unpacked.sections["loud"].error == "no such device"
    assert unpacked.sections["loud"].output == b"out\n"
    assert unpacked.sections["quiet"].error == ""


def test_an_answer_over_its_limit_is_cut_and_the_others_are_whole(shell: tuple[str, ...]) -> None:
    endless = probe("endless", Way(text, shell="while :; do echo 0123456789; done"), limit=5_000)
    unpacked = run(shell, endless, probe("next", Way(text, argv=("echo", "here"))))

    assert unpacked.sections["endless"].status is None
    assert len(unpacked.sections["endless"].output) in range(4_900, 5_001)
    assert unpacked.sections["next"].output == b"here\n"
    assert unpacked.complete


def test_the_limit_of_all_answers_ends_the_whole(shell: tuple[str, ...]) -> None:
    many = [probe(f"p{number}", Way(text, shell="yes | head -c 4000")) for number in range(5)]
    unpacked = run(shell, *many, total=10_000)

    assert unpacked.sections["p0"].status == 0
    assert "p4" not in unpacked.sections


def test_errors_without_end_are_bounded(shell: tuple[str, ...]) -> None:
    output = said(shell, probe("shouts", Way(text, shell="yes | head -c 3000000 >&2; echo done")))
    assert len(output) < 40_000
    assert unpack(output, NONCE).sections["shouts"].output == b"done\n"


def test_what_hangs_is_ended_and_the_rest_is_asked(shell: tuple[str, ...]) -> None:
    hanging = probe("hangs", Way(text, argv=("sleep", "1000")), seconds=1)
    unpacked = run(shell, hanging, probe("next", Way(text, argv=("echo", "here"))))

    assert unpacked.sections["hangs"].status in (124, 143)  # coreutils, busybox
    assert unpacked.sections["next"].output == b"here\n"


def test_the_first_way_that_is_possible_is_gone(shell: tuple[str, ...]) -> None:
    ways = (
        Way(text, argv=("no-such-program",)),
        Way(text, argv=("echo", "untried"), trial=("false",)),
        Way(text, argv=("echo", "not here"), when="[ -e /no/such/file ]"),
        Way(text, argv=("echo", "third"), trial=("true",), when="[ -e / ]"),
        Way(text, argv=("echo", "too late")),
    )
    section = run(shell, probe("chosen", *ways)).sections["chosen"]
    assert (section.way, section.output) == (3, b"third\n")


def test_where_no_way_is_possible_it_is_said_what_is_not_there(shell: tuple[str, ...]) -> None:
    unpacked = run(shell, probe("none", Way(text, argv=("ip6", "x")), Way(text, argv=("busybox6",))))
    assert unpacked.sections["none"].reason == "not installed there, or not usable: ip6 or busybox6"


def test_several_commands_are_framed_and_one_that_is_not_there_is_said(shell: tuple[str, ...]) -> None:
    way = Way(text, argvs=(("echo", "it's one"), ("no-such-program", "x"), ("false",)))
    assert run(shell, probe("several", way)).sections["several"].output == (
        b"== echo 'it'\"'\"'s one'\nit's one\n\n== exit 0\n== no-such-program x\n== absent\n== false\n\n== exit 1\n"
    )


def test_a_command_finds_no_script_on_its_stdin(shell: tuple[str, ...]) -> None:
    unpacked = run(shell, probe("reads", Way(text, argv=("cat",))), probe("next", Way(text, argv=("echo", "here"))))
    assert unpacked.sections["reads"].output == b""
    assert unpacked.sections["next"].output == b"here\n"


def test_half_a_script_does_nothing(shell: tuple[str, ...], tmp_path: Path) -> None:
    whole = script([probe("writes", Way(text, argv=("touch", str(tmp_path / "done"))))], NONCE)
    for end in (len(whole) // 2, len(whole) - 20):
        done = subprocess.run([*shell, "-s"], input=whole[:end], capture_output=True, timeout=60, check=False)
        assert NONCE.encode() not in done.stdout
    assert not (tmp_path / "done").exists()


def fake(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_a_user_runs_behind_sudo_what_needs_root_and_nothing_else(shell: tuple[str, ...], tmp_path: Path) -> None:
    fake(tmp_path, "id", "echo 1000")
    fake(tmp_path, "sudo", 'echo "sudo $*"; shift; exec "$@"')
    root = probe("rules", Way(text, argv=("echo", "as root"), root=True))
    unpacked = run(shell, root, probe("links", Way(text, argv=("echo", "as user"))), path=f"{tmp_path}:{os.environ['PATH']}")
    if unpacked.user != 1000:
        pytest.skip("this shell has id built in, and does not take another one")
    assert unpacked.sections["rules"].output == b"sudo -n echo as root\nas root\n"
    assert unpacked.sections["links"].output == b"as user\n"


def test_sudo_that_refuses_is_asked_once(shell: tuple[str, ...], tmp_path: Path) -> None:
    """Each refusal is a line in the node's log, and at many sites a mail."""
    fake(tmp_path, "id", "echo 1000")
    fake(tmp_path, "sudo", f'echo "$*" >>{tmp_path}/log; echo "sudo: a password is required" >&2; exit 1')
    roots = [probe(name, Way(text, argvs=(("echo", name), ("cat", f"/{name}")), root=True)) for name in ("iptables", "nft")]
    unpacked = run(shell, *roots, probe("links", Way(text, argv=("echo", "x"))), path=f"{tmp_path}:{os.environ['PATH']}")
    if unpacked.user != 1000:
        pytest.skip("this shell has id built in, and does not take another one")
    assert (tmp_path / "log").read_text() == "-n cat /iptables\n"
    assert unpacked.sections["iptables"].reason == "sudo did not allow it: sudo: a password is required"
    assert unpacked.sections["nft"].reason == unpacked.sections["iptables"].reason
    assert unpacked.sections["links"].status == 0


def test_sudo_that_warns_and_a_file_that_is_not_there_are_no_refusal(shell: tuple[str, ...], tmp_path: Path) -> None:
    fake(tmp_path, "id", "echo 1000")
    fake(tmp_path, "sudo", 'echo "sudo: unable to resolve host w1" >&2; shift; exec "$@"')
    root = probe("rules", Way(text, argvs=(("echo", "here"), ("cat", "/no/such/file")), root=True))
    unpacked = run(shell, root, path=f"{tmp_path}:{os.environ['PATH']}")
    if unpacked.user != 1000:
        pytest.skip("this shell has id built in, and does not take another one")
    assert b"\nhere\n" in unpacked.sections["rules"].output


def test_what_needs_root_comes_last() -> None:
    """A user cannot end what runs as root: if it hangs, all else is there already."""
    lines = script(all_probes().values(), NONCE).decode().split("\n")
    asked = [line.split("'")[1].split()[0] for line in lines if line.startswith("o '")]
    ways = {name: any(way.root for way in one.ways) for name, one in all_probes().items()}
    assert [ways[name] for name in asked] == sorted(ways[name] for name in asked)
    assert asked[0] == "clock"
    assert set(asked) == all_probes().keys()


def test_a_light_script_asks_only_what_was_chosen() -> None:
    chosen = [all_probes()[name] for name in ("routes", "fdb")]
    light = script(chosen, NONCE)
    assert b"iptables" not in light
    assert len(light) < len(script(all_probes().values(), NONCE)) / 3


def test_a_nonce_cannot_be_a_command() -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        script([], "a; reboot")


def test_sudoers_allows_exactly_the_commands_that_run_as_root() -> None:
    lines = sudoers(all_probes().values(), "ops")
    argvs = {argv for one in all_probes().values() for way in one.ways if way.root for argv in way.argvs}
    assert len(lines) == len(argvs)
    assert all(line.startswith("ops ALL=(root) NOPASSWD: /usr/sbin/") for line in lines)
    assert any(line.endswith(', /bin/dmesg ""') for line in lines), "without arguments no others are allowed"
    assert any("/usr/sbin/iptables-nft-save -c, /usr/bin/iptables-nft-save -c" in line for line in lines)
    assert any("--output NS\\,PID" in line for line in lines), "a comma would end the command"


@pytest.mark.skipif(shutil.which("visudo") is None, reason="visudo is not installed")
def test_sudo_understands_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "sudoers"
    file.write_text("\n".join(sudoers(all_probes().values(), "ops")) + "\n")
    done = subprocess.run(["visudo", "-c", "-f", str(file)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
