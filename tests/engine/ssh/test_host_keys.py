"""Host keys are strict on every hop: what is not known, or known otherwise, is a node that was not read, never a warning."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.engine.ssh.desk import Desk, output, reason
from tests.engine.ssh.sshd import Sshd, certify, fingerprint, keygen, public

Server = Callable[..., Sshd]
NODE = {"w1": "127.0.0.1"}


def test_an_unknown_key_is_said_with_its_fingerprint_and_how_to_accept_it(either: Desk, server: Server) -> None:
    one = server().start()
    either.meet(one)
    either.known_hosts.write_text("# nobody\n")
    said = reason(either.once(NODE)["w1"])
    assert "is not in known_hosts" in said
    assert fingerprint(one.host_keys[0]) in said
    assert f"log in once: ssh -F {either.config} -o UserKnownHostsFile={either.known_hosts} -p {one.port} -l" in said
    assert one.logins == 0
    assert either.known_hosts.read_text() == "# nobody\n"


def test_the_command_that_is_named_does_accept_it_through_jump_hosts_too(either: Desk, server: Server) -> None:
    node, bastion = server("127.0.1.1").start(), server("127.0.2.1").start()
    either.meet(node, "Host 127.0.1.*\n  ProxyJump bastion\n")
    either.known_hosts.write_text("")
    either.meet(bastion, "Host bastion\n  HostName 127.0.2.1\n")
    said = reason(either.once({"w1": "127.0.1.1"})["w1"])
    command = said.partition("log in once: ")[2]
    typed = command.replace("ssh ", "ssh -o StrictHostKeyChecking=accept-new ", 1) + " true"
    done = subprocess.run(["sh", "-c", typed], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert output(either.once({"w1": "127.0.1.1"})["w1"]) == b"hello\n"


def test_a_changed_key_is_said_with_the_line_and_how_to_remove_it(either: Desk, server: Server, tmp_path: Path) -> None:
    one = server().start()
    either.meet(one)
    either.known_hosts.write_text(f"[127.0.0.1]:{one.port} {public(keygen(tmp_path / 'other'))}\n")
    said = reason(either.once(NODE)["w1"])
    assert "has CHANGED" in said
    assert fingerprint(one.host_keys[0]) in said
    assert f"{either.known_hosts}:1" in said
    assert f"ssh-keygen -f {either.known_hosts} -R '[127.0.0.1]:{one.port}'" in said
    assert one.logins == 0


def test_a_revoked_key_opens_nothing_even_where_it_is_known(either: Desk, server: Server) -> None:
    one = server().start()
    either.meet(one)
    with either.known_hosts.open("a") as file:
        file.write(f"@revoked * {public(one.host_keys[0])}\n")
    assert "revoked" in reason(either.once(NODE)["w1"])
    assert one.logins == 0


def test_a_list_of_revoked_keys_counts(desk: Desk, server: Server, tmp_path: Path) -> None:
    one = server().start()
    revoked = tmp_path / "revoked"
    revoked.write_text(public(one.host_keys[0]) + "\n")
    desk.meet(one, f"Host *\n  RevokedHostKeys {revoked}\n")
    assert "is in RevokedHostKeys" in reason(desk.once(NODE)["w1"])
    revoked.unlink()
    assert "cannot be read" in reason(desk.once(NODE)["w1"])


def test_hashed_names_are_found(either: Desk, server: Server) -> None:
    one = server().start()
    either.meet(one)
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(either.known_hosts)], check=True, capture_output=True)
    assert "127.0.0.1" not in either.known_hosts.read_text()
    assert output(either.once(NODE)["w1"]) == b"hello\n"


def test_any_of_several_files_may_know_it(desk: Desk, server: Server) -> None:
    one = server().start()
    desk.meet(one)
    second = desk.folder / "more_hosts"
    desk.known_hosts.rename(second)
    with desk.fleet(known_hosts=(str(desk.known_hosts), str(second))) as fleet:
        assert output(desk.look(fleet, NODE)["w1"]) == b"hello\n"


def test_the_files_that_the_configuration_names_count(desk: Desk, server: Server) -> None:
    one = server().start()
    desk.meet(one, f"Host *\n  UserKnownHostsFile {desk.folder}/%n/known {desk.folder}/none\n")
    (desk.folder / "127.0.0.1").mkdir()
    desk.known_hosts.rename(desk.folder / "127.0.0.1/known")
    with desk.fleet(known_hosts=()) as fleet:
        assert output(desk.look(fleet, NODE)["w1"]) == b"hello\n"


def test_a_key_that_was_accepted_meanwhile_is_known(desk: Desk, server: Server) -> None:
    one = server().start()
    desk.meet(one)
    desk.known_hosts.write_text("")
    with desk.fleet() as fleet:
        assert "is not in known_hosts" in reason(desk.look(fleet, NODE)["w1"])
        desk.known_hosts.write_text(one.known)
        assert output(desk.look(fleet, NODE)["w1"]) == b"hello\n"


def test_host_key_alias_is_the_name_that_is_looked_up(either: Desk, server: Server) -> None:
    one = server().start()
    either.meet(one, "Host *\n  HostKeyAlias the-node\n")
    either.known_hosts.write_text(f"the-node {public(one.host_keys[0])}\n")
    assert output(either.once(NODE)["w1"]) == b"hello\n"


def test_a_key_known_under_the_name_of_the_node_is_known(either: Desk, server: Server, tmp_path: Path) -> None:
    one = server().start()
    either.meet(one)
    either.known_hosts.write_text(f"[w1]:{one.port} {public(one.host_keys[0])}\n")
    assert output(either.once({"w1": "127.0.0.1"})["w1"]) == b"hello\n"
    assert "is not in known_hosts" in reason(either.once({"w2": "127.0.0.1"})["w2"])
    either.known_hosts.write_text(f"[w1]:{one.port} {public(keygen(tmp_path / 'other'))}\n")
    said = reason(either.once({"w1": "127.0.0.1"})["w1"])
    assert "has CHANGED" in said


def test_a_server_with_several_keys_is_asked_for_the_one_that_is_known(either: Desk, server: Server) -> None:
    one = server(host_kinds=("ed25519", "ecdsa", "rsa")).start()
    either.meet(one)
    for line in one.known.splitlines():
        either.known_hosts.write_text(line + "\n")
        assert output(either.once(NODE)["w1"]) == b"hello\n", line
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(either.known_hosts)], check=True, capture_output=True)
        assert output(either.once(NODE)["w1"]) == b"hello\n", f"hashed: {line}"


def test_a_host_certificate_counts_where_its_authority_is_known(either: Desk, server: Server, tmp_path: Path) -> None:
    authority = keygen(tmp_path / "authority")
    one = server()
    shown = certify(authority, one.host_keys[0], "-h", "-I", "node", "-n", "127.0.0.1")
    one.start(HostCertificate=str(shown))
    either.meet(one)
    either.known_hosts.write_text(f"@cert-authority [127.0.0.*]:{one.port} {public(authority)}\n")
    assert output(either.once(NODE)["w1"]) == b"hello\n"
    either.known_hosts.write_text(f"@cert-authority *.example.com {public(authority)}\n")
    assert "is not in known_hosts" in reason(either.once(NODE)["w1"])


def test_a_certificate_for_another_host_or_another_time_counts_for_nothing(desk: Desk, server: Server, tmp_path: Path) -> None:
    authority = keygen(tmp_path / "authority")
    for wrong in (("-n", "127.0.0.9"), ("-n", "127.0.0.1", "-V", "20200101:20200102")):
        one = server()
        one.start(HostCertificate=str(certify(authority, one.host_keys[0], "-h", "-I", "node", *wrong)))
        desk.config.write_text("")
        desk.meet(one)
        desk.known_hosts.write_text(f"@cert-authority * {public(authority)}\n")
        assert "is not in known_hosts" in reason(desk.once(NODE)["w1"]), wrong


def test_the_key_of_a_jump_host_is_held_to_the_same(either: Desk, server: Server) -> None:
    node, bastion = server("127.0.1.1").start(), server("127.0.2.1").start()
    either.meet(node, "Host 127.0.1.*\n  ProxyJump bastion\n")
    either.meet(bastion, "Host bastion\n  HostName 127.0.2.1\n")
    either.known_hosts.write_text(node.known)
    said = reason(either.once({"w1": "127.0.1.1"})["w1"])
    assert "bastion" in said
    assert fingerprint(bastion.host_keys[0]) in said
    assert (node.logins, bastion.logins) == (0, 0)
