"""Commands over several lines of the screen: whoever types them from there types what was meant."""

from __future__ import annotations

import shlex
from itertools import pairwise

import pytest
from rich.cells import cell_len

from tests.tui.world import SaidEngine, console, finding, reading, shown, told
from tui.widgets.command import INSIDE, wrap_command
from tui.widgets.document import Document

ANNOUNCE = """'flannel.alpha.coreos.com/backend-data= {"VNI":1,"VtepMAC":"86:60:a4:2c:61:4d"}'"""  # the blank behind = matters
ARGUMENTS = f"kubectl annotate --overwrite node w031 {ANNOUNCE}"
COMMANDS = (
    ARGUMENTS,
    f"{ARGUMENTS}  # the same JSON, other blanks before it: peers set the route, ARP and FDB entries of it again",
    "kubectl get node w031 -o jsonpath='{.spec.podCIDRs}'  # all of them",
    'printf "%s  %s" "two  blanks" it\\ is # that\'s it',
    "ip route",
)


def lines(command: str, width: int) -> list[str]:
    return ["".join(text for text, _ in line) for line in wrap_command([("  $ ", "muted"), (command, "key")], width, 4)]


@pytest.mark.parametrize("width", [40, 46, 47, 48, 49, 50, 78, 200])
@pytest.mark.parametrize("command", COMMANDS)
def test_the_lines_are_the_same_words_to_a_shell(command: str, width: int) -> None:
    laid = [line[4:] for line in lines(command, width)]
    typed = "\n".join(laid).replace(f"{INSIDE}\n", "")  # that mark is the console's
    typed = typed.replace(" \\\n", " ")  # a line that goes on, to a shell; shlex reads files
    assert shlex.split(typed, comments=True) == shlex.split(command, comments=True)
    assert all(cell_len(line) <= width - 4 for line in laid)


@pytest.mark.parametrize("width", range(30, 80))
def test_no_blank_stands_where_it_cannot_be_seen(width: int) -> None:
    broken = [line[4:] for line in lines(ARGUMENTS, width)]
    inside = [(one, other) for one, other in pairwise(broken) if one.endswith(INSIDE)]
    assert inside
    assert not any(one.endswith(f" {INSIDE}") or other.startswith(" ") for one, other in inside)


async def test_what_is_copied_is_one_line() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await told(pilot, engine, *reading(findings=[finding("FLN101", "w031", "w231", commands=(ARGUMENTS,), evidence=())]))
        await pilot.press("enter")
        await pilot.pause()
        page = app.screen.query_one(Document)
        while page.blocks[page.cursor].copy != ARGUMENTS:
            await pilot.press("j")
        assert "node w031 \\" in shown(app)
        assert INSIDE in shown(app)
        await pilot.press("c")
        assert app.clipboard == ARGUMENTS
