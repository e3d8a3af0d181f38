"""The index over known_hosts says what ssh-keygen -F says, and is quick with thousands of lines."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from flannelscope.sources.ssh.known_hosts import KnownHosts

KEYS = [f"AAAAC3NzaC1lZDI1NTE5AAAAI{letter * 43}" for letter in "ABCDEFG"]
CLEAR = f"""# a comment
w1,10.0.0.1 ssh-ed25519 {KEYS[0]} a comment
[w2]:2222 ssh-ed25519 {KEYS[1]}
*.example.com,!evil.example.com ssh-ed25519 {KEYS[2]}
W3 ssh-ed25519 {KEYS[3]}
@revoked w1 ssh-ed25519 {KEYS[4]}
@cert-authority *.example.com ssh-ed25519 {KEYS[5]}
nonsense
@revoked w1
"""
NAMES = ["w1", "10.0.0.1", "w2", "[w2]:2222", "a.example.com", "evil.example.com", "w3", "w4"]


@pytest.fixture(params=[False, True], ids=["clear", "hashed"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The same file, as it is written and after ssh-keygen -H."""
    path = tmp_path / "known_hosts"
    path.write_text(CLEAR)
    if request.param:
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(path)], capture_output=True, check=False)
    return path


def test_the_same_names_as_ssh_keygen_finds(file: Path) -> None:
    known = KnownHosts([str(file)])
    for name in NAMES:
        told = subprocess.run(["ssh-keygen", "-F", name, "-f", str(file)], capture_output=True, text=True, check=False)
        lines = [line.split() for line in told.stdout.splitlines() if not line.startswith(("#", "@"))]
        assert sorted(entry.key for entry in known.of(name)) == sorted(line[2] for line in lines), name
        for key in KEYS:
            assert known.knows([name], key) == (key in {line[2] for line in lines}), (name, key)


def test_the_first_name_for_which_there_is_a_key_decides(file: Path) -> None:
    known = KnownHosts([str(file)])
    assert known.knows(["w4", "w1"], KEYS[0])
    assert not known.knows(["w3", "w1"], KEYS[0])


def test_markers(file: Path) -> None:
    known = KnownHosts([str(file)])
    assert known.revoked(["w1"], KEYS[4]) is not None
    assert known.revoked(["w2"], KEYS[4]) is None
    assert [entry.key for entry in known.authorities(["a.example.com"])] == [KEYS[5]]
    assert not known.knows(["a.example.com"], KEYS[5])


def test_files_that_are_not_there_or_make_no_sense(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(bytes(range(256)) * 100 + b"\n|1|x|y ssh-ed25519 AAAA\n|1|AAAA ssh-ed25519 AAAA\n")
    known = KnownHosts([str(tmp_path / "none"), str(tmp_path / "bytes"), str(tmp_path)])
    assert not known.knows(["w1"], "AAAA")
    assert known.of("w1") == ()
    assert known.unread == [f"{tmp_path}: Is a directory"]


def test_a_hashed_name_is_found_by_the_key_that_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def count(hosts: str, name: str) -> bool:
        tried.append(name)
        return hosts.endswith("hit")

    lines = [f"|1|salt|{number} ssh-ed25519 {KEYS[0]}{number}" for number in range(5000)]
    (tmp_path / "known").write_text("\n".join([*lines, f"|1|salt|hit ssh-ed25519 {KEYS[1]}"]))
    monkeypatch.setattr("flannelscope.sources.ssh.known_hosts._hashed", count)
    assert KnownHosts([str(tmp_path / "known")]).knows(["w1"], KEYS[1])
    assert tried == ["w1"]
