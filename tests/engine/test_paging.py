"""Lists come in pages of at most 500, go on when a token expired, and lose nothing over cuts."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from itertools import islice

import pytest

from flannelscope.errors import ReadFailed
from flannelscope.events import TopicProgress
from flannelscope.model import Snapshot, Topic
from flannelscope.sources.background import Halt, background
from flannelscope.sources.paging import LIMIT, head
from tests.engine.api_objects import NODES, PODS, a_node, a_pod, read, source
from tests.fakes.api_server import Answer, FakeApi, status


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as made:
        yield made


def names(count: int) -> list[str]:
    return [f"w{number}" for number in range(count)]


def test_nodes_come_page_by_page(api: FakeApi) -> None:
    api.hold(NODES, "NodeList", [a_node(name) for name in names(1200)])
    with source(api) as made:
        got = read(made, Topic.NODES)
    assert [len(part.fields["nodes"]) for part in got.parts] == [500, 1000, 1200]
    assert [part.reading.complete for part in got.parts] == [False, False, True]
    assert [(part.reading.answered, part.reading.asked) for part in got.parts] == [(500, 1200), (1000, 1200), (1200, 1200)]
    assert [node.name for node in got.fields["nodes"]] == names(1200)
    assert {request.query["limit"] for request in api.asked(NODES)} == {str(LIMIT)}
    assert [a.total for a in got.answers if isinstance(a, TopicProgress)] == [1200, 1200, 1200]


def test_an_expired_token_goes_on_with_the_one_that_the_server_offers(api: FakeApi) -> None:
    api.hold(NODES, "NodeList", [a_node(name) for name in names(1200)])
    # w0 … w499 are there; the token for the rest has expired, and the server offers to go on at 400
    api.next(NODES, api.page(NODES), Answer(410, status(410, "Expired", "too old", token="400")))
    with source(api) as made:
        got = read(made, Topic.NODES)
    assert [request.query.get("continue", "") for request in api.asked(NODES)] == ["", "500", "400", "900"]
    assert sorted(node.name for node in got.fields["nodes"]) == sorted(names(1200))  # each once, though 400 … 499 came twice


def test_without_such_an_offer_the_list_starts_over_once(api: FakeApi) -> None:
    api.hold(NODES, "NodeList", [a_node(name) for name in names(700)])
    api.next(NODES, api.page(NODES), Answer(410, status(410, "Expired", "too old")))
    with source(api) as made:
        got = read(made, Topic.NODES)
    assert len(got.fields["nodes"]) == 700
    assert got.parts[-1].reading.complete
    assert [request.query.get("continue", "") for request in api.asked(NODES)] == ["", "500", "", "500"]


def test_a_list_that_expires_again_and_again_is_a_gap(api: FakeApi) -> None:
    api.hold(NODES, "NodeList", [a_node(name) for name in names(700)])
    api.next(NODES, *[api.page(NODES), Answer(410)] * 2)
    with source(api) as made:
        got = read(made, Topic.NODES)
    assert "no longer has this state" in got.gaps[0].reason
    assert not got.parts[-1].reading.complete


def test_a_page_that_is_cut_is_read_again_and_no_other(api: FakeApi) -> None:
    api.hold(PODS, "PodList", [a_pod(f"p{number}") for number in range(600)])
    api.next(PODS, api.page(PODS), Answer(body=b'{"kind":"PodList","metadata":{},"items":[' + b" " * 5000, cut=3000))
    with source(api) as made:
        got = read(made, Topic.PODS)
    assert len(got.fields["pods"]) == 600
    assert [request.query.get("continue", "") for request in api.asked(PODS)] == ["", "500", "500"]


@pytest.mark.parametrize(
    "body", [b"<html>Please log in</html>", b"", b'{"items": 7}', b'"text"', b'{"items":[', b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_no_list_is_said(api: FakeApi, body: bytes) -> None:
    api.always(NODES, Answer(body=body))
    with source(api) as made:
        got = read(made, Topic.NODES)
    assert not got.parts
    assert "not what an API server sends" in got.gaps[0].reason


def test_an_empty_list_of_go_is_null(api: FakeApi) -> None:
    api.always(NODES, Answer(body=b'{"kind":"NodeList","metadata":{"resourceVersion":"7"},"items":null}'))
    with source(api) as made:
        got = read(made, Topic.NODES)
    assert got.fields["nodes"] == ()
    assert got.parts[-1].reading.complete


def test_the_token_stands_in_the_head() -> None:
    body = (
        b'{"kind":"PodList","metadata":{"selfLink":"/x","resourceVersion":"5","continue":"abc","remainingItemCount":3},"items":['
    )
    assert head(body, "").continue_ == "abc"  # the rest of the body is not looked at: it is not even JSON
    behind = b'{"items":[{"metadata":{"name":"w1","continue":"no"}}],"metadata":{"continue":"yes"}}'
    assert head(behind, "").continue_ == "yes"
    assert head(b'{"metadata":{},"items":[]}', "").continue_ is None
    with pytest.raises(ReadFailed):
        head(b"<html>", "")


def test_stop_between_two_pages(api: FakeApi) -> None:
    api.hold(NODES, "NodeList", [a_node(name) for name in names(1200)])
    stop = threading.Event()
    with source(api) as made:
        answers = made.read(Topic.NODES, Snapshot(), stop)
        next(answers)
        stop.set()
        assert list(answers) == []


def test_at_most_a_page_or_two_ahead() -> None:
    made: list[int] = []

    def work(halt: Halt) -> Generator[int, None, None]:
        for number in range(100):
            made.append(number)
            yield number

    coming = background(work, threading.Event())
    assert list(islice(coming, 1)) == [0]
    coming.close()
    assert len(made) <= 4
