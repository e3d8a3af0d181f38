"""Messages between console and engine survive the pipe, in frames of at most 256 KB."""

from __future__ import annotations

import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flannelscope import wire
from flannelscope.session import Settings
from flannelscope.views import NodeRow


def test_a_request_comes_through_with_its_settings() -> None:
    sent = wire.Start(run=3, settings=Settings(context="prod", pods="none", timeout=7.5, node_masks=(24, 64), login="token"))
    got = wire.decode_request(wire.encode(sent))
    assert isinstance(got, wire.Start)
    assert (got.run, got.settings) == (3, sent.settings)


def test_an_event_comes_through_as_what_it_was() -> None:
    row = NodeRow(name="w1", pod_cidrs=("10.244.1.0/24", "fd00::/64"), marks=("=", ""), vni=1)
    got = wire.decode_event(wire.encode(wire.Rows(run=1, rows=(row,), removed=("w2",), first=True)))
    assert isinstance(got, wire.Rows)
    assert (got.rows[0].name, got.rows[0].marks, got.removed, got.first, got.last) == ("w1", ("=", ""), ("w2",), True, False)


def test_an_answer_comes_through_and_is_shown_nowhere() -> None:
    sent = wire.Reply(run=1, id="q7", text="correct horse battery")
    got = wire.decode_request(wire.encode(sent))

    assert isinstance(got, wire.Reply) and (got.id, got.text) == ("q7", "correct horse battery")
    assert "horse" not in f"{sent!r} {sent.__rich_repr__()} {[sent]}"


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        wire.decode_event(b"\xc1")
    with pytest.raises(msgspec.ValidationError):
        wire.decode_request(wire.encode(wire.Hello(run=0, process=1)))


@pytest.mark.parametrize("size", [0, 1, wire.FRAME - 1, wire.FRAME, wire.FRAME + 1, 5 * wire.FRAME])
def test_frames_carry_any_size_and_none_is_larger_than_said(size: int) -> None:
    payload = bytes(i % 251 for i in range(size))
    framed = list(wire.frames(payload))
    assert max(len(frame) for frame in framed) <= wire.FRAME + 4
    assert list(wire.payloads(io.BytesIO(b"".join([*framed, *wire.frames(b"next")])))) == [payload, b"next"]


@given(st.binary(max_size=100), st.integers(0, 120))
def test_a_pipe_that_ends_in_the_middle_yields_no_half_message(payload: bytes, cut: int) -> None:
    whole = b"".join(wire.frames(payload))
    assert list(wire.payloads(io.BytesIO(whole[:cut]))) == ([payload] if cut >= len(whole) else [])


def test_batches_keep_order_and_stay_small() -> None:
    rows = [NodeRow(name=f"w{n}", note="x" * 300) for n in range(3000)]
    groups = list(wire.batches(rows))
    assert [row for group in groups for row in group] == rows
    assert len(groups) > 1
    assert all(len(wire.encode(wire.Rows(run=1, rows=group))) <= wire.FRAME for group in groups)
