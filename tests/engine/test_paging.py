"""Lists come in pages of at most 500, go on when a token expired, and lose nothing over cuts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import cast

import pytest

from flannelscope.errors import ReadFailed
from flannelscope.events import RequestDone, TopicProgress
from flannelscope.model import Snapshot, Topic
from flannelscope.sources.background import Halt, background
from flannelscope.sources.paging import LIMIT, head, pages
from flannelscope.sources.transport import Query, Reply, Transport
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


class Told:
    """Stands in for a Transport: three pages, and a record of what is sent and read in which order."""

    def __init__(self, *firsts: dict[str, str]) -> None:
        self.said: list[str] = []
        self._firsts = list(firsts)  # tokens of the pages: as first seen, and as the whole page says

    def ahead(self, path: str, query: Query, halt: Halt) -> Asked:
        self.said.append(f"send {dict(query)['continue']}")
        return Asked(self.said, dict(query)["continue"])

    def get(
        self, path: str, query: Query, halt: Halt, ahead: Asked | None, look: Callable[[bytes], None]
    ) -> Generator[RequestDone, None, Reply]:
        yield from ()
        tokens = self._firsts.pop(0)
        look(page_at(tokens["first"]))
        self.said.append(f"read {dict(query)['continue'] or 'the first'}" + (", sent before" if ahead else ""))
        look(page_at(tokens["whole"]))
        return Reply(bytearray(page_at(tokens["whole"])))


class Asked:
    def __init__(self, said: list[str], token: str) -> None:
        self._said, self._token = said, token

    def drop(self) -> None:
        self._said.append(f"drop {self._token}")


def page_at(token: str) -> bytes:
    return b'{"kind":"NodeList","metadata":{"continue":"%s"},"items":[]}' % token.encode()


def told(*pages_told: tuple[str, str]) -> list[str]:
    made = Told(*({"first": first, "whole": whole} for first, whole in pages_told))
    list(pages(cast(Transport, made), NODES, (), Halt(threading.Event())))
    return made.said


def test_the_next_page_is_asked_for_while_one_is_read() -> None:
    assert told(("500", "500"), ("1000", "1000"), ("", "")) == [
        "send 500", "read the first",
        "send 1000", "read 500, sent before",
        "read 1000, sent before",
    ]  # fmt: skip


def test_a_page_that_comes_anew_may_go_on_elsewhere() -> None:
    assert told(("500", "B500"), ("", "")) == ["send 500", "read the first", "drop 500", "send B500", "read B500, sent before"]


def test_what_was_sent_and_is_not_wanted_is_dropped() -> None:
    made = Told({"first": "500", "whole": "500"})
    coming = pages(cast(Transport, made), NODES, (), Halt(threading.Event()))
    next(coming)
    coming.close()
    assert made.said == ["send 500", "read the first", "drop 500"]


def test_a_large_page_that_is_cut_goes_on_where_its_second_reading_says(api: FakeApi) -> None:
    api.hold(NODES, "NodeList", [a_node(name) for name in names(700)])
    head_of_another = b'{"kind":"NodeList","metadata":{"resourceVersion":"90","continue":"400"},"items":['
    api.next(NODES, Answer(body=head_of_another + b" " * 200_000, cut=150_000))
    with source(api) as made:
        got = read(made, Topic.NODES)
    assert [node.name for node in got.fields["nodes"]] == names(700)
    assert [request.query.get("continue", "") for request in api.asked(NODES) if request.query.get("continue") != "400"] == [
        "", "", "500",
    ]  # fmt: skip


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
