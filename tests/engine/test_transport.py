"""Reads pass the one door, everything else raises before a byte is sent; failures are tried again or said in words."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes import client
from urllib3.exceptions import HTTPError

from flannelscope.errors import ReadFailed, Refused, WriteRefused
from flannelscope.sources.background import Halt, background
from flannelscope.sources.backoff import Backoff, retry_after
from flannelscope.sources.door import Door
from flannelscope.sources.faults import Interrupted, Missing, Stopped
from tests.engine.api_objects import NODES, access, fetch, transport
from tests.fakes.api_server import Answer, FakeApi, status

SERVER = "https://k8s.test:6443"
REVIEWS = (
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
    "/apis/authentication.k8s.io/v1/selfsubjectreviews",
)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as made:
        yield made


# the door


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "get ", ""])
@pytest.mark.parametrize("path", [NODES, "/api/v1/namespaces/x/pods/p", "/version", "/api/v1/namespaces/x/pods/p/eviction"])
def test_only_get_passes(method: str, path: str) -> None:
    with pytest.raises(WriteRefused):
        Door(SERVER).check(method, SERVER + path)


@pytest.mark.parametrize("path", REVIEWS)
def test_questions_about_oneself_pass_and_nothing_that_looks_like_them(path: str) -> None:
    door = Door(SERVER)
    door.check("POST", SERVER + path)
    for near in (path + "/x", path + "?dryRun=All", "/x" + path, path.replace("self", "local"), path + "/", path.upper()):
        with pytest.raises(WriteRefused):
            door.check("POST", SERVER + near)
    for method in ("PUT", "PATCH", "DELETE"):
        with pytest.raises(WriteRefused):
            door.check(method, SERVER + path)


def test_the_kubelets_summary_is_only_read() -> None:
    with pytest.raises(WriteRefused):
        Door(SERVER, nodes_proxy=True).check("POST", SERVER + "/api/v1/nodes/w1/proxy/stats/summary")


def test_no_other_server_is_asked() -> None:
    for url in ("https://elsewhere.test:6443/api/v1/nodes", "http://k8s.test:6443/api/v1/nodes"):
        with pytest.raises(WriteRefused):
            Door(SERVER).check("GET", url)


@given(st.text(), st.text())
def test_no_text_makes_a_write_pass(method: str, path: str) -> None:
    if method.upper() != "GET" and not (method.upper() == "POST" and path in REVIEWS):
        with pytest.raises((WriteRefused, ValueError)):
            Door(SERVER).check(method, SERVER + "/" + path)


def acting_calls(group: Any) -> list[str]:
    """Calls of the typed client that delete something or open a channel; none of them needs a body."""
    verbs = ("delete_", "connect_")
    return [name for name in dir(group) if name.startswith(verbs) and not name.endswith(("_with_http_info", "_serialize"))]


@pytest.mark.parametrize("group", [client.CoreV1Api, client.AppsV1Api, client.CoordinationV1Api])
def test_no_acting_call_of_the_official_client_sends_anything(api: FakeApi, group: Any) -> None:
    calls = [name for name in acting_calls(group) if "without_preload" not in name]
    with transport(api.url) as made:
        typed = group(made.client)
        for name in calls:
            call = getattr(typed, name)
            wanted = {word: "x" for word in ("name", "namespace", "path") if f":param {word}:" in (call.__doc__ or "")}
            if "path" in wanted and not name.endswith("_with_path"):
                del wanted["path"]
            with pytest.raises(WriteRefused):
                call(**wanted)
    assert len(calls) >= 2
    assert api.requests == []


@pytest.mark.parametrize("call", ["create_node", "patch_node", "replace_node", "patch_node_status"])
def test_no_writing_call_of_the_official_client_sends_anything(api: FakeApi, call: str) -> None:
    node = client.V1Node(metadata=client.V1ObjectMeta(name="w1"))
    with transport(api.url) as made, pytest.raises(WriteRefused, match="only reads"):
        getattr(client.CoreV1Api(made.client), call)(**({} if call == "create_node" else {"name": "w1"}), body=node)
    assert api.requests == []


def test_the_pool_behind_the_client_is_behind_the_door_too(api: FakeApi) -> None:
    with transport(api.url) as made:
        pool = made.client.rest_client.pool_manager
        for send in (pool.request, pool.urlopen):
            with pytest.raises(WriteRefused):
                send("DELETE", api.url + NODES)
    assert api.requests == []


def test_an_answer_elsewhere_is_not_followed(api: FakeApi) -> None:
    api.always(NODES, Answer(302, headers={"Location": api.url + "/api/v1/secrets"}))
    with transport(api.url) as made, pytest.raises(ReadFailed, match="sends us elsewhere"):
        fetch(made, NODES)
    assert [request.path for request in api.requests] == [NODES]


# trying again


def test_429_is_waited_for_as_the_server_asks_and_said(api: FakeApi) -> None:
    api.hold(NODES, "NodeList", [])
    api.next(NODES, Answer(429, headers={"Retry-After": "0"}), Answer(503))
    with transport(api.url) as made:
        body, record = fetch(made, NODES)
    assert b"NodeList" in body
    assert [done.status for done in record] == [429, 503, 200]
    assert record[0].note.startswith("try 1:")
    assert "Again in" in record[1].note
    assert record[2].received == len(body)


def test_a_cut_in_the_middle_of_a_body_is_tried_again(api: FakeApi) -> None:
    api.hold(NODES, "NodeList", [])
    api.next(NODES, Answer(body=b"x" * 1000, cut=10))
    with transport(api.url) as made:
        body, record = fetch(made, NODES)
    assert b"NodeList" in body
    assert [done.status for done in record] == [200, 200]
    assert "cut in the middle" in record[0].note


def test_a_server_that_is_never_well_is_given_up(api: FakeApi) -> None:
    api.always(NODES, Answer(500, status(500, "InternalError", "etcd is gone")))
    with transport(api.url, timeout=0.3) as made, pytest.raises(ReadFailed, match="500: etcd is gone"):
        fetch(made, NODES)
    assert len(api.requests) > 1


def test_an_answer_without_end_is_not_gathered_for_ever(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flannelscope.sources.transport.MOST_BODY", 1 << 20)
    api.always(NODES, Answer(body=b" " * (3 << 20)))
    with transport(api.url) as made, pytest.raises(ReadFailed, match="larger than 1 MiB"):
        fetch(made, NODES)
    assert len(api.requests) == 1


@pytest.mark.parametrize("code", [400, 405, 501])
def test_what_another_try_does_not_mend_is_not_tried_again(api: FakeApi, code: int) -> None:
    api.always(NODES, Answer(code))
    with transport(api.url) as made, pytest.raises(ReadFailed):
        fetch(made, NODES)
    assert len(api.requests) == 1


def test_a_slow_server_meets_the_time_limit(api: FakeApi) -> None:
    api.always(NODES, Answer(wait=threading.Event()))
    api.next(NODES, *[Answer(wait=threading.Event())] * 5)
    with transport(api.url, timeout=0.2) as made, pytest.raises(Interrupted, match="longer to answer"):
        fetch(made, NODES)


def test_stop_ends_a_wait_at_once(api: FakeApi) -> None:
    api.always(NODES, Answer(429, headers={"Retry-After": "3600"}))
    stop = threading.Event()
    with transport(api.url, timeout=60) as made:
        work = background(lambda halt: made.get(NODES, (), halt), stop)
        assert next(work).status == 429
        stop.set()
        with pytest.raises(Stopped):
            next(work)


def test_stop_ends_a_read_from_a_server_that_says_nothing(api: FakeApi) -> None:
    held = threading.Event()
    api.next(NODES, Answer(wait=held))
    stop = threading.Event()
    with transport(api.url, timeout=60) as made:
        threading.Timer(0.05, stop.set).start()
        with pytest.raises(Stopped):
            next(background(lambda halt: made.get(NODES, (), halt), stop))
        held.set()


def test_a_rejected_token_is_renewed_once(api: FakeApi) -> None:
    api.always(NODES, Answer(401))
    asked: list[str] = []

    def rejected() -> bool:
        asked.append("a new token")
        return True

    reach = access(api.url)
    reach.rejected = rejected  # type: ignore[method-assign]
    with transport(api.url) as made:
        made.reach = reach
        with pytest.raises(Refused, match="does not accept these credentials"):
            fetch(made, NODES)
    assert (len(asked), len(api.requests)) == (1, 2)


def test_refusals_name_the_right_that_is_missing(api: FakeApi) -> None:
    api.always(NODES, Answer(403))
    with transport(api.url) as made:
        with pytest.raises(Refused) as caught:
            fetch(made, NODES)
        with pytest.raises(Missing):
            fetch(made, f"{NODES}/nowhere")
    assert (caught.value.verb, caught.value.resource) == ("list", "nodes")


@pytest.mark.parametrize(
    ("path", "absent"),
    [
        ("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager", True),  # --leader-elect=false
        ("/apis/networking.k8s.io/v1beta1", True),  # a version that this server does not have any more
        (NODES, False),
        ("/version", False),
    ],
)
def test_what_need_not_be_there_is_recorded_as_absent(api: FakeApi, path: str, absent: bool) -> None:
    api.always(path, Answer(404))
    with transport(api.url) as made:
        done = next(made.get(path, (), Halt(threading.Event())))
    assert (done.status, done.absent, done.failed) == (404, absent, not absent)


def test_continue_tokens_are_not_in_the_record(api: FakeApi) -> None:
    api.hold(NODES, "NodeList", [])
    with transport(api.url) as made:
        _, record = fetch(made, NODES, (("continue", "0"), ("limit", "5")))
    assert record[0].path == f"{NODES}?continue=…&limit=5"


def test_the_clock_is_the_servers(api: FakeApi) -> None:
    api.always(NODES, Answer(body=b"{}"))
    with transport(api.url) as made:
        before = made.clock.now()
        made.clock.hear("Sat, 21 Nov 2020 12:00:00 GMT")
        assert made.clock.now() == pytest.approx(1605960000.5, abs=5)
        made.clock.hear("not a date")
        assert made.clock.now() < before
        fetch(made, NODES)
        assert made.clock.now() == pytest.approx(time.time(), abs=5)


def test_waits_grow_and_end_with_patience() -> None:
    backoff = Backoff(10.0, jitter=lambda: 1.0)
    waits = []
    while (wait := backoff.next()) is not None:
        waits.append(wait)
    assert waits == [0.4, 0.8, 1.6, 3.2]  # 6.0 in all; 6.4 more would be too much
    assert Backoff(1.0).next(5.0) is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("3", 3.0), ("Sat, 21 Nov 2020 12:00:10 GMT", 10.0), ("soon", None), (None, None), ("9" * 50, 60.0)]
)
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert retry_after(text, 1605960000.0) == seconds


def test_halt_ends_an_answer_that_comes_too_late_to_be_wanted() -> None:
    ended: list[bool] = []

    class Open:
        def abort(self) -> None:
            ended.append(True)

    halt = Halt(threading.Event())
    halt.set()
    with pytest.raises(Stopped):
        halt.attach(Open())
    assert ended == [True]


def test_halt_ends_every_answer_under_way() -> None:
    ended: list[str] = []

    class Open:
        def __init__(self, name: str) -> None:
            self.name = name

        def abort(self) -> None:
            ended.append(self.name)

    halt = Halt(threading.Event())
    read, *others = (Open(name) for name in ("read", "being read", "sent ahead"))
    for answer in (read, *others):
        halt.attach(answer)
    halt.detach(read)
    halt.set()
    assert sorted(ended) == ["being read", "sent ahead"]


def test_a_request_sent_ahead_fails_when_its_turn_comes(api: FakeApi) -> None:
    api.next(NODES, Answer(429, headers={"Retry-After": "0"}))
    api.always(NODES, Answer(body=b"{}"))
    with transport(api.url) as made:
        halt = Halt(threading.Event())
        work = made.get(NODES, (), halt, made.ahead(NODES, (), halt))
        assert [done.status for done in work] == [429, 200]
    assert len(api.requests) == 2


@pytest.mark.parametrize("early", [True, False])
def test_an_answer_that_is_not_wanted_any_more_is_closed(api: FakeApi, early: bool) -> None:
    late = threading.Event()
    api.next(NODES, Answer(body=b" " * 1_000_000, wait=late))
    with transport(api.url) as made:
        ahead = made.ahead(NODES, (), Halt(threading.Event()))
        if early:
            ahead.drop()
        late.set()
        for thread in threading.enumerate():
            if thread.name == "flannelscope-ask":
                thread.join(20)
        if not early:
            ahead.drop()
        with pytest.raises((HTTPError, ValueError, OSError)):
            ahead.take().read(1 << 20)
