"""What came back from a node, whole, cut, with a banner before it, or no answer at all, becomes a Kernel or a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flannelscope.bundle_answer import NoAnswer, kernel, unpack
from flannelscope.model import Kernel, Link
from flannelscope.probes import Probe, Unparsable, all_probes
from flannelscope.probes.links import PROBE as LINKS

NONCE = "5f2c9d81e07b4a36"
DATA = Path(__file__).resolve().parents[1] / "data/probes"
MOTD = b"\x1b[1mWelcome to n1\x1b[0m\r\nLast login: Mon Nov 23\r\nkernel tainted, \xff\xfe\n"


class Answer(msgspec.Struct):
    """What a way of reaching a node gives back."""

    output: bytes
    error: str = ""
    cut: bool = False
    node: str = "n1"
    at: float = 100.0
    origin: str = "ssh ops@172.30.0.11"


def mark(words: str) -> bytes:
    return f"\n{NONCE} {words}\n".encode()


def section(name: str, output: bytes, status: int | None = 0, way: int = 0) -> bytes:
    return mark(f"+ {name} {way}") + output + (b"" if status is None else mark(f"= {status}"))


def whole(*sections: bytes, errors: bytes = b"") -> bytes:
    return mark("^ 1000") + b"".join(sections) + mark("!") + errors + b"\n" + mark(".")


LINK_JSON = (DATA / "links/vxlan.json").read_bytes()
GOOD = whole(section("links", LINK_JSON), section("fdb", (DATA / "fdb/vxlan.json").read_bytes()))
TWO = [all_probes()["links"], all_probes()["fdb"]]


def taken(output: bytes, probes: Sequence[Probe[Any]] = (), error: str = "", cut: bool = False) -> Kernel:
    return kernel(Answer(output, error, cut), NONCE, probes=probes or TWO)


def test_every_probe_is_parsed_and_kept_as_it_came() -> None:
    found = taken(GOOD)
    links = LINKS.of(found)
    assert links is not None
    assert "flannel.1" in {link.name for link in links}
    assert found.missing == {}
    assert found.raw["links"].output == LINK_JSON
    assert found.raw["links"].command == "ip -j -d link show"
    assert (found.node, found.at, found.origin) == ("n1", 100.0, "ssh ops@172.30.0.11")


def test_what_stands_before_and_after_does_no_harm() -> None:
    found = taken(MOTD + GOOD + b"Connection to n1 closed.\r\n\xff")
    assert found.missing == {}


@pytest.mark.parametrize(
    ("output", "error", "said"),
    [
        (b"", "", "the script did not run there; nothing came"),
        (b"", "sh: Permission denied", "nothing came; its error: sh: Permission denied"),
        (b"This account is not available.\n", "", "it answered: This account is not available."),
        (b"\x1b]0;owned\x07% Unknown command\n", "", "it answered: \ufffd% Unknown command"),
    ],
)
def test_what_is_no_answer_is_a_sentence(output: bytes, error: str, said: str) -> None:
    with pytest.raises(NoAnswer) as raised:
        taken(output, error=error)
    assert said in str(raised.value)


def test_an_answer_that_ends_in_the_middle_gives_what_came_before() -> None:
    found = taken(GOOD[: GOOD.index(b"+ fdb") + 30])
    assert found.facts.keys() == {"links"}
    assert found.missing == {"fdb": "the answer ended in the middle of it"}


def test_what_never_came_is_missing_with_the_reason() -> None:
    begun = GOOD[: GOOD.index(b"+ fdb") - 10]
    assert taken(begun).missing == {"fdb": "the answer ended before it came"}
    assert taken(begun, cut=True).missing == {"fdb": "the answer was cut at the limit of size or time before it came"}
    assert taken(whole(section("links", LINK_JSON))).missing == {"fdb": "the script did not ask for it"}


def test_a_status_of_which_a_part_was_cut_is_none() -> None:
    """124 is a time that was up; cut to 1 it would be an answer of grep that found nothing."""
    output = mark("^ 1000") + mark("+ links 0") + LINK_JSON + f"\n{NONCE} = 1".encode()
    assert unpack(output, NONCE).sections["links"].status is None


def test_an_answer_over_its_limit_is_missing_not_half_believed() -> None:
    probe = Probe("links", "network devices", LINKS.ways, limit=len(LINK_JSON))
    found = taken(whole(section("links", LINK_JSON, status=None)), [probe])
    assert found.missing == {"links": f"it said more than {len(LINK_JSON):,} bytes"}
    assert found.raw["links"].cut


def test_a_mark_that_somebody_else_wrote_is_no_mark() -> None:
    forged = b"\n0000000000000000 + fdb 0\n[]\n0000000000000000 = 0\n"
    found = taken(whole(section("links", b"[]" + forged), section("fdb", b"[]")))
    assert "fdb" in found.facts
    assert "0000000000000000 + fdb" in found.raw["links"].output.decode()


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (1, b"Cannot open netlink socket: Permission denied", "it ended with 1: Cannot open netlink socket: Permission denied"),
        (124, b"", "it took longer than 10 seconds"),
        (127, b"sh: 1: ip: not found", "a program of it is not there (sh: 1: ip: not found)"),
        (255, b"", "it ended with 255 and said nothing"),
    ],
)
def test_a_command_that_failed_says_why(status: int, error: bytes, said: str) -> None:
    output = whole(section("links", b"", status), section("fdb", b"[]"), errors=mark("+ links 0") + error)
    assert taken(output).missing == {"links": said}


def test_sudo_that_refuses_takes_only_what_needs_root() -> None:
    refused = b"sudo: a password is required"
    probes = [all_probes()["nft"], all_probes()["fdb"]]
    found = taken(whole(section("nft", b"", 1), section("fdb", b"[]"), errors=mark("+ nft 0") + refused), probes)
    assert found.missing == {"nft": "sudo did not allow it: sudo: a password is required"}
    assert "fdb" in found.facts


def test_what_was_not_asked_says_why() -> None:
    probes = [all_probes()["nft"], all_probes()["offload"]]
    found = taken(whole(mark("- nft sudo"), mark("- offload missing ethtool")), probes)
    assert found.missing == {
        "nft": "it needs root, and sudo is not installed there",
        "offload": "not installed there, or not usable: ethtool",
    }


def test_what_no_parser_understood_is_kept_as_lines() -> None:
    found = taken(whole(section("links", b"1: lo: <UP> mtu 65536 state UNKNOWN\nwhat is this\n", way=1), section("fdb", b"[]")))
    links: tuple[Link, ...] = found.facts["links"]
    assert [link.name for link in links] == ["lo"]
    assert found.unparsed == {"links": ("what is this",)}


def test_containers_know_their_network_when_root_could_tell_it() -> None:
    probes = [all_probes()["containers"], all_probes()["namespaces"]]
    boxes = (DATA / "containers/vxlan.out").read_bytes()
    spaces = (DATA / "namespaces/vxlan.out").read_bytes()
    with_root = taken(whole(section("containers", boxes), section("namespaces", spaces)), probes)
    without = taken(whole(section("containers", boxes), mark("- namespaces sudo")), probes)

    assert {box.netns for box in with_root.facts["containers"]} == {None, 4026532471}, "host network, and one pod's own"
    assert {box.netns for box in without.facts["containers"]} == {None}


@given(st.integers(0, len(GOOD)), st.integers(0, len(GOOD)), st.binary(max_size=60))
@example(0, 0, b"")
def test_an_answer_with_a_piece_torn_out_is_taken_or_refused_in_words(start: int, end: int, instead: bytes) -> None:
    torn = GOOD[:start] + instead + GOOD[max(start, end) :]
    try:
        found = taken(torn)
    except NoAnswer as reason:
        assert "the script did not run there" in str(reason)
    else:
        assert found.facts.keys() | found.missing.keys() == {"links", "fdb"}


@given(st.binary(max_size=300))
def test_any_bytes_between_marks_are_a_section(output: bytes) -> None:
    found = unpack(whole(section("x", output)), NONCE)
    assert found.sections["x"].output == output
    assert found.complete


OUTPUTS = {path: path.read_bytes() for path in sorted(DATA.glob("*/*")) if "expected" not in path.name}


def parse_all(name: str, output: bytes) -> None:
    """By every way of a probe: a value, or Unparsable, and nothing else."""
    for way in all_probes()[name].ways:
        try:
            parsed = way.parse(output)
        except Unparsable as reason:
            assert str(reason)
        else:
            assert all(isinstance(line, str) for line in parsed.unparsed)


@given(st.sampled_from(sorted(all_probes())), st.binary(max_size=400))
@example("links", b"[" * 100_000)
@example("nft", b'{"nftables":' + b"[" * 100_000)
@example("rules", b"== ip -j -4 rule show\n" + b"[" * 100_000 + b"\n== exit 0\n")
@example("links", b'[{"ifindex":1,"ifname":"x","linkinfo":{"info_kind":"vxlan","info_data":[]}}]')
@example("links", b'[{"ifindex":1,"ifname":"\xff"}]')
@example("links", b'[{"ifindex":1,"ifname":"a","mtu":"big"},{"ifindex":2,"ifname":"b"}]')
@example("fdb", b'[{"mac":null},7,{"mac":"02:00:00:00:00:01","ifname":"flannel.1","dst":"10.0.0.1"}]')
@example("nft", b'{"nftables":[{"chain":7},{"rule":{"expr":1}},[],{"table":{"family":[]}}]}')
def test_no_output_stops_a_parser(name: str, output: bytes) -> None:
    parse_all(name, output)


@given(st.sampled_from(sorted(OUTPUTS)), st.floats(0, 1), st.floats(0, 1), st.binary(max_size=12))
def test_no_damage_to_a_real_output_stops_a_parser(path: Path, start: float, length: float, instead: bytes) -> None:
    output = OUTPUTS[path]
    at = int(start * len(output))
    parse_all(path.parent.name, output[:at] + instead + output[at + int(length * 40) :])
