"""Commands that differ only in words are said once: the words lead back to the commands, or they are written out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flannelscope import simulated
from flannelscope.facts import Facts
from flannelscope.judge import judge
from flannelscope.present import finding_view
from flannelscope.report import build
from flannelscope.report.alike import differing, written
from flannelscope.report.markdown import markdown
from flannelscope.report.plain import plain_text
from tests.engine.builders import NOW

LINES = st.lists(st.text(alphabet="w12-./ '{}", max_size=12), max_size=3)


def test_names_blocks_and_macs_differ_and_what_follows_from_them_is_not_said() -> None:
    first = ["kubectl get node w1 -o json > w1.json  # set 10.0.0.0/24;", 'annotate w2 \'{"MAC":"aa:bb"}\'']
    other = ["kubectl get node w7 -o json > w7.json  # set 10.0.9.0/24;", 'annotate w8 \'{"MAC":"cc:dd"}\'']
    words = differing(first, other)
    assert words == {"w1": "w7", "10.0.0.0/24": "10.0.9.0/24", "w2": "w8", "aa:bb": "cc:dd"}
    assert written(first, words) == other


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (["a w1"], ["a w1", "b"]),
        (["a w1"], ["a  w1"]),
        (["a w1 b w1"], ["a w2 b w3"]),  # one word cannot be two others
        (["a $(w1)"], ["a w1"]),
        (["delete w1", "annotate w2"], ["delete w2", "annotate w3"]),  # w1 -> w2, then w2 -> w3, would delete w3
    ],
)
def test_more_than_words_is_not_alike(first: list[str], other: list[str]) -> None:
    assert differing(first, other) is None


def test_a_name_inside_another_name_is_left_alone() -> None:
    assert written(["w1 w10 w1.json my-w1"], {"w1": "w2"}) == ["w2 w10 w2.json my-w1"]


@given(LINES, LINES)
def test_the_words_always_lead_to_the_other_commands(first: list[str], other: list[str]) -> None:
    words = differing(first, other)
    assert words is None or written(first, words) == other


def test_the_text_writes_the_commands_of_ten_pairs_once_and_says_what_differs() -> None:
    facts = Facts(simulated.build("twins", NOW))
    made = build(facts, judge(facts))
    said = plain_text(made)
    pairs = [f for f in made.judgement.findings if f.code == "FLN101"]
    assert len(pairs) == 10
    assert said.count("kubectl drain w2") == 1
    assert markdown(made).count("kubectl drain w2") == 10
    first = finding_view(pairs[0]).commands
    for pair in pairs[1:]:
        commands = finding_view(pair).commands
        words = differing(first, commands)
        assert words is not None and written(first, words) == list(commands)
        line = next(line for line in said.splitlines() if "# the commands of FLN101 w031 w231" in line and pair.nodes[1] in line)
        assert all(f"{here} -> {there}" in line for here, there in words.items())
    assert said.count("flannelscope check -o markdown") == 1


def test_the_command_of_a_proof_like_the_one_before_is_written_once() -> None:
    facts = Facts(simulated.build("exhausted", NOW))
    said = plain_text(build(facts, judge(facts)))
    assert said.count("kubectl get events -A --field-selector reason=CIDRNotAvailable,involvedObject.name=") == 1
    assert said.count("event CIDRNotAvailable of w2") == 3
    assert said.count("kubectl get node cp1 -o jsonpath='{.spec.podCIDRs}'") == 1
