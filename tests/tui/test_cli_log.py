"""The log file: private also after it was rotated, one line an entry, and what the console's engine says."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from flannelscope import wire
from flannelscope.errors import UsageError
from flannelscope.events import RequestDone
from flannelscope.model import Gap, Topic
from tests.engine.hostile import FORBIDDEN
from tests.tui.cli import call
from tui import log
from tui.log import LOGGER, close_log, log_events, open_log


def test_every_file_of_a_rotated_log_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "LARGEST", 200)
    (tmp_path / "log").touch(0o644)
    handler = open_log(str(tmp_path / "log"), debug=False)
    for number in range(20):
        LOGGER.info("entry %d", number)
    close_log(handler)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["log", "log.1", "log.2", "log.3"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_an_entry_is_one_clean_line(tmp_path: Path) -> None:
    handler = open_log(str(tmp_path / "log"), debug=False)
    LOGGER.info("a name: %s", "x\r\n2026-01-01T00:00:00.000Z INFO forged\x1b[2J\u202e")
    LOGGER.debug("only with --debug")
    close_log(handler)
    (line,) = (tmp_path / "log").read_text("utf-8").splitlines()
    assert "\x1b" not in line
    assert "\u202e" not in line
    assert " INFO a name: x" in line


def test_what_the_engine_tells_the_console_is_logged(tmp_path: Path) -> None:
    done = RequestDone(method="GET", path="/api/v1/nodes?limit=500", status=200, received=1234, seconds=0.5, at=0.0)
    handler = open_log(str(tmp_path / "log"), debug=False)
    log_events(
        [
            wire.Requested(run=1, requests=(done,)),
            wire.Gaps(run=1, gaps=(Gap(Topic.PODS, "may not list pods"),)),
            wire.WatchStates(run=1, states={"nodes": ("watching", "")}),
            wire.Failed(run=1, what="no route", where="10.0.0.1"),
            wire.Finished(run=1, seconds=2.0),
        ]
    )
    close_log(handler)
    entries = [line.split(" ", 1)[1].rstrip() for line in (tmp_path / "log").read_text("utf-8").splitlines()]
    assert entries == [
        "INFO GET /api/v1/nodes?limit=500 -> 200, 1.2 kB, 0.500 s",
        "WARNING gap: pods: may not list pods",
        "INFO watch of nodes: watching",
        "ERROR no route 10.0.0.1",
        "INFO all was read in 2.00 s",
    ]


def test_without_a_log_file_nothing_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    LOGGER.error("nobody asked")
    assert capfd.readouterr() == ("", "")


def test_a_log_that_cannot_be_written_is_a_mistake_of_the_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="log file cannot be written"):
        open_log(str(tmp_path), debug=False)


def test_a_full_disk_is_said_once_and_changes_nothing_else(tmp_path: Path) -> None:
    """/dev/full answers every write as a disk without room does."""
    for debug in ((), ("--debug",)):
        done = call(tmp_path, "check", "--demo", "healthy", "--log-file", "/dev/full", *debug)
        assert done.returncode == 0
        assert done.stderr == "flannelscope: the log file is incomplete: No space left on device (/dev/full).\n"
        assert "Looked at" in done.stdout


def test_a_log_that_cannot_be_rotated_any_more_ends_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(log, "LARGEST", 100)
    handler = open_log(str(tmp_path / "log"), debug=False)
    (tmp_path / "log.1").mkdir()  # where the older file would go
    for number in range(20):
        LOGGER.info("entry %d", number)
    close_log(handler)
    told = capsys.readouterr().err
    assert told.startswith("flannelscope: the log file is incomplete: ")
    assert told.count("\n") == 1


def test_a_traceback_of_debug_is_clean_too(tmp_path: Path) -> None:
    """The context's name sets the title of a terminal and clears it."""
    config = tmp_path / "config"
    config.write_text(json.dumps({"kind": "Config", "contexts": [{"name": "evil\x1b]0;pwned\x07\x1b[2J"}]}))
    done = call(tmp_path, "check", "--kubeconfig", str(config), "--debug")
    assert "Traceback" in done.stderr
    assert "evil" in done.stderr
    assert not FORBIDDEN - {"\n"} & set(done.stderr)
