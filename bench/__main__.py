"""`python -m bench [NAME…]`: run the benches of bench/rows (default: all), print the table when all are done."""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import iter_modules

from bench import rows
from bench.table import Row, Skip, rule


def main(names: list[str]) -> int:
    """Run the named benches in the order of the table; always 0: a bench shows, it does not judge."""
    known = sorted((import_module(f"bench.rows.{module.name}") for module in iter_modules(rows.__path__)), key=lambda m: m.PLACE)
    unknown = set(names) - {module.__name__.rpartition(".")[2] for module in known}
    if unknown:
        print(f"no such bench: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    table: list[Row] = []
    for module in known:
        name = module.__name__.rpartition(".")[2]
        if names and name not in names:
            continue
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            table.extend(module.measure())
        except Skip as reason:
            table.append(Row(module.WORK, "", str(reason), None))
    print(rule(table))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
