"""What this project's own machines could not show is recorded, with its origin, and the README does not pretend otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
RECORDED = REPOSITORY / "tests/data/recorded"
THINGS = sorted(folder.name for folder in RECORDED.iterdir())


def origin(thing: str) -> tuple[str, str, dict[str, str]]:
    """On what machine it was recorded, what was arranged by hand, and the command of each file."""
    machine, by_hand, _, *files = (RECORDED / thing / "ORIGIN").read_text().splitlines()
    return machine, by_hand, dict(line.split("\t") for line in files)


@pytest.mark.parametrize("thing", THINGS)
def test_each_file_has_an_origin_and_each_origin_a_file(thing: str) -> None:
    machine, by_hand, commands = origin(thing)
    assert machine.startswith("Recorded on: Linux ")
    assert len(by_hand.removeprefix("By hand: ")) > 20
    there = {str(path.relative_to(RECORDED / thing)) for path in (RECORDED / thing).rglob("*") if path.is_file()}
    assert there - {"ORIGIN"} == commands.keys()
    assert all(commands.values())


@pytest.mark.parametrize("thing", THINGS)
def test_what_is_to_be_json_is(thing: str) -> None:
    for path in (RECORDED / thing).rglob("*.json"):
        assert isinstance(json.loads(path.read_text()), list), path


@pytest.mark.parametrize("thing", THINGS)
def test_the_readme_says_that_it_was_not_seen_on_a_machine(thing: str) -> None:
    section = (REPOSITORY / "README.md").read_text().partition("*Not seen on a machine*")[2].partition("\n\n")[0]
    assert f"`{thing}`" in section


def test_there_is_a_recording_of_all_that_kernels_of_the_lab_lack() -> None:
    assert {"wireguard", "ipip", "bond", "vlan", "dummy", "netem", "ebtables-legacy", "cgroup-v2"} <= set(THINGS)


def test_no_private_key_is_kept() -> None:
    """A dump of wireguard has the device's own in the second column."""
    for path in (RECORDED / "wireguard").glob("wg-show-all-dump*"):
        device = path.read_text().splitlines()[0].split("\t")
        assert device[1] == "A" * 43 + "="
        assert len(device[2]) == len(device[1])
