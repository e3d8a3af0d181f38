"""`python -m tests.lab.programs build|missing|packages`."""

from __future__ import annotations

import sys

from tests.lab.programs import CannotBuild, missing, provide
from tests.lab.programs.tools import lacking


def main(verb: str) -> int:
    """Run one verb; 1 where the lab cannot be had."""
    if verb == "packages":
        for package in lacking():
            print(package)
        return 0
    reason = missing()
    if verb == "build" and not reason:
        try:
            provide()
        except CannotBuild as error:
            reason = str(error)
    if reason:
        print(reason, file=sys.stderr)
    return 1 if reason else 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["build"], ["missing"], ["packages"]):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
