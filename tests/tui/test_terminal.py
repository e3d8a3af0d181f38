"""The installed program through a real pseudo-terminal: it draws, answers, resizes, stays silent when idle, and leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.tui.terminal import Terminal

Open = Callable[..., Terminal]


@pytest.fixture
def program() -> Iterator[Open]:
    opened: list[Terminal] = []

    def start(*words: str, columns: int = 80, rows: int = 24, environment: Mapping[str, str] | None = None) -> Terminal:
        opened.append(Terminal("-m", "flannelscope", *words, columns=columns, rows=rows, environment=environment))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def test_the_twins_are_seen_and_the_terminal_is_given_back(program: Open) -> None:
    terminal = program("--demo", "twins")
    terminal.until("FLN101 duplicate podCIDR")
    terminal.until("300 nodes")
    terminal.press("2")
    terminal.until("10.244.31.0/24 =")
    terminal.press("/w118\r")
    terminal.until("Nodes  1 of 300")
    terminal.until("host-gw")
    terminal.press(":q\r")
    assert terminal.wait() == 0
    assert b"\x1b[?1049l" in terminal.written[-400:]
    assert b"\x1b[?25h" in terminal.written[-400:]
    assert b"\x1b[?1000h" not in terminal.written  # the mouse is the terminal's


def test_q_asks_and_q_again_leaves(program: Open) -> None:
    terminal = program("--demo", "healthy")
    terminal.until("healthy")
    terminal.until("flannel")
    terminal.press("q")
    terminal.until("Quit flannelscope?")
    terminal.press("q")
    assert terminal.wait() == 0


@pytest.mark.parametrize("key", ["\r", "\x1b", "q", " ", "\x03"], ids=["enter", "escape", "q", "blank", "ctrl-c"])
def test_what_was_copied_is_printed_where_the_terminal_does_not_take_it(program: Open, key: str) -> None:
    """Any key goes back, and is no more than that: q does not go to the overview too."""
    terminal = program("--demo", "twins")
    terminal.until("300 nodes")
    terminal.press("2")
    terminal.until("w031")
    terminal.press("c")
    terminal.until("(OSC 52; else :copied)  w031")
    assert b"\x1b]52;c;dzAzMQ==\x07" in terminal.written  # w031
    terminal.press(":copied\r")
    terminal.until("That is what was copied last.")
    assert terminal.screen.display[1].strip() == "w031" or "\nw031" in terminal.text
    terminal.press(key)
    terminal.until("Nodes  300 of 300")


def test_a_report_stays_on_the_terminal_when_asked_for(program: Open) -> None:
    terminal = program("--demo", "twins", "--report-on-exit")
    terminal.until("FLN101")
    terminal.press("\x11")  # Ctrl-Q
    assert terminal.wait() == 0
    after = terminal.written.rpartition(b"\x1b[?1049l")[2].decode()
    assert "FLN101" in after
    assert "demo twins" in after


def test_an_idle_console_writes_nothing(program: Open) -> None:
    terminal = program("--demo", "healthy")
    terminal.until("allocator")
    terminal.quiet()
    assert not terminal.read(3.0)


@pytest.mark.parametrize("size", [(40, 12), (120, 40), (200, 50)])
def test_a_resize_is_followed(program: Open, size: tuple[int, int]) -> None:
    terminal = program("--demo", "twins")
    terminal.until("FLN101")
    terminal.press("2")
    terminal.until("w031")
    terminal.resize(*size)
    terminal.until_last("? help")
    assert "w031" in terminal.text


def colours(written: bytes) -> set[bytes]:
    """Parameters of SGR sequences that set a colour."""
    found = set()
    for sequence in re.findall(rb"\x1b\[([\d;]*)m", written):
        found |= set(re.findall(rb"(?:^|;)((?:3|4|9|10)[0-7]|[34]8;[25])(?=;|$)", sequence))
    return found


def test_no_color_means_none(program: Open) -> None:
    terminal = program("--demo", "twins", environment={"NO_COLOR": "1"})
    terminal.until("FLN101")
    terminal.press("2")
    terminal.until("w031")
    terminal.quiet()
    assert colours(terminal.written) == set()
    assert b"\x1b[1;7m" in terminal.written or b"\x1b[7" in terminal.written  # the cursor is still seen


def test_the_linux_console_gets_its_sixteen_colours_and_ascii(program: Open) -> None:
    terminal = program("--demo", "twins", environment={"TERM": "linux"})
    terminal.until("x FLN101")
    terminal.quiet()
    assert not {each for each in colours(terminal.written) if each.startswith((b"38;", b"48;"))}
    assert terminal.written.isascii()


def test_without_a_utf8_locale_only_ascii_is_written(program: Open) -> None:
    """On every screen, in help, palette and lines that ask, in what is said in passing, and in what stays at the end."""
    terminal = program("--demo", "twins", "--report-on-exit", environment={"LANG": "C", "COLORTERM": "truecolor"})
    terminal.until("x FLN101")
    for keys, comes in (
        ("2", "10.244.31.0/24 ="),
        ("c", "else :copied)  w031"),
        (":copied\r", "Any key goes back."),
        ("\r", "Nodes  300 of 300"),
        ("S", "sort by"),
        ("n", "NODE^"),
        ("/w118", "1 of 300"),
        ("\r", "S sort"),
        ("\r", "Node w118"),
        ("7", "Findings  "),
        ("\r", "/FLN101"),
        ("\r", "why it matters"),
        ("?", "scroll"),
        ("G", "remedy"),
        ("?@", "Requests  "),
        ("\x10", "Search for commands"),
        ("node", "node w001"),
        ("\x1b", "no request was made"),
        (":node ", "cp1  cp2  cp3"),
        ("\r", "which node?"),
        ("\x1b", "S sort"),
    ):
        terminal.press(keys)
        terminal.until(comes)
        assert "??" not in terminal.text, terminal.text  # what has no twin
    terminal.press(":q\r")
    assert terminal.wait() == 0
    assert b"flannelscope  demo twins . v1.34.4" in terminal.written.rpartition(b"\x1b[?1049l")[2]
    assert terminal.written.isascii()
