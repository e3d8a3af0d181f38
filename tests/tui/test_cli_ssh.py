"""Eyes on the nodes from the command line: asked for or not, what is printed, what it changes."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.tui.cli import run


@pytest.fixture(scope="module")
def twins() -> dict[str, object]:
    report: dict[str, object] = json.loads(run("check", "--demo", "twins", "--ssh", "-o", "json")[1])
    return report


def test_without_it_kernels_are_said_not_to_be_looked_at_and_nobody_is_alarmed() -> None:
    code, out, _ = run("check", "--demo", "healthy", "--require-coverage", "100")

    assert code == 0
    assert "Not looked at: kernels of the nodes (no --ssh)." in out
    assert "kernels " not in out.partition("Looked at\n")[2].partition("\n\n")[0]


def test_with_it_the_coverage_says_how_many_nodes_answered() -> None:
    code, out, _ = run("check", "--demo", "healthy", "--ssh", "--require-coverage", "100")

    assert code == 0
    assert "  kernels              40 of 40" in out
    assert "no --ssh" not in out


@pytest.mark.parametrize(("form", "line"), [("markdown", "| kernels | 40 | 40 |"), ("prometheus", 'topic="kernels"')])
def test_other_forms_say_it_too(form: str, line: str) -> None:
    assert line in run("check", "--demo", "healthy", "--ssh", "-o", form)[1]


def test_commands_to_be_copied_ask_the_same(twins: dict[str, object]) -> None:
    said = json.dumps(twins["findings"])

    assert "flannelscope check --demo twins --ssh --only FLN101" in said
    assert "flannelscope cidr free --demo twins --ssh" not in said, "which asks no node"


def test_the_table_of_nodes_gains_columns_where_they_were_asked() -> None:
    plain, seeing = (run("nodes", "--demo", "healthy", "-o", "wide", *more)[1].splitlines()[0] for more in ((), ("--ssh",)))

    assert seeing.split()[: len(plain.split())] == plain.split()
    assert seeing.split()[len(plain.split()) :] == ["KERNEL", "MTU", "FLANNELD", "ARGUMENTS"]


def test_the_table_as_json_tells_unasked_from_silent() -> None:
    unasked = json.loads(run("nodes", "--demo", "healthy", "-o", "json")[1])["nodes"][0]
    asked = json.loads(run("nodes", "--demo", "healthy", "--ssh", "-o", "json")[1])["nodes"][0]

    assert unasked["kernel"] is None
    assert asked["kernel"]["answered"] and asked["kernel"]["flannel_mtu"] == 1450


def test_a_command_about_addresses_asks_no_node() -> None:
    assert run("cidr", "free", "--demo", "healthy", "--ssh")[1] == run("cidr", "free", "--demo", "healthy")[1]


def test_the_script_is_printed_as_a_shell_takes_it() -> None:
    script = run("ssh", "script")[1]

    assert "ip -j" in script and "sudo -n" in script
    checked = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_lines_for_sudo_name_the_user_and_no_pattern() -> None:
    lines = run("ssh", "sudoers", "ops")[1].splitlines()

    assert lines and all(line.startswith("ops ALL=(root) NOPASSWD: /") for line in lines)
    assert not any(sign in line.replace("\\*", "") for line in lines for sign in "*?[")
    assert run("ssh", "sudoers", "--ssh-user", "me")[1].startswith("me ALL")


@pytest.mark.parametrize("user", [(), ("ALL",), ("%wheel",), ("x ALL=(ALL) NOPASSWD: ALL #",), ("a\nb",)])
def test_lines_for_sudo_are_for_one_user_who_is_named(user: tuple[str, ...]) -> None:
    code, printed, _ = run("ssh", "sudoers", *user)
    assert (code, printed) == (2, "")
