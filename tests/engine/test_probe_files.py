"""What real nodes said, in JSON, in text and by busybox, is parsed to what their kernels hold."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from flannelscope.probes import Parsed, Unparsable, all_probes

HERE = Path(__file__).resolve().parents[1] / "data"
PROBES = HERE / "probes"
RECORDED = HERE / "recorded"
FORMATS = (".json", ".txt", ".busybox", ".out")


def outputs() -> Iterator[Path]:
    return (path for path in sorted(PROBES.glob("*/*")) if path.suffix in FORMATS and "expected" not in path.name)


def parsed(probe: str, output: bytes) -> Parsed[Any]:
    return all_probes()[probe].ways[0].parse(output)


def plain(value: object) -> object:
    """A value as JSON has it; what came in no order of its own is sorted."""
    found = msgspec.json.decode(msgspec.json.encode(value))
    return sorted(found, key=msgspec.json.encode) if isinstance(found, list) else found


@pytest.mark.parametrize("path", outputs(), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_a_node_said_is_what_its_kernel_holds(path: Path) -> None:
    own = path.with_suffix(f"{path.suffix}.expected.json")
    expected = own if own.exists() else path.with_suffix(".expected.json")
    found = parsed(path.parent.name, path.read_bytes())

    assert plain(found.value) == plain(msgspec.json.decode(expected.read_bytes()))
    if path.suffix != ".busybox":
        assert found.unparsed == ()


def test_every_probe_has_outputs_of_a_real_node() -> None:
    assert {path.parent.name for path in outputs()} == all_probes().keys()


def test_equal_entries_of_two_nodes_are_one_object() -> None:
    """There are N² of them in a cluster."""
    output = (PROBES / "routes/vxlan.json").read_bytes()
    first, second = parsed("routes", output).value, parsed("routes", output).value
    assert all(one is other for one, other in zip(first, second, strict=True))


def test_busybox_does_not_say_where_a_multipath_route_leads_and_that_is_not_hidden() -> None:
    found = parsed("routes", (PROBES / "routes/oddities.busybox").read_bytes())
    assert "10.244.4.0/24: its next hops were not told" in found.unparsed
    assert not [route for route in found.value if route.destination == "10.244.4.0/24"]


RECORDED_LINKS = sorted(folder.name for folder in RECORDED.iterdir() if (folder / "ip-d-link.txt").exists())


@pytest.mark.parametrize("thing", RECORDED_LINKS)
def test_devices_that_were_recorded_elsewhere_are_the_same_in_json_and_in_text(thing: str) -> None:
    whole = parsed("links", (RECORDED / thing / "ip-d-link.json").read_bytes())
    text = parsed("links", (RECORDED / thing / "ip-d-link.txt").read_bytes())
    assert whole.value
    assert whole.unparsed == text.unparsed == ()
    # What one device was asked for, or a JSON document without those below, does not tell the index of a veth's other end.
    assert plain(text.value) == plain(whole.value)


RECORDED_ROUTES = sorted(folder.name for folder in RECORDED.iterdir() if (folder / "ip-route.txt").exists())


@pytest.mark.parametrize("thing", RECORDED_ROUTES)
def test_routes_that_were_recorded_elsewhere_are_the_same_in_json_and_in_text(thing: str) -> None:
    def framed(argv: tuple[str, ...], file: str) -> bytes:
        return f"== {shlex.join(argv)}\n".encode() + (RECORDED / thing / file).read_bytes() + b"\n== exit 0\n"

    whole = parsed("routes", framed(("ip", "-j", "-4", "route", "show", "table", "all"), "ip-route.json"))
    text = parsed("routes", framed(("ip", "-4", "route", "show", "table", "all"), "ip-route.txt"))
    assert whole.value
    assert plain(text.value) == plain(whole.value)


def test_one_family_that_failed_makes_no_half_of_an_answer() -> None:
    """A route of IPv6 that nobody could read would be taken for missing."""
    whole = (PROBES / "routes/vxlan.json").read_bytes()
    failed = whole.removesuffix(b"== exit 0\n") + b"== exit 2\n"
    with pytest.raises(Unparsable, match="ip -j -6 route show table all"):
        parsed("routes", failed)


@pytest.mark.parametrize(
    ("flags", "dead", "linkdown"), [("", False, False), ("linkdown", False, True), ("dead linkdown", True, True)]
)
def test_a_route_without_carrier_is_used_and_a_dead_one_is_not(flags: str, dead: bool, linkdown: bool) -> None:
    said = PROBES.joinpath("routes/vxlan.txt").read_bytes().decode()
    first = next(line for line in said.splitlines() if line.startswith("default"))
    output = said.replace(first, f"{first.rstrip()} {flags}", 1).encode()
    [found] = [route for route in parsed("routes", output).value if route.destination == "0.0.0.0/0"]
    assert (found.dead, found.linkdown) == (dead, linkdown)
