"""What is said of labs; none is started."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab import __main__ as command_line
from tests.lab import certificates
from tests.lab.incidents import all_incidents
from tests.lab.lifecycle import is_reserved, reserved
from tests.lab.places import Places
from tests.lab.settings import KINDS, Settings
from tests.lab.status import next_commands, roster, status

Made = Callable[[str], Places]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """Makes the run folder of a lab that is gone: its logs."""
    monkeypatch.setenv("FLANNELSCOPE_LAB_HOME", str(tmp_path))

    def make(name: str) -> Places:
        places = Places(name)
        places.logs.mkdir(parents=True)
        return places

    return make


def test_a_lab_that_is_gone_is_only_told_when_asked_for_logs(made: Made) -> None:
    places = made("onlylogs")
    assert status("onlylogs") == ""
    assert str(places.logs) in status("onlylogs", logs=True)


def test_a_start_that_broke_off_says_how_it_is_ended(made: Made) -> None:
    places = made("halfthere")
    places.state.write_text(json.dumps({"stage": "starting", "settings": Settings("halfthere").to_json(), "by": 1}))
    assert status("halfthere") == "halfthere: broken start, end it with make lab-down NAME=halfthere"


def test_a_lab_of_before_the_reboot_is_not_said_to_be_up(made: Made) -> None:
    places = made("rebooted")
    places.state.write_text(json.dumps({"stage": "up", "settings": Settings("rebooted").to_json(), "by": 1}))
    assert "nothing of it runs any more" in status("rebooted")


def test_while_somebody_starts_it_that_is_said(made: Made) -> None:
    places = made("onitsway")
    with reserved(places):
        assert "somebody is starting" in status("onitsway")
    assert not is_reserved(places)


def test_a_lab_that_is_not_there_is_not_taken_down(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    made("onlylogs")
    assert command_line.main(["down", "--name", "nobody"]) == 0
    assert capsys.readouterr().out == "there is no lab nobody\nno lab of yours is up\n"
    assert not Places("nobody").lock.exists()


def test_the_control_planes_node_counts() -> None:
    assert roster(Settings("night", nodes=2)) == "3 nodes: cp, n1, n2"
    assert roster(Settings("night", nodes=12, light=5)) == "13 nodes: cp n[1-12] and 5 light ones"
    managed = next(kind for kind in KINDS.values() if kind.managed)
    assert roster(Settings("night", nodes=1, kind=managed)) == "1 node: n1"


def test_what_to_type_next_names_the_lab() -> None:
    assert next_commands("night").count("NAME=night") == 2


def test_two_labs_are_told_apart_by_their_context(tmp_path: Path) -> None:
    certificates.make_authority(tmp_path)
    certificates.make_control_plane(tmp_path, (), "night")
    config = json.loads((tmp_path / "admin.conf").read_text())
    assert config["current-context"] == "night"
    assert [each["name"] for each in (*config["contexts"], *config["clusters"])] == ["night", "night"]


@pytest.mark.parametrize("name", all_incidents())
def test_a_call_names_no_code(name: str) -> None:
    """Whoever rings tells what is seen from outside."""
    assert "FLN" not in all_incidents()[name].CALL
