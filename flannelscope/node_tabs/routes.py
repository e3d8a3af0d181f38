"""Routes: the rules by which tables are chosen, and the routes of each table in use."""

from __future__ import annotations

from collections.abc import Iterable

from flannelscope.cidr import parse
from flannelscope.facts import Facts
from flannelscope.model import Kernel, Route, Rule
from flannelscope.node_tabs import line, listed, tab
from flannelscope.node_views import Line, TableView

HEAD = ("destination", "gateway", "device", "table", "more")
LOCAL = "local"


@tab(2, "Routes")
def routes(facts: Facts, kernel: Kernel) -> Iterable[TableView]:
    """Main's and its like; the table of the node's own addresses is left to Raw."""

    def lines(found: tuple[Route, ...]) -> Iterable[Line]:
        kept = [
            route for route in found if route.table != LOCAL and route.kind not in ("local", "broadcast", "multicast", "anycast")
        ]
        for route in sorted(
            kept, key=lambda r: (r.table != "main", r.table, r.family, parse(r.destination) is None, parse(r.destination))
        ):
            role = "bad" if route.dead or route.linkdown else ""
            yield line(route.destination, route.gateway, route.device, route.table, _more(route), role=role)

    yield listed(kernel, "routes", "Routes", HEAD, lines)
    yield listed(kernel, "rules", "Rules", ("priority", "selector", "table or action"), _rules)


def _more(route: Route) -> str:
    parts = [route.kind] if route.kind != "unicast" else []
    parts += ["onlink"] * route.onlink + ["dead"] * route.dead + ["linkdown"] * route.linkdown
    parts += [f"proto {route.protocol}"] if route.protocol else []
    parts += [f"metric {route.metric}"] if route.metric else []
    parts += [f"src {route.source}"] if route.source else []
    parts += [f"also via {gateway or 'link'} dev {device}" for gateway, device in route.further]
    return ", ".join(parts)


def _rules(found: tuple[Rule, ...]) -> Iterable[Line]:
    for rule in sorted(found, key=lambda rule: (rule.family, rule.priority)):
        yield line(f"{rule.priority} (IPv{rule.family})", rule.selector, rule.table or rule.action)
