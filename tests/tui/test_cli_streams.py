"""Streams, exit codes and failures of the program in a process of its own."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tui.cli import arguments, call, environment

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: lab
contexts: [{{name: lab, context: {{cluster: lab, user: me}}}}]
clusters: [{{name: lab, cluster: {{server: "https://127.0.0.1:{port}"{more}}}}}]
users: [{{name: me, user: {{token: very-secret-token}}}}]
"""


def kubeconfig(folder: Path, port: int = 1, more: str = "") -> str:
    """A kubeconfig for a server on this port of the loopback; `more` is added to its cluster entry."""
    file = folder / "kubeconfig"
    file.write_text(KUBECONFIG.format(port=port, more=more), "utf-8")
    file.chmod(0o600)
    return str(file)


@contextmanager
def silent_server() -> Iterator[socket.socket]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_healthy_cluster_gives_zero_and_a_faulty_one_one(tmp_path: Path) -> None:
    healthy = call(tmp_path, "check", "--demo", "healthy")
    assert (healthy.returncode, healthy.stderr) == (0, "")
    assert healthy.stdout.startswith("No fault found in what was looked at: ")
    twins = call(tmp_path, "--demo", "check")
    assert twins.returncode == 1
    assert "x FLN101 duplicate-podcidr (critical)" in twins.stdout


def test_results_without_a_terminal_have_no_colour(tmp_path: Path) -> None:
    assert "\x1b" not in call(tmp_path, "check", "--demo", also={"TERM": "xterm-256color"}).stdout


@pytest.mark.parametrize(("also", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colour_only_on_a_terminal_that_may_have_it(tmp_path: Path, also: dict[str, str], coloured: bool) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        arguments("check", "--demo", "healthy"),
        env=environment(tmp_path, **{"TERM": "xterm", **also}),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(theirs)
        written = drain(ours)
        assert process.wait(60) == 0
    assert (b"\x1b[" in written) is coloured


def drain(descriptor: int) -> bytes:
    """All that comes until the other end is closed."""
    chunks = []
    try:
        while chunk := os.read(descriptor, 65536):
            chunks.append(chunk)
    except OSError:  # a pty whose other end is gone
        pass
    os.close(descriptor)
    return b"".join(chunks)


@pytest.mark.parametrize("args", [("check", "--demo"), ("nodes", "--demo", "-o", "csv"), ("--help",), ("explain", "101")])
def test_a_closed_pipe_is_no_failure(tmp_path: Path, args: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        arguments(*args), env=environment(tmp_path), stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.PIPE, text=True
    ) as process:
        os.close(writing)
        _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    assert "Broken" not in errors
    assert process.returncode in (0, 1)


def test_a_result_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            arguments("check", "--demo", "healthy", "-o", "json"),
            env=environment(tmp_path),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 3
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def failures(folder: Path) -> dict[str, tuple[tuple[str, ...], int, str]]:
    """Ways to fail after the arguments were accepted: options, exit code, a part of the sentence."""
    unreadable = folder / "garbage"
    unreadable.write_bytes(b"\x00\xff{[")
    return {
        "no kubeconfig": ((), 2, "kubeconfig"),
        "kubeconfig missing": (("--kubeconfig", str(folder / "none")), 2, "none"),
        "kubeconfig unreadable": (("--kubeconfig", str(unreadable)), 2, "garbage"),
        "unknown context": (("--kubeconfig", kubeconfig(folder), "--context", "nope"), 2, "nope"),
        "unreachable": (("--kubeconfig", kubeconfig(folder), "--timeout", "2"), 3, "127.0.0.1:1"),
        "configuration": (("--config", str(folder / "none.toml")), 2, "configuration file"),
        "bad range": (("--demo", "--cluster-cidr", "banana"), 2, "banana"),
        "bad time": (("--demo", "--timeout", "soon"), 2, "number"),
        "saved file": (("--from", str(unreadable)), 2, "garbage"),
        "two worlds": (("--demo", "--from", str(unreadable)), 2, "two different clusters"),
        "log file": (("--demo", "--log-file", str(folder / "no" / "such" / "log")), 2, "log file"),
    }


@pytest.mark.parametrize("way", list(failures(Path("/tmp"))))
def test_every_failure_is_one_document_and_one_sentence(tmp_path: Path, way: str) -> None:
    args, code, part = failures(tmp_path)[way]
    done = call(tmp_path, "check", "-o", "json", *args)
    assert done.returncode == code
    said = json.loads(done.stdout)
    assert set(said) == {"schema", "error"}
    assert set(said["error"]) == {"what", "where", "do"}
    assert part in " ".join(said["error"].values())
    assert done.stderr.startswith("flannelscope: ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert "very-secret-token" not in done.stdout + done.stderr
    text = call(tmp_path, "check", *args)
    assert (text.returncode, text.stdout) == (code, "")


@pytest.mark.parametrize("content", [None, b"\x00\xff{[", b"kind: Pod", b"contexts: [{name: [a]}]", b""])
def test_a_wrong_kubeconfig_of_the_environment_is_a_wrong_configuration(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "config"
    if content is not None:
        file.write_bytes(content)
    done = call(tmp_path, "check", also={"KUBECONFIG": str(file)})
    assert done.returncode == 2
    assert str(file) in done.stderr


def test_of_several_files_of_the_environment_one_may_be_missing_as_for_kubectl(tmp_path: Path) -> None:
    files = f"{tmp_path / 'none'}:{kubeconfig(tmp_path)}"
    done = call(tmp_path, "check", "--timeout", "2", also={"KUBECONFIG": files})
    assert done.returncode == 3
    assert "127.0.0.1:1" in done.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("check", "--bundle", "x"),
        ("--nodes-proxy", "nodes"),
        ("--write",),
        ("check", "--matrix"),
        ("matrix",),
        ("rebuild", "w1"),
        ("check", "--nonsense"),
        ("nonsense",),
        ("--demo=nonsense", "check"),
        ("check", "-o", "yaml"),
        ("check", "surplus"),
        ("explain", "101", "102"),
        ("cidr", "nonsense"),
        ("completion", "tcsh"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_two(tmp_path: Path, args: tuple[str, ...]) -> None:
    done = call(tmp_path, *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "--help" in done.stderr


def test_what_comes_later_says_so(tmp_path: Path) -> None:
    for args in (("check", "--write"), ("check", "--matrix"), ("trace", "a", "b")):
        assert "not in this version" in call(tmp_path, *args).stderr


def test_the_console_without_a_terminal_names_the_commands_that_need_none(tmp_path: Path) -> None:
    for args in ((), ("--demo",), ("--demo", "twins")):
        done = call(tmp_path, *args, also={"TERM": "xterm"})
        assert (done.returncode, done.stdout) == (2, "")
        assert "flannelscope check" in done.stderr


def test_an_insecure_connection_is_warned_about(tmp_path: Path) -> None:
    insecure = kubeconfig(tmp_path, more=", insecure-skip-tls-verify: true")
    done = call(tmp_path, "check", "-o", "json", "--timeout", "2", "--kubeconfig", insecure)
    assert done.stderr.startswith("flannelscope: warning: ")
    assert json.loads(done.stdout)["error"]["where"] == "https://127.0.0.1:1"


@pytest.mark.parametrize("output", ["text", "json"])
def test_an_interrupt_ends_with_130(tmp_path: Path, output: str) -> None:
    with silent_server() as server:
        args = arguments("check", "-o", output, "--kubeconfig", kubeconfig(tmp_path, server.getsockname()[1]), "--timeout", "60")
        with subprocess.Popen(
            args, env=environment(tmp_path), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            server.settimeout(60)
            connection, _ = server.accept()
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=30)
            connection.close()
    assert process.returncode == 130
    assert errors.strip() == "flannelscope: interrupted."
    assert (json.loads(out)["error"]["what"] if output == "json" else out) == ("interrupted" if output == "json" else "")


def test_the_log_is_private_in_utc_and_without_secrets(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = call(tmp_path, "nodes", "--kubeconfig", kubeconfig(tmp_path), "--timeout", "2", "--log-file", str(log), "--debug")
    assert done.returncode == 3
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    written = log.read_text("utf-8")
    assert written.splitlines()[0].endswith("INFO flannelscope 0.1.0 begins")
    assert written.splitlines()[0][10] == "T"
    assert written.splitlines()[0][23] == "Z"
    assert "very-secret-token" not in written + done.stderr + done.stdout
    assert "Traceback" in done.stderr  # that is what --debug is for


def test_a_help_text_imports_neither_the_console_nor_the_client(tmp_path: Path) -> None:
    heavy = ("textual", "kubernetes", "rich", "paramiko", "pyroute2", "prometheus_client", "urllib3")
    program = (
        "import sys; from tui.__main__ import run; code = run({args!r}); "
        "print(code, [name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    for args in (["check", "--help"], ["--help"], ["--version"], ["explain", "101"], ["check", "--demo", "healthy"]):
        done = subprocess.run(
            [*arguments()[:1], "-c", program.format(args=args, heavy=heavy)],
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stderr.strip() == "0 []", args


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_the_program_by_its_name(tmp_path: Path, shell: str) -> None:
    done = call(tmp_path, "completion", shell)
    assert done.returncode == 0
    assert "_FLANNELSCOPE_COMPLETE" in done.stdout
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=True)


def test_completion_offers_commands_and_options(tmp_path: Path) -> None:
    def offered(words: str, at: int) -> str:
        also = {"_FLANNELSCOPE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
        return call(tmp_path, also=also).stdout

    assert "plain,check" in offered("flannelscope ch", 1)
    assert "plain,what-if" in offered("flannelscope cidr w", 2)
    assert "plain,--fail-on" in offered("flannelscope --demo twins check --fail", 4)


def test_a_name_in_a_locale_without_utf8_is_no_failure(tmp_path: Path) -> None:
    done = call(tmp_path, "check", "--demo", "healthy", also={"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert done.stdout.isascii()
