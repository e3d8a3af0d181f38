"""`make lab INCIDENT=name`: break the lab that is up, and say what whoever rang up said."""

from __future__ import annotations

import argparse
import sys

from tests.lab.incidents import all_incidents, names, stage
from tests.lab.lab import LabFailed, attached
from tests.lab.status import next_commands


def main() -> int:
    """Stage one incident or fault; 1 with one message where that does not go."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.game_day", description=__doc__)
    parser.add_argument("name", nargs="?", help="an incident, or a single fault; without one they are listed")
    parser.add_argument("--lab", default="lab", help="the name of a lab that is up")
    parser.add_argument("--seed", type=int, default=1, help="other victims of a single fault")
    given = parser.parse_args()
    if given.name is None:
        calls = {name: incident.CALL for name, incident in all_incidents().items()}
        print("\n".join(f"{name:24} {calls.get(name, '')}".rstrip() for name in names()))
        return 0
    try:
        call = stage(attached(given.lab), given.name, given.seed)
    except LabFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    print(f'It is 3 a.m. The phone: "{call}"')
    print(next_commands(given.lab))
    return 0


if __name__ == "__main__":
    sys.exit(main())
