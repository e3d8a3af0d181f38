"""`make truth`: every fault against `flannelscope check --ssh`, and a table of what was found, missed and said falsely.

It fails nothing by itself: its figures are read by people. Each fault is injected on a healthy, settled lab, checked until
all is found that can be found or its patience is over, and healed; then the lab must be as it was before. Several labs side
by side take one fault after the other, so that the whole does not last as long as all the waiting.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from flannelscope.checks import planned
from tests.lab.choosing import selected
from tests.lab.faults import Fault, Victims, hands
from tests.lab.faults.hands import Cluster
from tests.lab.faults.state import await_healthy, settled, state
from tests.lab.judging import Expected, Verdict, judge
from tests.lab.lab import DEFAULT_FLAGS, LabFailed, attached, brought_up, wait_until
from tests.lab.settings import KINDS, Kind, Settings
from tests.lab.side_by_side import NODES
from tests.lab.stages import Playing

RANGES = ("--cluster-cidr", DEFAULT_FLAGS["cluster-cidr"], "--node-cidr-mask-size", DEFAULT_FLAGS["node-cidr-mask-size"])


@dataclass
class Row:
    """What came of one fault, or of several at once."""

    name: str
    seed: int
    victims: str
    verdict: Verdict = field(default_factory=lambda: Verdict((), (), (), ()))
    seconds: float = 0.0
    trouble: str = ""  # the lab's own: nothing was proven


class Stage:
    """A healthy lab on which faults are tried, one row at a time."""

    def __init__(self, lab: Cluster) -> None:
        self.lab = lab
        self.shows_itself = any(s["setting"] == "cluster-cidr" and s["sure"] == "yes" for s in lab.check()["configuration"])
        await_healthy(lab)
        self.baseline = state(lab)

    def play(self, faults: Sequence[Fault], seed: int) -> Row:
        """Inject these faults at once, check, heal; whatever goes wrong in the lab itself is told in the row."""
        wait_until(lambda: settled(self.lab), "the lab is settled", 240)
        name = "+".join(fault.title for fault in faults)
        drawn = self._draw(faults, seed)
        row = Row(name, seed, " / ".join(str(victims) for _, victims in drawn))
        try:
            for fault, victims in drawn:
                fault.inject(self.lab, victims)
            self._check(drawn, row)
        except LabFailed as failure:
            row.trouble = f"not shown: {failure}"
        finally:
            self._heal(drawn, row)
        return row

    def _draw(self, faults: Sequence[Fault], seed: int) -> list[tuple[Fault, Victims]]:
        """Victims of each; of several faults at once, other victims for each as far as a few draws find them."""
        drawn: list[tuple[Fault, Victims]] = []
        for fault in faults:
            taken = {name for _, victims in drawn for name in (*victims.nodes, victims.values.get("victim", ""))}
            tries = (fault.draw(self.lab, Random(f"{fault.NAME} {seed} {turn}")) for turn in range(20))
            chosen = next((victims for victims in tries if not taken & {*victims.nodes, victims.values.get("victim", "-")}), None)
            drawn.append((fault, chosen or fault.draw(self.lab, Random(f"{fault.NAME} {seed}"))))
        return drawn

    def _check(self, drawn: Sequence[tuple[Fault, Victims]], row: Row) -> None:
        """Look until all that has a check is found, at least once; what was false in between counts as well."""
        began = time.monotonic()
        patience = max(fault.PATIENCE for fault, _ in drawn)
        also = frozenset(code for fault, _ in drawn for code in fault.ALSO)
        false: dict[str, None] = {}
        while True:
            verdict = judge(self.lab.check("--ssh", *self._ranges(drawn)), self._expected(drawn), also)
            false.update(dict.fromkeys(verdict.false))
            row.seconds = time.monotonic() - began
            row.verdict = Verdict(verdict.found, verdict.missed, tuple(false), verdict.unknown)
            if set(verdict.missed) <= planned().keys() or row.seconds > patience:  # what is unknown may be settling yet
                return
            time.sleep(1.0)

    def _expected(self, drawn: Sequence[tuple[Fault, Victims]]) -> Expected:
        whole: dict[str, frozenset[str]] = {}
        for fault, victims in drawn:
            whole |= fault.subjects(self.lab, victims)
        return whole

    def _ranges(self, drawn: Sequence[tuple[Fault, Victims]]) -> tuple[str, ...]:
        if self.shows_itself:
            return ()
        return next((told for fault, victims in drawn if (told := fault.ranges(victims))), RANGES)

    def _heal(self, drawn: Sequence[tuple[Fault, Victims]], row: Row) -> None:
        try:
            for fault, victims in reversed(drawn):
                fault.heal(self.lab, victims)
            await_healthy(self.lab, self.baseline)
        except LabFailed as failure:
            row.trouble = f"{row.trouble} not healed: {failure}".strip()
            self._begin_anew()

    def _begin_anew(self) -> None:
        """After a fault that left something behind: flannel sets all it knows again, and that is the new beginning."""
        for name in hands.nodes(self.lab):
            hands.restart_flannel(self.lab, name)
        await_healthy(self.lab)
        self.baseline = state(self.lab)


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The table, and recall and precision last."""
    yield f"{'fault':<28} {'seed':>4} {'victims':<26} {'found':<14} {'missed':<22} {'false':<26} {'s':>5}"
    yield from map(line, rows)
    found, missed, false = (sum(len(getattr(row.verdict, kind)) for row in rows) for kind in ("found", "missed", "false"))
    troubled = sum(bool(row.trouble) for row in rows)
    if troubled:
        yield f"{troubled} could not be shown in this lab"
    yield f"recall    {_share(found, found + missed)}"
    yield f"precision {_share(found, found + false)}"


def line(row: Row) -> str:
    """One row of the table."""
    missed = " ".join(f"{code}?" if code in row.verdict.unknown else code for code in row.verdict.missed)
    found, false = " ".join(row.verdict.found), " ".join(row.verdict.false)
    text = f"{row.name:<28} {row.seed:>4} {row.victims:<26} {found:<14} {missed:<22} {false:<26} {row.seconds:>5.1f}"
    return f"{text}  {row.trouble}".rstrip()


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.0f} %)" if whole else "nothing to count"


def pairs(faults: Mapping[str, Fault], number: int, seed: int) -> Iterator[tuple[Fault, Fault]]:
    """As many pairs of faults, or of a fault and a decoy, that do not depend on each other."""
    apart = [fault for fault in faults.values() if fault.PAIRS]
    random = Random(seed)
    for _ in range(number):
        first, second = random.sample(apart, 2)
        yield first, second


Play = tuple[Sequence[Fault], int]  # what is injected at once, and its seed
Playable = Callable[[Play], Row]


@contextmanager
def on_lab_that_is_up(name: str) -> Iterator[Playable]:
    """A lab that stays up afterwards."""
    yield playable(attached(name))


@contextmanager
def on_lab_of_its_own(name: str, kind: Kind) -> Iterator[Playable]:
    """A lab that is brought up for this, and taken down."""
    print(f"the lab {name} is brought up", file=sys.stderr, flush=True)
    with brought_up(Settings(name, nodes=NODES, kind=kind)) as lab:
        yield playable(lab)


def playable(lab: Cluster) -> Playable:
    """What tries a play on this lab and says at once what came of it."""
    stage = Stage(lab)

    def play(one: Play) -> Row:
        row = stage.play(*one)
        print(line(row), file=sys.stderr, flush=True)
        return row

    return play


def asked() -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.truth", description=__doc__)
    parser.add_argument("names", nargs="*", help="faults or decoys, or NAME:VARIANT; all that the kind can show by default")
    parser.add_argument("--seeds", type=int, default=1, help="how often each, with other victims")
    parser.add_argument("--first-seed", type=int, default=1)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--lab", default="lab", help="the name of a lab that is up")
    where.add_argument("--labs", type=int, default=0, help="bring up so many, and take them down afterwards")
    parser.add_argument("--kind", choices=KINDS, default="vxlan", help="kind of the labs that are brought up (vxlan)")
    parser.add_argument("--pairs", type=int, default=0, help="how many pairs of faults at once")
    given = parser.parse_args()
    try:
        given.kind = KINDS[given.kind] if given.labs else attached(given.lab).settings.kind
        given.chosen = selected(given.names, given.kind.name)
    except (LabFailed, ValueError) as failure:
        parser.error(str(failure))
    return given


def main() -> None:
    """Try the faults that are named, or all, and print the table."""
    given = asked()
    chosen: dict[str, Fault] = given.chosen
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    plays: list[Play] = [([fault], seed) for fault in chosen.values() for seed in seeds]
    plays += [(list(pair), seed) for seed, pair in enumerate(pairs(chosen, given.pairs, given.first_seed), 1)]
    playing = Playing[Play, Row](plays, lambda said: print(said, file=sys.stderr, flush=True))
    stages = [on_lab_of_its_own(f"truth{number}", given.kind) for number in range(1, given.labs + 1)] or [
        on_lab_that_is_up(given.lab)
    ]
    try:
        playing.on(stages)
    finally:
        print("\n".join(table(playing.rows)))
        if playing.left:
            print(f"{playing.left} of {len(plays)} were not tried")


if __name__ == "__main__":
    main()
